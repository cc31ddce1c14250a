"""One Simli session: what the client's messages mean, what is said back, and when it is over. It knows no transport.

Whoever holds the transport passes messages in by `receive`, sends what comes out of `outbox`, and asks for sound and
pictures by media time. `ended` tells that it is over, and `end_reason` why.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from meetctl.local.simli.face.lips import WINDOW_SAMPLES, Lips
from meetctl.local.simli.face.motion import Motion
from meetctl.local.simli.face.pose import IDLE, Pose
from meetctl.local.simli.face.renderer import FaceRenderer, Placement
from meetctl.local.simli.sessions.clock import MediaClock
from meetctl.local.simli.sessions.giving_way import Manner, Pace
from meetctl.local.simli.sessions.playout import SAMPLE_RATE, SampleQueue, Samples
from meetctl.local.simli.sessions.tokens import SessionRequest

OUTBOX_MESSAGES = 1_000
"""A client that does not read gets no more acknowledgements; real ones read at once."""

PLAY_IMMEDIATE = b"PLAY_IMMEDIATE"
_IGNORED_BINARY = (b"CAM_", b"BG_", b"FG_")
_IGNORED_TEXT = ("CAM_", "BG_", "FG_")


class EndReason(StrEnum):
    """Why a session is over."""

    IDLE = "IDLE"
    MAX = "MAX"
    DONE = "DONE"
    CLIENT_GONE = "CLIENT_GONE"
    STOPPED = "STOPPED"
    NOT_JOINED = "NOT_JOINED"
    INJECTED = "INJECTED"


class SimliSession:
    """A face that speaks what it is sent, in real time, until a limit or its client ends it."""

    def __init__(self, request: SessionRequest, face: FaceRenderer, fps: int, pace: Pace | None = None) -> None:
        """
        Args:
            fps: of its pictures where there is room.
            pace: how they are drawn now, which all sessions of a server share.
        """
        self.id = str(uuid.uuid4())
        self.request = request
        self.face = face
        self.fps = fps
        self.pace = pace or Pace(Manner(fps))
        self.clock = MediaClock()
        self.playout = SampleQueue()
        self.outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_MESSAGES)
        self.ended = asyncio.Event()
        self.end_reason: EndReason | None = None
        self.opened_at = time.time()
        self.flowing = asyncio.Event()
        """Set when media begins to leave: the transport is connected."""
        self.played = asyncio.Event()
        """Set with every 20 ms that left; whoever waits on it clears it."""
        self.last_words: str | None = None
        """Said in the place of an ordinary goodbye."""
        self._opened = time.monotonic()
        self._closed: float | None = None
        self._quiet_since = self._opened
        self._speech_changed = asyncio.Event()
        self._spoke = False
        self._lips = Lips()
        self._motion = Motion(request.face_id)

    @property
    def seconds(self) -> float:
        """How long the session has been open, or was."""
        return (self._closed or time.monotonic()) - self._opened

    def receive(self, message: str | bytes) -> None:
        """Does what one message of the client asks for."""
        if isinstance(message, str):
            self._receive_text(message.strip())
        else:
            self._receive_binary(message)

    def end(self, reason: EndReason) -> None:
        """Marks the session as over; the first reason stays."""
        if self.end_reason is None:
            self.end_reason = reason
            self._closed = time.monotonic()
            self.ended.set()

    def say(self, message: str) -> None:
        """Queues one text message to the client."""
        with contextlib.suppress(asyncio.QueueFull):
            self.outbox.put_nowait(message)

    def next_audio(self) -> Samples:
        """Returns the next 20 ms at 16 kHz, (320,) int16, and tells the client when speech begins or ends."""
        chunk = self.playout.take()
        self._announce()
        self.flowing.set()
        self.played.set()
        if self.playout.finishing and self.playout.empty and not self.playout.speaking:
            self.end(EndReason.DONE)  # a chunk late, so that the last speech has left
        return chunk

    def pose_at(self, seconds: float) -> Pose:
        """Returns how the face is held at that media time."""
        if not self.request.handle_silence and self.playout.empty:
            seconds = self._motion.last_seconds  # the face freezes
        window = self.playout.around(round(seconds * SAMPLE_RATE), WINDOW_SAMPLES)
        mouth = self._lips.mouth(window)
        if self.pace.manner.only_lips:
            return replace(IDLE, mouth=mouth)
        return self._motion.pose(seconds, mouth, speaking=self.playout.speaking)

    def placed(self, pose: Pose) -> Placement:
        """Returns what that pose comes to: where it is as it was, the picture is the one before."""
        return self.face.placed(pose, wait=False)

    def picture(self, placed: Placement) -> NDArray[np.uint8]:
        """Returns the face so, (size, size, 4) uint8 RGBA. Draws and touches nothing else."""
        return self.face.paint_placed(placed)

    async def watch_limits(self) -> None:
        """Returns when the session is over, having ended it at its idle or maximum limit."""
        while not self.ended.is_set():
            self._speech_changed.clear()
            last = self._opened + self.request.max_session_s
            idle = float("inf") if self.playout.speaking else self._quiet_since + self.request.max_idle_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(last, idle) - time.monotonic())):
                    await self._wait_speech_or_end()
                continue
            if min(last, idle) <= time.monotonic():
                self.end(EndReason.MAX if last <= idle else EndReason.IDLE)

    @contextlib.asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Watches the limits while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(self.watch_limits())
            try:
                yield
            finally:
                watch.cancel()

    async def _wait_speech_or_end(self) -> None:
        waits = [asyncio.ensure_future(self._speech_changed.wait()), asyncio.ensure_future(self.ended.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _receive_text(self, text: str) -> None:
        if text == "SKIP":
            self._clear()
        elif text == "DONE":
            self._finish()
        elif text.startswith("ping"):
            self.say("pong" + text[len("ping") :])
        elif text.startswith(_IGNORED_TEXT):
            return  # camera and background: accepted, of no effect on a drawn face

    def _receive_binary(self, data: bytes) -> None:
        if data == b"DONE":
            self._finish()
        elif data == b"SKIP":
            self._clear()
        elif data.startswith(PLAY_IMMEDIATE):
            self._clear()
            self.playout.push(data[len(PLAY_IMMEDIATE) :])
            self.say("ACK")
        elif data.startswith(_IGNORED_BINARY) and len(data) <= 64:
            return
        else:
            self.playout.push(data)
            self.say("ACK")

    def _finish(self) -> None:
        self.playout.finishing = True
        if self.playout.empty and not self.playout.speaking:
            self.end(EndReason.DONE)

    def _clear(self) -> None:
        was_speaking = self.playout.speaking
        self.playout.clear()
        if was_speaking:
            self._said("SILENT")

    def _announce(self) -> None:
        if self.playout.speaking != self._spoke:
            self._said("SPEAK" if self.playout.speaking else "SILENT")

    def _said(self, word: str) -> None:
        self._spoke = word == "SPEAK"
        self._quiet_since = time.monotonic()
        self._speech_changed.set()
        self.say(word)
