"""The last of the meeting, for whoever comes late and for the moderator: what was said, and who is here. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from meetctl.protocol import Line

REMEMBERED = 12
"""Lines that an agent which comes in the middle is told, and that the moderator judges by."""


class Recent:
    """The newest lines. Who is here is one line that is renewed, beside them: comings and goings are no talk."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._talk: dict[str, Line] = {}
        self.state: Line | None = None
        """The newest line that says who is here."""
        for line in lines:
            self.add(line)

    @property
    def talk(self) -> tuple[Line, ...]:
        """What was said, oldest first."""
        return tuple(self._talk.values())

    @property
    def lines(self) -> tuple[Line, ...]:
        """What somebody who comes now is told."""
        return (*self.talk, self.state) if self.state is not None else self.talk

    def add(self, line: Line) -> None:
        """Takes the line; one of the same id takes the earlier one's place."""
        if line.here is not None:
            self.state = line
            return
        self._talk[line.id] = line
        while len(self._talk) > REMEMBERED:
            del self._talk[next(iter(self._talk))]
