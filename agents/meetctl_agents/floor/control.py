"""The floor control server: runs the floor's machine and carries out what it decides, by `mc.*`.

The words are those of BFCP (https://www.rfc-editor.org/rfc/rfc8855).

Each agent has an outbox of its own, so that one that does not answer delays nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Self, assert_never

from livekit import rtc

from meetctl.protocol import CastMember, FloorChanged, Line, MeetingRules

from ..process.tasks import Tasks
from ..process.wire import Report
from .events import (
    AgentGone,
    Changed,
    Consult,
    Event,
    GrantFloor,
    NeverAnswered,
    Released,
    RevokeFloor,
    StillLoading,
    Tick,
)
from .machine import next_deadline, next_request, step
from .outbox import Outbox
from .state import Floor

logger = logging.getLogger(__name__)

Granted = Callable[[GrantFloor, float], None]
"""Told of each grant that an agent took, with the seconds it took to reach it."""
Consulted = Callable[[Consult], None]
"""Told of each question to the moderator; the answer is posted."""
NotAnswered = Callable[[NeverAnswered], None]
"""Told of each turn of which nobody heard anything, once nobody is to try again."""


class FloorControl:
    """Holds the floor's state; async context manager around everything under way."""

    def __init__(
        self,
        room: rtc.Room,
        run: str,
        rules: MeetingRules,
        report: Report,
        *,
        granted: Granted,
        consulted: Consulted,
        unanswered: NotAnswered,
        spoken_before: bool,
    ) -> None:
        self._room = room
        self._report = report
        self._granted = granted
        self._consulted = consulted
        self._unanswered = unanswered
        self._floor = Floor(run=run, rules=rules, opened=spoken_before)
        self._outboxes: dict[str, Outbox] = {}
        self._closing = Tasks()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def cast(self) -> tuple[CastMember, ...]:
        return self._floor.cast

    @property
    def floor(self) -> Floor:
        return self._floor

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for outbox in self._outboxes.values():
            await outbox.aclose()
        await self._closing.aclose()

    def post(self, event: Event, *, heard: Line | None = None) -> None:
        """Lets the floor know what happened and does what follows; `heard` is told to those who do not answer it."""
        self._floor, actions = step(self._floor, event, self._loop.time())
        if heard is not None:
            answering = {
                action.identity
                for action in actions
                if isinstance(action, GrantFloor) and action.line is not None and action.line.id == heard.id
            }
            self.tell(heard, but=answering)
        for action in actions:
            match action:
                case GrantFloor():
                    if self._floor.hold is not None and self._floor.hold.request.tries:
                        logger.info("%s is asked what was not answered", action.identity)
                    self._outbox(action.identity).grant(action)
                case RevokeFloor(identity, grant_id):
                    logger.info("%s is cut off", identity)
                    self._outbox(identity).stop(grant_id)
                case Changed(holder):
                    self._report(FloorChanged(holder=holder))
                case Consult():
                    self._consulted(action)
                case NeverAnswered():
                    self._unanswered(action)
                case _:
                    assert_never(action)
        if isinstance(event, AgentGone) and (outbox := self._outboxes.pop(event.identity, None)) is not None:
            self._closing.own(outbox.aclose(), f"outbox-{event.identity}-end")
        if actions:
            logger.info("%s: the floor is %s's", type(event).__name__, self._floor.holder or "nobody")
        self._arm()

    def tell(self, line: Line, *, but: Collection[str] = ()) -> None:
        """Has every agent hear the line but those, and but the one that said it."""
        for member in self._floor.cast:
            if member.serves_floor and member.identity != line.identity and member.identity not in but:
                self._outbox(member.identity).hear(line)

    def tell_one(self, identity: str, lines: Iterable[Line]) -> None:
        """Has one agent hear lines, its own ones too: it may have missed them."""
        for line in lines:
            self._outbox(identity).hear(line)

    def prepare(self, event: Event, line: Line) -> None:
        """Has whoever would speak next, if that happened, get ready to; `line` is what they would have heard by then.

        A guess: nothing is decided by it, and an agent that is not ready when it is granted the floor begins then.
        """
        request = next_request(self._floor, event, self._loop.time())
        if request is not None and request.verbatim is None:
            self._outbox(request.identity).prepare(line)

    def _outbox(self, identity: str) -> Outbox:
        if identity not in self._outboxes:
            self._outboxes[identity] = Outbox(self._room, identity, self._granted, self._on_failed, self._on_loading)
        return self._outboxes[identity]

    def _on_loading(self, identity: str, grant_id: str) -> None:
        self.post(StillLoading(identity, grant_id))

    def _on_failed(self, identity: str, grant_id: str) -> None:
        # Nothing was said and nothing will be: the same as an empty release.
        self.post(Released(identity, grant_id, None))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = next_deadline(self._floor, self._loop.time())
        self._timer = None if due is None else self._loop.call_at(due, self.post, Tick())
