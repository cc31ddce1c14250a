"""Keeps a face: opens a Simli session, a fresh one beside it before it reaches its limit, and another when one ends.

It never gives up the agent for the sake of the face: whatever goes wrong here costs the picture, not the voice. A
session that costs money is closed while nobody is in the room to see it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from meetctl.protocol import AvOffset, Face, IceState

from ...process.wire import Report
from ...room.meters import Snapshot
from ..media.room_video import VideoStep
from ..output.sink import FaceAudioOutput
from ..signaling.refusal import FaceRefused
from .attempts import BACKOFF_S, FaceAttempts
from .face_session import FaceSession, Telling
from .presence import HumanPresence

RENEW_S = 20.0
"""Before its limit a session is renewed: enough for a slow start, a second try, and the end of a sentence, …"""
RENEW_PART = 0.4
"""… but no more than this part of the limit."""
SWITCH_S = 2.0
"""So long before the limit the fresh session takes over, even in the middle of a sentence."""
WATCH_S = 0.2
"""How often limits and company are looked at."""
OFFSET_S = 2.0
"""How often the offset of sound and picture is reported."""
QUIET_KEEP_ALIVE_S = 5.0
"""A little silence is sent so often to a face that says nothing, as other clients do: it shows that we are there."""
SILENCE = bytes(640)
"""20 ms."""

logger = logging.getLogger(__name__)


class FaceSessionManager:
    """Keeps one agent's face attached to its voice and its picture; `run` until cancelled."""

    def __init__(
        self,
        face: Face,
        output: FaceAudioOutput,
        video: VideoStep,
        presence: HumanPresence,
        report: Report,
        count_seconds: Callable[[float], None],
    ) -> None:
        self._face = face
        self._output = output
        self._video = video
        self._report = report
        self._telling = Telling(report, count_seconds)
        self._shown: FaceSession | None = None
        self._attempts = FaceAttempts(face, presence, report)

    async def run(self) -> None:
        """Opens sessions one after the other; returns only where trying again cannot help."""
        meters = asyncio.create_task(self._report_offsets(), name="face-offset")
        try:
            await self._attempts.run(self._sit)
        finally:
            meters.cancel()
            await asyncio.wait({meters})

    async def snapshot(self) -> Snapshot:
        """Returns the counters of the session there is; without one, a closed leg."""
        if self._shown is None or self._shown.leg is None:
            return Snapshot(at=time.monotonic(), ice=IceState.CLOSED)
        return await self._shown.leg.peer.snapshot()

    async def _sit(self) -> FaceRefused | None:
        """Holds a session, renewed as often as needed; returns why there is none any more, None = nobody is here."""
        session = FaceSession(self._face, self._output, self._video, self._telling)
        retry_at = 0.0
        try:
            if (end := await session.wait_live()) is not None:
                return end
            self._show(session)
            while True:
                self._keep_alive(session)
                await asyncio.wait({session.ended}, timeout=WATCH_S)
                if session.ended.done():
                    return session.ended.result()
                if self._attempts.nobody_is_here:
                    return None
                now = time.monotonic()
                if now >= max(retry_at, renewal_at(session.began, session.limit)):
                    fresh = await self._renewed(session)
                    retry_at = now + BACKOFF_S[1]
                    session = fresh or session
        finally:
            self._shown = None
            self._output.detach()
            self._video.clear()
            await session.close()

    async def _renewed(self, old: FaceSession) -> FaceSession | None:
        """Returns a fresh session that has taken the old one's place, None where there was none to be had."""
        fresh = FaceSession(self._face, self._output, self._video, self._telling)
        try:
            waits: set[asyncio.Future[Any]] = {fresh.live, fresh.ended, old.ended}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not fresh.live.done() or fresh.ended.done():
                why = fresh.ended.result().message if fresh.ended.done() else "the old session ended first"
                logger.warning("the avatar session could not be renewed: %s", why)
                await fresh.close()
                return None
            pause = asyncio.create_task(self._output.wait_vacant())
            left = max(0.0, old.limit - SWITCH_S - time.monotonic())
            waits = {pause, old.ended, fresh.ended}
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()
            old.disappear()
            self._show(fresh)
        except BaseException:
            await fresh.close()
            raise
        logger.info("the avatar session was renewed")
        await old.close()
        return fresh

    def _show(self, session: FaceSession) -> None:
        assert session.leg is not None
        self._output.detach()  # what the old one did not get to say is said without it
        self._shown = session
        self._video.renew()
        self._output.attach(session.leg)
        session.appear()
        logger.info("the face is there")
        self._attempts.succeeded()

    def _keep_alive(self, session: FaceSession) -> None:
        if session.leg is not None and session.leg.quiet_s >= QUIET_KEEP_ALIVE_S and self._output.vacant:
            session.leg.speak(SILENCE)

    async def _report_offsets(self) -> None:
        while True:
            await asyncio.sleep(OFFSET_S)
            leg = self._shown.leg if self._shown is not None else None
            if leg is not None and (ms := leg.peer.offset.ms) is not None:
                self._report(AvOffset(ms=round(ms, 1)))


def renewal_at(began: float, limit: float) -> float:
    """Returns when to open the next session beside one that began and will end at these times."""
    return limit - min(RENEW_S, RENEW_PART * (limit - began))
