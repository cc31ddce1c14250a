"""Lets people see that an agent says nothing, and why: in the room's chat, each reason of an agent once in a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from meetctl.protocol import Unanswered, Unsaid

from ..floor.events import NeverAnswered
from ..models.unsaid import AGAIN_S, told_in_room
from ..process.wire import Report


class Silences:
    """Takes each turn of which nobody heard anything."""

    def __init__(self, report: Report, tell: Callable[[str], None], name_of: Callable[[str], str]) -> None:
        """
        Args:
            tell: tells everybody in the room.
            name_of: returns an agent's name.
        """
        self._report = report
        self._tell = tell
        self._name_of = name_of
        self._told: dict[tuple[str, Unsaid | None], float] = {}
        """When people were told last of an agent's reason."""

    def take(self, silent: NeverAnswered) -> None:
        identity, line, unsaid = silent.identity, silent.line, silent.unsaid
        if line is not None and unsaid is not Unsaid.NOTHING_NEW:
            self._report(Unanswered(identity=identity, line_id=line.id, speaker=line.identity, reason=unsaid))
        now = time.monotonic()
        if now - self._told.get((identity, unsaid), -AGAIN_S) >= AGAIN_S:
            self._told[identity, unsaid] = now
            self._tell(told_in_room(unsaid, self._name_of(identity)))
