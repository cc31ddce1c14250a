"""The avatar bridge: an agent's voice goes to its face, the face's sound and picture go into the room.

Both room tracks are published at once and never pause; the face comes when it comes. A pump of the room's tracks that
fails is the agent's failure and is raised by `wait_failed`; a face that fails costs the picture only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from livekit import rtc
from livekit.agents.voice import io

from meetctl.errors import MeetctlError
from meetctl.protocol import Assignment
from meetctl.protocol.steps import STEPS

from ..process.wire import Report
from ..room.meters import report_leg, report_room_leg
from .media.adaptive_video import FittingVideo
from .media.placeholder import draw_placeholder
from .media.room_audio import RoomAudio
from .output.sink import FaceAudioOutput
from .session.manager import FaceSessionManager
from .session.presence import HumanPresence

CountSeconds = Callable[[float], None]
"""Told of paid time as it passes."""


class NoFaceError(MeetctlError):
    """An avatar was started without being told which face it has."""

    code = "no_face"


class Bridge:
    """An async context manager: entered = both tracks are published and fed; left = the face's session is closed."""

    def __init__(self, room: rtc.Room, assignment: Assignment, report: Report, count_seconds: CountSeconds) -> None:
        if assignment.face is None:
            raise NoFaceError(
                f"the assignment of {assignment.identity!r} has no face",
                hint="`agent: simli` needs `face:`; without one, use `agent: audio`",
            )
        self._room = room
        self._report = report
        self._audio = RoomAudio()
        self._output = FaceAudioOutput(self._audio.push)
        self._video = FittingVideo(lambda width, height: draw_placeholder(assignment.name, width, height))
        self._presence = HumanPresence(room, [member.identity for member in assignment.cast])
        self._sessions = FaceSessionManager(
            assignment.face, self._output, self._video, self._presence, report, count_seconds
        )
        self._pumps: asyncio.Task[None] | None = None

    @property
    def output(self) -> io.AudioOutput:
        """Where the agent session's voice goes."""
        return self._output

    async def wait_failed(self) -> None:
        """Returns never; raises what ended a pump of the room's tracks."""
        assert self._pumps is not None
        await asyncio.shield(self._pumps)

    async def __aenter__(self) -> Self:
        with STEPS.step("publish sound and picture"):
            await asyncio.gather(self._audio.publish(self._room), self._video.publish(self._room))
        self._pumps = asyncio.create_task(self._pump(), name="bridge")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pumps is not None:
            self._pumps.cancel()
            await asyncio.wait({self._pumps})

    async def _pump(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._audio.run(self._output.fill), name="room-audio")
            tasks.create_task(self._video.run(), name="room-video")
            tasks.create_task(report_room_leg(self._room, self._report), name="room-meter")
            tasks.create_task(report_leg("simli", self._sessions.snapshot, self._report), name="simli-meter")
            tasks.create_task(self._keep(), name="face")

    async def _keep(self) -> None:
        with self._presence:
            await self._sessions.run()
