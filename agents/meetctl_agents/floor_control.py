"""The floor control server (RFC 8855's word): runs the floor's machine and carries out what it decides, by `mc.*`.

Each agent has an outbox of its own, so that one that does not answer delays nobody else. An order to fall silent does
not queue: it goes out as soon as the grant it ends has arrived, and instead of it where the grant has not left yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Self, assert_never

from livekit import rtc
from livekit.agents import utils

from meetctl.protocol import (
    GRANT,
    HEAR,
    PREPARE,
    STOP,
    CastMember,
    FloorChanged,
    Grant,
    Hear,
    Line,
    MeetingRules,
    Prepare,
    StopSpeaking,
)

from .floor import next_deadline, next_wish, step
from .floor_events import Changed, Consult, Cut, Event, Give, Released, Tick
from .floor_state import Floor
from .methods import call
from .wire import Report

STARTING_S = 2.0
"""An agent that has just joined serves its methods a moment later: until then it is told again."""
TELL_AGAIN_S = 0.2

logger = logging.getLogger(__name__)

Granted = Callable[[Give, float], None]
"""Told of each grant that an agent took, with the seconds it took to reach it."""
Consulted = Callable[[Consult], None]
"""Told of each question to the moderator; the answer is posted."""


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
        spoken_before: bool,
    ) -> None:
        self._room = room
        self._report = report
        self._granted = granted
        self._consulted = consulted
        self._floor = Floor(run=run, rules=rules, opened=spoken_before)
        self._outboxes: dict[str, _Outbox] = {}
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

    def post(self, event: Event, *, heard: Line | None = None) -> None:
        """Lets the floor know what happened and does what follows; `heard` is told to those who do not answer it."""
        self._floor, actions = step(self._floor, event, self._loop.time())
        if heard is not None:
            answering = {
                action.identity
                for action in actions
                if isinstance(action, Give) and action.line is not None and action.line.id == heard.id
            }
            self.tell(heard, but=answering)
        for action in actions:
            match action:
                case Give():
                    self._outbox(action.identity).grant(action)
                case Cut(identity, grant_id):
                    self._outbox(identity).stop(grant_id)
                case Changed(holder):
                    self._report(FloorChanged(holder=holder))
                case Consult():
                    self._consulted(action)
                case _:
                    assert_never(action)
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
        wish = next_wish(self._floor, event, self._loop.time())
        if wish is not None and wish.verbatim is None:
            self._outbox(wish.identity).prepare(line)

    def _outbox(self, identity: str) -> _Outbox:
        if identity not in self._outboxes:
            self._outboxes[identity] = _Outbox(self._room, identity, self._on_granted, self._on_failed)
        return self._outboxes[identity]

    def _on_granted(self, give: Give, seconds: float) -> None:
        self._granted(give, seconds)

    def _on_failed(self, identity: str, grant_id: str) -> None:
        # Nothing was said and nothing will be: the same as an empty release.
        self.post(Released(identity, grant_id, None))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = next_deadline(self._floor, self._loop.time())
        self._timer = None if due is None else self._loop.call_at(due, self.post, Tick())


class _Outbox:
    """What one agent is told, in order."""

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        granted: Callable[[Give, float], None],
        failed: Callable[[str, str], None],
    ) -> None:
        self._room = room
        self._identity = identity
        self._granted = granted
        self._failed = failed
        self._messages: asyncio.Queue[Hear | Prepare | Give] = asyncio.Queue()
        self._prepared: Prepare | None = None
        self._unwanted: set[str] = set()
        self._delivering: dict[str, asyncio.Event] = {}
        self._sending = asyncio.create_task(self._send(), name=f"outbox-{identity}")
        self._stopping: set[asyncio.Task[None]] = set()

    def hear(self, line: Line) -> None:
        if self._identity in self._room.remote_participants:
            self._messages.put_nowait(Hear(line=line))

    def prepare(self, line: Line) -> None:
        if self._identity in self._room.remote_participants:
            self._prepared = Prepare(line=line)
            self._messages.put_nowait(self._prepared)

    def grant(self, give: Give) -> None:
        self._delivering[give.grant_id] = asyncio.Event()
        self._messages.put_nowait(give)

    def stop(self, grant_id: str) -> None:
        task = asyncio.create_task(self._stop(grant_id), name=f"stop-{grant_id}")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def aclose(self) -> None:
        await utils.aio.cancel_and_wait(self._sending, *self._stopping)

    async def _send(self) -> None:
        while True:
            message = await self._messages.get()
            match message:
                case Give():
                    await self._send_grant(message)
                case Hear():
                    await self._call(HEAR, message)
                case Prepare() if message is self._prepared:  # an older guess is of no use any more
                    await self._call(PREPARE, message)

    async def _send_grant(self, give: Give) -> None:
        arrived = self._delivering.pop(give.grant_id)
        if give.grant_id in self._unwanted:
            self._unwanted.discard(give.grant_id)
            self._failed(self._identity, give.grant_id)
            return
        self._delivering[give.grant_id] = arrived
        loop = asyncio.get_running_loop()
        began = loop.time()
        taken = await self._call(GRANT, Grant(grant_id=give.grant_id, line=give.line, verbatim=give.verbatim))
        del self._delivering[give.grant_id]
        arrived.set()
        if taken:
            self._granted(give, loop.time() - began)
        else:
            self._failed(self._identity, give.grant_id)

    async def _stop(self, grant_id: str) -> None:
        arriving = self._delivering.get(grant_id)
        if arriving is not None:
            self._unwanted.add(grant_id)  # of use where the grant has not left yet
            await arriving.wait()
            self._unwanted.discard(grant_id)
        await self._call(STOP, StopSpeaking(grant_id=grant_id))

    async def _call(self, method: str, message: Hear | Prepare | Grant | StopSpeaking) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + (STARTING_S if method in (HEAR, GRANT) else 0)
        while True:
            try:
                await call(self._room, self._identity, method, message)
            except rtc.RpcError as error:
                starting = error.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD and loop.time() < until
                if not starting:
                    logger.warning("%s did not take %s: %s", self._identity, method, error.message)
                    return False
            else:
                return True
            await asyncio.sleep(TELL_AGAIN_S)
