"""A table that gives up its least important columns where the screen is narrow. Pure: cells in, a renderable out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

WIDE_GAP, NARROW_GAP = 2, 1
"""Spaces between columns; the narrow one only where it saves a column worth having."""
WORTH_HAVING = 3
"""Columns up to this rank; for them titles are shortened too."""
MAX_CELL = 24
"""A longer name is cut; the whole of it is in `status --json`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column with all its cells."""

    title: str
    rank: int
    """0 stays always; of the others the highest goes first."""
    cells: tuple[Text, ...]
    right: bool = False
    short: str | None = None
    """The title where room is scarce."""

    @property
    def width(self) -> int:
        lines = [self.title, *(line for cell in self.cells for line in cell.plain.split("\n"))]
        return min(MAX_CELL, max(Text(line).cell_len for line in lines))

    @property
    def is_empty(self) -> bool:
        return all(not cell.plain.strip("–\n ") for cell in self.cells)


def fitting(columns: Sequence[Column], width: int, gap: int) -> tuple[Column, ...]:
    """Returns the columns that fit, in their order; one without a single value is the first to go."""
    kept = [column for column in columns if column.rank == 0 or not column.is_empty]
    while sum(column.width + gap for column in kept) - gap > width:
        droppable = [column for column in kept if column.rank > 0]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda column: column.rank))
    return tuple(kept)


def table(columns: Sequence[Column], width: int) -> RenderableType:
    """Returns the table at this width."""
    shortened = [replace(column, title=column.short or column.title) for column in columns]
    wanted = sum(column.rank <= WORTH_HAVING for column in fitting(columns, sys.maxsize, 0))
    for these, gap in ((columns, WIDE_GAP), (columns, NARROW_GAP), (shortened, NARROW_GAP)):
        kept = fitting(these, width, gap)
        if sum(column.rank <= WORTH_HAVING for column in kept) == wanted:
            break
    return _drawn(kept, gap)


def _drawn(columns: Sequence[Column], gap: int) -> Table:
    shown = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    for column in columns:
        shown.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=MAX_CELL,
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        shown.add_row(*row)
    return shown
