"""People on the board. Pure, as the board is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from meetctl.display.table import Column
from meetctl.display.words import MISSING, figure, local_time
from meetctl.status.document import PersonStatus


def people_columns(people: Sequence[PersonStatus]) -> list[Column]:
    """Returns a row for each person; what their own page says of the connection stands last."""

    def column(title: str, rank: int, cell: Callable[[PersonStatus], Text], *, right: bool = False) -> Column:
        return Column(title, rank, tuple(map(cell, people)), right)

    return [
        column("person", 0, lambda person: Text(person.name)),
        column("role", 2, lambda person: Text(person.role or MISSING, style="dim")),
        column("sends", 0, lambda person: Text(", ".join(sent(person)) or "nothing")),
        column("talked s", 1, lambda person: Text(figure(person.talked_s, 0)), right=True),
        column("since", 3, lambda person: Text(local_time(person.since) if person.since else MISSING), right=True),
        column("path", 1, lambda person: Text(person.path or MISSING)),
        column("ice", 5, lambda person: Text(person.ice or MISSING, style="dim")),
        column("loss%", 4, lambda person: Text(figure(None if person.loss is None else person.loss * 100)), right=True),
        column("rtt ms", 4, lambda person: Text(figure(person.rtt_ms)), right=True),
    ]


def sent(person: PersonStatus) -> list[str]:
    """Returns what of a person can be heard and seen."""
    flags = {"microphone": person.microphone, "camera": person.camera, "screen": person.screen}
    return [name for name, on in flags.items() if on]
