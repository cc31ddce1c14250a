"""The chair: `python -m meetctl_agents.chair`. Hears the people, writes down who said what, grants the floor.

It publishes nothing of its own: people's words as captions in their names, and `mc.*` messages to the agents. It is
also the meeting's probe: it proves that each agent's media arrives at somebody.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from livekit import rtc
from livekit.agents import llm, stt

from meetctl.protocol import Ask, Assignment, CastChanged, FloorMode, GiveFloor, Mute, Purpose, Ready, Say, Tell
from meetctl.protocol.steps import STEPS

from .floor.addressing.language import make_ready
from .floor.judge import Judge
from .floor.moderator import Moderator
from .hearing.listener import Transcriber
from .hearing.listeners import MicrophoneListeners
from .hearing.voice_activity import load_detector
from .meeting.cast import Cast
from .meeting.meeting import Meeting
from .models.fallbacks import watch_fallbacks
from .models.plugin_http import plugin_http
from .models.providers import close_model, llm_from_endpoint, stt_from_endpoint
from .models.speech_faults import SpeechFaults
from .models.usage import UsageMeter
from .process.wire import Report
from .room.meters import LISTENING_S, report_room_leg
from .room.probe import Probe
from .runtime import Inbox, run_program

Model = TypeVar("Model", llm.LLM[Any], stt.STT[Any])


async def run_chair(room: rtc.Room, assignment: Assignment, report: Report, inbox: Inbox) -> None:
    """Keeps the meeting until cancelled."""
    names = tuple(member.name for member in assignment.cast)
    cast = Cast(room, assignment.cast)
    async with (
        # First: everybody waits for the proof that they are seen and heard, nobody for the models.
        Probe(room, report, cast.has) as probe,
        plugin_http(),
        AsyncExitStack() as models,
    ):

        def owned(model: Model) -> Model:
            models.push_async_callback(close_model, model)
            return model

        with STEPS.step("load the speech detector"):
            detector = load_detector()
        model = owned(stt_from_endpoint(assignment.stt, assignment.language, names, detector))
        faults = SpeechFaults(report)
        watch_fallbacks(model, "transcription model", faults)
        usage = UsageMeter(report)
        usage.count_stt(model, Purpose.HEARING)

        def decider(purpose: Purpose) -> llm.LLM[Any]:
            model = owned(llm_from_endpoint(assignment.llm))
            usage.count_llm(model, purpose)
            return model

        transcriber = Transcriber(model, faults)
        with STEPS.step("read the rules of its language"):
            await asyncio.to_thread(make_ready, assignment.language)  # a fifth of a second that the proofs do not wait
        async with (
            Meeting(
                room,
                assignment,
                run=uuid.uuid4().hex[:6],
                report=report,
                moderator=_moderator(assignment, decider),
                judge=_judge(assignment, decider),
                cast=cast,
            ) as meeting,
            MicrophoneListeners(
                room, detector, transcriber, meeting.heard, meeting.is_person, meeting.notices.left_out, faults
            ) as listeners,
        ):
            report(Ready())
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(report_room_leg(room, report, look_s=LISTENING_S))
                tasks.create_task(_follow(inbox, meeting, (listeners.look_around, probe.look_around)))


def _moderator(assignment: Assignment, decider: Callable[[Purpose], llm.LLM[Any]]) -> Moderator | None:
    if assignment.rules.floor is not FloorMode.MODERATED:
        return None
    return Moderator(decider(Purpose.MODERATOR), assignment.topic)


def _judge(assignment: Assignment, decider: Callable[[Purpose], llm.LLM[Any]]) -> Judge | None:
    if assignment.rules.floor is not FloorMode.ADDRESSED or assignment.llm is None:
        return None
    return Judge(decider(Purpose.JUDGE))


async def _follow(inbox: Inbox, meeting: Meeting, cast_changed: tuple[Callable[[], None], ...]) -> None:
    while True:
        match await inbox.get():
            case CastChanged(cast=cast):
                meeting.set_cast(cast)
                for look_around in cast_changed:
                    look_around()
            case Say() | Ask() | Tell() | GiveFloor() | Mute() as direction:
                meeting.direct(direction)
            case _:
                pass  # an Assignment and a Stop never come this way


if __name__ == "__main__":
    run_program(run_chair)
