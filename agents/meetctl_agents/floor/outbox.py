"""What one agent is told by the chair. Two lanes, so that an order never waits behind hearsay; decides nothing.

Orders are grants of the floor and the end of them. An order to fall silent does not queue even behind those: it goes
out as soon as the grant it ends has arrived, and instead of it where the grant has not left yet. Hearsay is what others
said: as much of it waits as an agent would remember, and what a grant overtakes travels in the grant.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from livekit import rtc

from meetctl.protocol import GRANT, HEAR, PREPARE, STILL_LOADING, STOP, Grant, Hear, Line, Prepare, StopSpeaking

from ..process.allowance import LOG_LINES, Allowances, Verdict
from ..process.tasks import Tasks
from ..room.methods import call
from ..room.seating import participant_in
from .events import GrantFloor

STARTING_S = 2.0
"""An agent that has just joined serves its methods a moment later: until then it is told again."""
TELL_AGAIN_S = 0.2
MOST_WAITING = 40
"""Lines; an agent that is so far behind would have forgotten the older ones by the time it had heard the newer."""
LARGEST_GRANT = 14_000
"""Bytes; LiveKit's RPC carries 15 kB."""

logger = logging.getLogger(__name__)


class Outbox:
    """Tells one agent what is for it, in order; ended by `aclose`."""

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        granted: Callable[[GrantFloor, float], None],
        failed: Callable[[str, str], None],
        loading: Callable[[str, str], None] = lambda identity, grant_id: None,
    ) -> None:
        self._room = room
        self._identity = identity
        self._granted = granted
        self._failed = failed
        self._loading = loading
        self._grants: asyncio.Queue[GrantFloor] = asyncio.Queue()
        self._hearsay: deque[Line] = deque(maxlen=MOST_WAITING)
        self._prepared: Line | None = None
        self._news = asyncio.Event()
        self._complaints = Allowances(*LOG_LINES)
        self._unwanted: set[str] = set()
        self._delivering: dict[str, asyncio.Future[bool]] = {}
        self._tasks = Tasks()
        self._tasks.own(self._order(), f"orders-{identity}")
        self._tasks.own(self._tell(), f"hearsay-{identity}")

    def hear(self, line: Line) -> None:
        """Tells what was said; a line that is corrected while it waits is told once."""
        if participant_in(self._room, self._identity) is None:
            return
        for place, waiting in enumerate(self._hearsay):
            if waiting.id == line.id and place > 0:  # the first may be on its way
                self._hearsay[place] = line
                return
        behind = len(self._hearsay) == MOST_WAITING
        if behind and self._complaints.take(self._identity, time.monotonic()) is Verdict.TAKEN:
            logger.warning("%s is too slow: it does not hear %s", self._identity, self._hearsay[0].id)
        self._hearsay.append(line)
        self._news.set()

    def prepare(self, line: Line) -> None:
        """Has it get ready to answer the line, once it has heard what waits; an older guess is of no use any more."""
        if participant_in(self._room, self._identity) is not None:
            self._prepared = line
            self._news.set()

    def grant(self, order: GrantFloor) -> None:
        self._prepared = None  # it would be got ready in the middle of this turn
        self._delivering[order.grant_id] = asyncio.get_running_loop().create_future()
        self._grants.put_nowait(order)

    def stop(self, grant_id: str) -> None:
        self._tasks.own(self._stop(grant_id), f"stop-{grant_id}")

    async def aclose(self) -> None:
        await self._tasks.aclose()

    # --- orders ---

    async def _order(self) -> None:
        while True:
            order = await self._grants.get()
            try:
                await self._send_grant(order)
            except Exception:  # of those who are told; the next grant is to be sent
                logger.exception("what came of grant %s is lost", order.grant_id)

    async def _send_grant(self, order: GrantFloor) -> None:
        began = asyncio.get_running_loop().time()
        answer = None if order.grant_id in self._unwanted else await self._call(GRANT, self._as_grant(order))
        taken = answer is not None
        logger.debug("%s: grant %s is %s", self._identity, order.grant_id, "taken" if taken else "not taken")
        self._unwanted.discard(order.grant_id)
        self._delivering.pop(order.grant_id).set_result(taken)
        if taken:
            self._granted(order, asyncio.get_running_loop().time() - began)
            if answer == STILL_LOADING:
                self._loading(self._identity, order.grant_id)
        else:
            self._failed(self._identity, order.grant_id)

    def _as_grant(self, order: GrantFloor) -> Grant:
        grant = Grant(grant_id=order.grant_id, line=order.line, verbatim=order.verbatim)
        left = LARGEST_GRANT - _size(grant)
        heard: list[Line] = []
        for line in reversed(self._hearsay):
            left -= _size(line) + 1
            if left < 0:
                break
            if order.line is None or line.id != order.line.id:
                heard.insert(0, line)
        return grant.model_copy(update={"heard": tuple(heard)})

    async def _stop(self, grant_id: str) -> None:
        arriving = self._delivering.get(grant_id)
        if arriving is not None:
            self._unwanted.add(grant_id)  # of use where the grant has not left yet
            if not await asyncio.shield(arriving):
                return
        await self._call(STOP, StopSpeaking(grant_id=grant_id))

    # --- hearsay ---

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            if self._hearsay:
                line = self._hearsay[0]
                await self._call(HEAR, Hear(line=line))
                if self._hearsay and self._hearsay[0] is line:  # or it was dropped meanwhile
                    self._hearsay.popleft()
            elif self._prepared is not None:
                line, self._prepared = self._prepared, None
                await self._call(PREPARE, Prepare(line=line))
            else:
                self._news.clear()

    async def _call(self, method: str, message: Hear | Prepare | Grant | StopSpeaking) -> str | None:
        """Returns the answer; None where it was not taken."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (STARTING_S if method in (HEAR, GRANT) else 0)
        while True:
            try:
                return await call(self._room, self._identity, method, message)
            except Exception as error:  # whatever it is, the next message is to be sent
                starting = isinstance(error, rtc.RpcError) and error.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD
                if not starting or loop.time() >= until:
                    logger.warning("%s did not take %s: %s", self._identity, method, error)
                    return None
            await asyncio.sleep(TELL_AGAIN_S)


def _size(message: Grant | Line) -> int:
    return len(message.model_dump_json().encode())
