"""An avatar that is a participant of its own: Simli's worker is invited into the room, and spoken to over the room.

Nothing of it passes through this process. The agent's own voice speaks while there is no avatar, silent otherwise.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Self

from livekit import rtc
from livekit.agents.voice import io
from livekit.agents.voice.avatar import DataStreamAudioOutput

from meetctl.protocol import Assignment, AvatarSession

from ..process.wire import Report
from ..room.meters import report_room_leg
from .output.direct_output import DirectOutput
from .session.attempts import FaceAttempts
from .session.face_session import USAGE_S
from .session.presence import HumanPresence
from .signaling.base import SAMPLE_RATE
from .signaling.compose import TOKEN_S, token_body
from .signaling.exchange import Exchange
from .signaling.refusal import FaceFault, FaceRefused

INVITE_S = 20.0
"""The worker joins the room before it answers."""
JOIN_S = 15.0
"""From the answer until the avatar shows a picture."""
READY_S = 20.0
"""The agent says that it is ready with its avatar, or after so long without."""


class Direct:
    """An async context manager: entered = the avatar is in the room, or the reason why not has been told.

    Args:
        own_voice: in the room already; takes what an avatar takes, `SAMPLE_RATE`.
    """

    def __init__(
        self,
        room: rtc.Room,
        assignment: Assignment,
        report: Report,
        count_seconds: Callable[[float], None],
        own_voice: io.AudioOutput,
    ) -> None:
        assert assignment.face is not None and assignment.face.avatar is not None
        self._room = room
        self._face = assignment.face
        self._avatar = assignment.face.avatar
        self._report = report
        self._count_seconds = count_seconds
        self._output = DirectOutput(own_voice)
        self._presence = HumanPresence(room, [member.identity for member in assignment.cast])
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._attempts = FaceAttempts(self._face, self._presence, report, self._settled.set)
        self._pumps: asyncio.Task[None] | None = None

    @property
    def output(self) -> io.AudioOutput:
        """Where the agent session's voice goes."""
        return self._output

    async def wait_failed(self) -> None:
        """Returns never; raises what ended a pump."""
        assert self._pumps is not None
        await asyncio.shield(self._pumps)

    async def __aenter__(self) -> Self:
        for event in ("participant_connected", "participant_disconnected", "track_published"):
            self._room.on(event, self._look)
        self._pumps = asyncio.create_task(self._pump(), name="direct")
        settled = asyncio.create_task(self._settled.wait())
        await asyncio.wait({self._pumps, settled}, timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
        settled.cancel()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pumps is not None:
            self._pumps.cancel()
            await asyncio.wait({self._pumps})
        for event in ("participant_connected", "participant_disconnected", "track_published"):
            self._room.off(event, self._look)

    async def _pump(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(report_room_leg(self._room, self._report), name="room-meter")
            tasks.create_task(self._keep(), name="avatar")

    async def _keep(self) -> None:
        with self._presence:
            await self._attempts.run(self._attend)

    async def _attend(self) -> FaceRefused:
        """Has the avatar in the room until it leaves; returns why it did, or did not come."""
        session, told = uuid.uuid4().hex[:8], False
        talk = Exchange(self._face, lambda _: None)
        try:
            body = token_body(self._face)
            if self._face.idle_close_s is not None:  # nobody but Simli can send the worker away
                body["maxIdleTime"] = round(min(self._face.max_idle_s, self._face.idle_close_s))
            key = {"x-simli-api-key": self._face.api_key.get_secret_value()}
            token = await talk.token("/compose/token", body, TOKEN_S, **key)
            until = time.time() + min(self._face.max_session_s, self._face.max_idle_s)
            self._report(AvatarSession(id=session, opened=True, until=until))
            told = True
            invitation: dict[str, object] = {
                "session_token": token,
                "livekit_token": self._avatar.token.get_secret_value(),
                "livekit_url": self._avatar.livekit_url,
            }
            await talk.post("/integrations/livekit/agents", invitation, INVITE_S)
            if not await self._wait(self._shows, JOIN_S):
                return FaceRefused(FaceFault.MEDIA, f"the avatar showed nothing in the room within {JOIN_S:.0f} s")
            return await self._accompany()
        except FaceRefused as refused:
            return refused
        finally:
            if told:
                self._report(AvatarSession(id=session, opened=False))
            await talk.http.close()

    async def _accompany(self) -> FaceRefused:
        voice = DataStreamAudioOutput(self._room, destination_identity=self._avatar.identity, sample_rate=SAMPLE_RATE)
        self._output.join(voice)
        self._settled.set()
        self._attempts.succeeded()
        counted = time.monotonic()
        try:
            while not await self._wait(lambda: not self._is_here(), USAGE_S):
                now = time.monotonic()
                self._count_seconds(now - counted)
                counted = now
        finally:
            self._count_seconds(time.monotonic() - counted)
            self._output.leave()
        return FaceRefused(FaceFault.ENDED, "the avatar has left the room")

    async def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _is_here(self) -> bool:
        return self._avatar.identity in self._room.remote_participants

    def _shows(self) -> bool:
        avatar = self._room.remote_participants.get(self._avatar.identity)
        tracks = avatar.track_publications.values() if avatar is not None else ()
        return any(track.kind == rtc.TrackKind.KIND_VIDEO for track in tracks)

    def _look(self, *_: object) -> None:
        self._changed.set()
