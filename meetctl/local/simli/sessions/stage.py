"""All sessions of the server: opening, counting, ending. The transports borrow a session from here and give it back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil

from meetctl.local.simli.face.renderer import FaceRenderer, renderer_for
from meetctl.local.simli.sessions.giving_way import GivingWay, Manner, Pace
from meetctl.local.simli.sessions.memory import give_back
from meetctl.local.simli.sessions.session import EndReason, SimliSession
from meetctl.local.simli.sessions.tokens import SessionRequest

PAINTER_THREADS = 2
"""Drawing has threads of its own: a slow picture must not keep a packet of sound waiting."""
PAUSE_FACTOR = 5
"""After each still part: until all are there, some positions are shown at the nearest whole pixel. First pictures of
other faces, and voices, matter more."""
LET_GO_S = 2.0
"""From the end of a session until what it used is given back: its transport closes after it."""
LOOK_S = 1.0
"""How often it is looked at whether the pictures come in time."""
REMIND_S = 60.0
"""A warning is shown for two minutes."""
HISTORY_LENGTH = 1_000
"""Sessions remembered after their end."""

_LAST = object()


class Stage:
    """The open sessions and those that were."""

    def __init__(self, *, size: int, fps: int) -> None:
        self.size = size
        self.fps = fps
        self.pace = Pace(Manner(fps))
        self.painters = ThreadPoolExecutor(PAINTER_THREADS, thread_name_prefix="painter")
        self._open: dict[str, SimliSession] = {}
        self._history: deque[dict[str, Any]] = deque(maxlen=HISTORY_LENGTH)

    @property
    def usage(self) -> int:
        """How many sessions are open now."""
        return len(self._open)

    def history(self) -> list[dict[str, Any]]:
        """Returns every remembered session, oldest first, the open ones last."""
        return [*self._history, *(_record(session) for session in self._open.values())]

    def face(self, face_id: str) -> FaceRenderer:
        """Returns the renderer of a face."""
        return renderer_for(face_id.partition("/")[0], self.size)

    async def prepare(self, face_id: str) -> None:
        """Draws a face's still parts before its sessions need them, leaving most of the time to those that play."""
        loop, face = asyncio.get_running_loop(), self.face(face_id)
        await loop.run_in_executor(self.painters, face.prepare)
        parts = face.prepare_rest()
        while True:
            begun = loop.time()
            if await loop.run_in_executor(self.painters, next, parts, _LAST) is _LAST:
                return
            await asyncio.sleep((loop.time() - begun) * PAUSE_FACTOR)

    @contextlib.asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[SimliSession]:
        """Opens a session for the length of the block; it is over and counted when the block ends, however it ends."""
        session = SimliSession(request, self.face(request.face_id), self.fps, self.pace)
        self._open[session.id] = session
        try:
            async with session.limited():
                yield session
        finally:
            session.end(EndReason.CLIENT_GONE)
            del self._open[session.id]
            self._history.append(_record(session))
            asyncio.get_running_loop().call_later(LET_GO_S, self._give_back)

    def _give_back(self) -> None:
        with contextlib.suppress(RuntimeError):  # the stage is closed
            self.painters.submit(give_back)

    async def give_way(self, tell: Callable[[Manner], None]) -> None:
        """Draws less while the cores are busy, until cancelled; tells how when that changes, and while it is less."""
        way = GivingWay(self.fps)
        told_at = 0.0
        psutil.cpu_percent()  # from here on
        while True:
            await asyncio.sleep(LOOK_S)
            now, idle = time.monotonic(), 1 - psutil.cpu_percent() / 100
            changed = way.look(now, self.pace.taken(), idle)
            if changed or (way.level > 0 and now - told_at >= REMIND_S):
                self.pace.manner, told_at = way.manner, now
                tell(way.manner)

    def end_all(self) -> None:
        """Ends every session; their transports then let go."""
        for session in self._open.values():
            session.end(EndReason.STOPPED)

    def close(self) -> None:
        """Lets the drawing threads go."""
        self.painters.shutdown(wait=False, cancel_futures=True)


def _record(session: SimliSession) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "face_id": session.request.face_id,
        "opened_at": round(session.opened_at, 3),
        "seconds": round(session.seconds, 3),
        "open": not session.ended.is_set(),
        "end_reason": session.end_reason.value if session.end_reason else None,
    }
