"""One Simli session as a whole: signaling and media connection, opened together, watched, and always closed together.

It decides when the session is dead (nothing arrives any more); whether another is opened, `manager.py` decides.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import av

from meetctl.protocol import Face
from meetctl.protocol.steps import STEPS

from ..media.peer import Arrivals, FacePeer
from ..signaling.base import FaceSignal, SessionEnding, Signaling
from ..signaling.compose import ComposeSignaling
from ..signaling.ice_probe import answering
from ..signaling.legacy import LegacySignaling
from ..signaling.refusal import FaceFault, FaceRefused

FIRST_MEDIA_S = 10.0
"""From START to the first picture and sound: ICE and DTLS take 0.1 s here and a second or two across the world."""
SOUND_GONE_S = 1.0
"""Simli's audio never pauses, so a second without any means a dead connection; ICE itself notices after 30 s."""
PICTURE_GONE_S = 3.0
"""The placeholder stands in after one second; after three the session is not worth keeping."""
REASON_S = 0.5
"""The media may end before the message that says why has been read."""
WATCH_S = 0.2
"""How often arrivals are looked at."""


class FaceMediaSink(Protocol):
    """Who listens to a session. Called in the loop, must not block; what they raise ends the session."""

    def picture(self, frame: av.VideoFrame) -> None: ...

    def sound(self, frame: av.AudioFrame) -> None: ...

    def said(self, said: FaceSignal) -> None: ...


class FaceLeg:
    """A session that has started. Speech is queued here, so that dropping it never waits for the network."""

    def __init__(self, signaling: Signaling, peer: FacePeer) -> None:
        self.signaling = signaling
        self.peer = peer
        self.started_at = time.monotonic()
        self._spoke_at = self.started_at
        self._speech: deque[bytes] = deque()
        self._skip = False
        self._something = asyncio.Event()

    @property
    def quiet_s(self) -> float:
        """Seconds since something was last sent."""
        return time.monotonic() - self._spoke_at

    def speak(self, pcm: bytes) -> None:
        """Queues speech, s16le mono 16 kHz."""
        self._speech.append(pcm)
        self._spoke_at = time.monotonic()
        self._something.set()

    def skip(self) -> None:
        """Drops all speech, here and at the server."""
        self._speech.clear()
        self._skip = True
        self._something.set()

    async def wait_live(self) -> None:
        """Returns once a picture and a sound have arrived.

        Raises:
            FaceRefused: when the session ends before, or nothing comes.
        """
        while self.peer.arrivals.last_picture is None or self.peer.arrivals.last_sound is None:
            if (end := await self._ended_within(0.02)) is not None:
                raise end

    async def wait_ended(self) -> FaceRefused:
        """Returns why the session is over, once it is, or once it is as good as over."""
        while (end := await self._ended_within(WATCH_S)) is None:
            pass
        return end

    async def _ended_within(self, seconds: float) -> FaceRefused | None:
        before = time.monotonic()
        said = asyncio.ensure_future(self.signaling.wait_ended())
        failed = asyncio.ensure_future(self.peer.wait_failed())
        try:
            await asyncio.wait({said, failed}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                await asyncio.wait({said}, timeout=REASON_S)
        finally:
            said.cancel()
            failed.cancel()
        if said.done() and not said.cancelled():
            end = said.result()
            return end if isinstance(end, FaceRefused) else refusal_from_ending(end)
        if failed.done() and not failed.cancelled():
            error = failed.result()
            return FaceRefused(FaceFault.MEDIA, f"its media ended: {type(error).__name__}: {error}".rstrip(": "))
        if time.monotonic() - before > seconds + SOUND_GONE_S / 2:
            return None  # we were the ones who slept; what waited in the sockets has not been read yet
        return dead(self.peer.arrivals, self.started_at, time.monotonic())

    async def send(self) -> None:
        """Sends what is queued until cancelled; a skip overtakes the speech before it."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._skip or self._speech:
                if self._skip:
                    self._skip = False
                    await self.signaling.skip()
                else:
                    await self.signaling.send_audio(self._speech.popleft())


@asynccontextmanager
async def open_face(
    face: Face, media_sink: FaceMediaSink, opening: Callable[[], None] = lambda: None
) -> AsyncIterator[FaceLeg]:
    """Opens a session and yields it once Simli has started it; closes it whatever happens.

    Args:
        opening: called at the last moment at which there is no session yet.

    Raises:
        FaceRefused: in the server's words, or naming what did not come.
    """
    async with signaling_for(face, media_sink) as signaling:
        with STEPS.step("ask for a face"):
            servers = await answering(await signaling.ice_servers())
        async with FacePeer(servers, media_sink.picture, media_sink.sound) as peer:
            try:
                signaling.prepare(peer.connection)
                with STEPS.step("make the offer"):
                    offer = await peer.offer()
                opening()
                with STEPS.step("negotiate"):
                    await peer.accept(await signaling.negotiate(offer))
                with STEPS.step("wait for the face's start"):
                    await signaling.wait_started()
                leg = FaceLeg(signaling, peer)
                sending = asyncio.create_task(leg.send(), name="face-speech")
                try:
                    yield leg
                finally:
                    sending.cancel()
                    await asyncio.wait({sending})
            finally:
                await signaling.close()  # before the media connection, over which the goodbye may have to go


def signaling_for(face: Face, media_sink: FaceMediaSink) -> Signaling:
    """Returns the signaling that the face asks for."""
    match face.api:
        case "compose":
            return ComposeSignaling(face, media_sink.said)
        case "legacy":
            return LegacySignaling(face, media_sink.said)


def dead(arrivals: Arrivals, started_at: float, now: float) -> FaceRefused | None:
    """Returns what is missing, if it has been missing for too long."""
    for what, last, limit in (
        ("sound", arrivals.last_sound, SOUND_GONE_S),
        ("picture", arrivals.last_picture, PICTURE_GONE_S),
    ):
        if last is None and now - started_at > FIRST_MEDIA_S:
            return FaceRefused(FaceFault.MEDIA, f"the session runs, but no {what} came within {FIRST_MEDIA_S:.0f} s")
        if last is not None and now - last > limit:
            return FaceRefused(FaceFault.MEDIA, f"no {what} came for {limit:.0f} s")
    return None


def refusal_from_ending(end: SessionEnding) -> FaceRefused:
    """Returns the end of a session as the reason why there is no face now."""
    words = {
        "IDLE": "the session was idle for too long (its max_idle)",
        "MAX": "the session reached its longest duration (its max_session)",
        "STOP": "Simli stopped the session",
    }
    return FaceRefused(FaceFault.ENDED, words.get(end.reason, f"the session ended: {end.reason}"))
