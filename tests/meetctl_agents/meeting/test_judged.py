"""A meeting with a judge: what it decides is told before the line, and who it names is granted the floor."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from livekit import rtc
from meetctl_agents.floor.events import SpeechStarted
from meetctl_agents.floor.judge import Judge
from meetctl_agents.hearing.listener import FinalTranscript
from meetctl_agents.meeting.meeting import Meeting
from pydantic import SecretStr

from meetctl.protocol import Assignment, CastMember, FloorDecided, Grant, Model, Utterance
from testing.addressing.played import PlayedRoom
from tests.meetctl_agents.speaking.answer_stage import ScriptedModel

CAST = (CastMember(identity="ada", name="Ada"), CastMember(identity="max", name="Max"))
GIVEN = Assignment(identity="chair", name="Chair", room="r", url="ws://h", token=SecretStr("t"), cast=CAST)


async def test_who_the_judge_names_is_granted_the_floor_and_the_decision_is_told_before_the_line() -> None:
    granted: asyncio.Queue[tuple[str, str | None]] = asyncio.Queue()
    reports: list[Model] = []

    async def answer(identity: str, grant: Grant) -> None:
        granted.put_nowait((identity, grant.line.text if grant.line else None))

    room = PlayedRoom(answer)
    for member in CAST:
        room.add(member.identity, member.name, rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
    for person in ("sam", "eve"):
        room.add(person, person.title(), rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD)
    judge = Judge(cast(Any, ScriptedModel('{"meant": "Max"}')))
    said = "The build is red again."
    async with Meeting(
        cast(rtc.Room, room), GIVEN, run="run", report=reports.append, moderator=None, judge=judge
    ) as meeting:
        meeting.heard(SpeechStarted("sam"))
        meeting.heard(FinalTranscript("sam", "Sam", said, 1.0, 2.0, "TR_mic", {}))
        async with asyncio.timeout(30):
            assert await granted.get() == ("max", said)
    told = [event for event in reports if isinstance(event, FloorDecided | Utterance)]
    decided, line = told[0], told[1]
    assert isinstance(decided, FloorDecided) and isinstance(line, Utterance)
    assert (decided.rule, decided.agents, decided.line_id) == ("judge", ("max",), line.line.id)
    assert decided.judge_ms is not None
