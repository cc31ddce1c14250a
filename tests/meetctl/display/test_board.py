"""The board as plain text at fixed widths, compared whole with `screens/`; and what no width may take away.

After a change that is meant, look at what it gives and write it down with `REDRAW_SCREENS=1 pytest <this file>`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.style import Style
from rich.text import Text

from meetctl.display.board import ICE_STYLES, STATE_STYLES, links_outside, render_all
from meetctl.display.table import MAX_CELL, Column, fitting
from meetctl.protocol import IceState
from meetctl.status.document import NOT_ANSWERING, MeetingStatus, StatusDocument
from meetctl.supervisor.state import ProcessState
from tests.meetctl.display.documents import FULL, JUST_STARTING, LINK, NOTHING, changed, leg

SCREENS = Path(__file__).parent / "screens"


def drawn(board: RenderableType, width: int) -> str:
    console = Console(width=width, highlight=False, force_terminal=False, color_system=None, emoji=False)
    with console.capture() as capture:
        console.print(board)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_the_board_looks_as_it_was_last_looked_at(width: int) -> None:
    screen = drawn(render_all(FULL), width)
    file = SCREENS / f"full-{width}.txt"
    if os.environ.get("REDRAW_SCREENS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(screen, encoding="utf-8")
    assert screen == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_from_80_columns_on_nothing_that_is_asked_for_is_missing_or_cut(width: int) -> None:
    screen = drawn(render_all(FULL), width)
    header = next(line for line in screen.splitlines() if line.strip().startswith("agent"))
    titles = header.replace("rst", "restarts").replace("vid/s", "video/s").replace("aud/s", "audio/s").split()
    assert {"agent", "state", "doing", "up", "restarts", "leg", "ice", "video/s", "audio/s"} <= set(titles)
    assert "…" not in screen
    assert all(cell_len(line) <= width for line in screen.splitlines())


def test_the_join_link_stands_above_everything_but_the_title() -> None:
    lines = drawn(render_all(FULL), 80).splitlines()
    assert lines[1] == f"join {LINK}"


@pytest.mark.parametrize("width", [20, 30, 40, 57])
def test_a_narrow_board_breaks_no_link_but_leaves_it_to_a_line_of_its_own(width: int) -> None:
    assert "http" not in drawn(render_all(FULL), width)
    assert links_outside(FULL, width) == [f"join {LINK}"]
    assert links_outside(FULL, 58) == []
    both = StatusDocument(meetings=FULL.meetings * 2)
    assert links_outside(both, width) == [f"standup: join {LINK}"] * 2


@pytest.mark.parametrize("width", [20, 40, 57, 120])
def test_a_terminal_with_hyperlinks_has_the_whole_address_under_what_fits(width: int) -> None:
    console = Console(width=width, force_terminal=True, color_system="truecolor", legacy_windows=False)
    with console.capture() as capture:
        console.print(render_all(FULL, hyperlinks=True))
    [(address, shown)] = re.findall(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b\\(.*?)\x1b\]8;;", capture.get())
    assert address == LINK
    assert (LINK if width == 120 else "open the page") in shown


def test_what_was_not_measured_is_a_dash_and_never_a_zero() -> None:
    def no_figures(meeting: dict[str, Any]) -> None:
        meeting["agents"] = [{**meeting["agents"][0], "legs": {"room": leg(**NOTHING)}, "av_offset_ms": None}]

    [row] = [line for line in drawn(render_all(changed(no_figures)), 100).splitlines() if "connected" in line]
    after_ice = row.split("connected")[1]
    assert re.findall(r"[–\d.]+", after_ice)[:2] == ["–", "–"]


def test_a_name_that_looks_like_markup_is_shown_as_it_is() -> None:
    assert "Max [bold]" in drawn(render_all(FULL), 120)


def test_a_meeting_that_answers_nothing_yet_is_shown_by_what_is_known() -> None:
    assert drawn(render_all(JUST_STARTING), 80) == "late  starting\n"


def test_several_meetings_stand_below_each_other_and_none_is_said_to_be_none() -> None:
    both = StatusDocument(meetings=(*JUST_STARTING.meetings, MeetingStatus(room="b", state="running")))
    assert drawn(render_all(both), 80) == "late  starting\n\nb  running\n"
    assert drawn(render_all(StatusDocument()), 80) == "no meeting runs on this machine\n"


def test_every_state_there_is_has_a_style_that_rich_understands() -> None:
    assert set(STATE_STYLES) == {*(state.value for state in ProcessState), NOT_ANSWERING}
    assert set(ICE_STYLES) == {state.value for state in IceState}
    for style in (*STATE_STYLES.values(), *ICE_STYLES.values()):
        Style.parse(style)


@pytest.mark.parametrize("state", list(ProcessState))
def test_no_state_is_told_by_colour_alone(state: ProcessState) -> None:
    screen = drawn(render_all(changed(lambda meeting: meeting["agents"][0].update(state=state.value))), 80)
    [row] = [line for line in screen.splitlines() if line.startswith("  Ada ")]
    assert state.value in row


@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 9)), min_size=1, max_size=12), st.integers(1, 120))
def test_columns_are_given_up_from_the_least_important_and_never_the_first_rank(
    drawn_columns: list[tuple[str, int]], width: int
) -> None:
    columns = [Column(title, rank, (Text("x"),)) for title, rank in drawn_columns]
    kept = fitting(columns, width, 1)
    dropped = [column for column in columns if not any(column is other for other in kept)]
    assert all(column.rank > 0 for column in dropped)
    if dropped and any(column.rank for column in kept):
        assert max(column.rank for column in kept) <= max(column.rank for column in dropped)
    fits = sum(min(MAX_CELL, column.width) + 1 for column in kept) - 1 <= width
    assert fits or all(column.rank == 0 for column in kept)
