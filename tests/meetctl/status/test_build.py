"""`status --json`, version 1: the keys that are promised, and that live state, document and board agree."""

from __future__ import annotations

from typing import Any

from meetctl.meeting.accounts import Accounts
from meetctl.meeting.seats import FACE
from meetctl.protocol import (
    AgentSpeech,
    AvatarSession,
    AvOffset,
    FloorChanged,
    IceState,
    LegStats,
    MediaKind,
    MediaReceived,
    Ready,
    Repeats,
    SpeechState,
    UsageTotals,
)
from meetctl.status.build import meeting_status, runs_on
from meetctl.status.document import AgentStatus, UsageStatus, parse_document
from meetctl.supervisor.events import (
    ChildMessage,
    Exited,
    Proof,
    Proven,
    Sampled,
    SeatAdded,
    SeatEvent,
    SeatKind,
    Started,
)
from meetctl.supervisor.seat import STATS_OVERDUE_S
from meetctl.supervisor.state import MeetingState, apply

MEETING_KEYS = {"room", "state", "pid", "join_link", "livekit_url", "uptime_s", "services", "agents"}
SERVICE_KEYS = {"name", "state", "ready", "pid", "restarts"}
AGENT_KEYS = {
    *("name", "identity", "program", "pid", "state", "ready", "restarts", "agent_state", "legs"),
    *("av_offset_ms", "cpu_percent", "memory_mb", "last_error"),
}
LEG_KEYS = {"ice", "video_fps", "audio_fps", "width", "height", "kbps", "loss", "rtt_ms"}
"""Promised to scripts since version 1: never remove one."""

HISTORY: list[SeatEvent] = [
    SeatAdded("chair", "chair", SeatKind.SERVICE, "chair", frozenset({Proof.READY}), 0),
    Started("chair", 1, 10),
    ChildMessage("chair", Ready(), 11),
    SeatAdded("ada", "Ada", SeatKind.AGENT, "simli", frozenset({Proof.READY, Proof.AUDIO, FACE}), 11),
    Started("ada", 2, 12),
    ChildMessage("ada", Ready(), 13),
    ChildMessage("ada", SpeechState(state=AgentSpeech.LISTENING), 13),
    ChildMessage(
        "ada", LegStats(leg="room", ice=IceState.CONNECTED, video_fps=24.96, audio_fps=50, kbps=701.26, loss=0), 14
    ),
    ChildMessage(
        "ada",
        LegStats(leg="simli", ice=IceState.COMPLETED, video_fps=25, audio_fps=50, width=512, height=512),
        14,
        frozenset({FACE}),
    ),
    ChildMessage("ada", AvOffset(ms=12.04), 14),
    Sampled("ada", 14.02, 52.77, 14),
    ChildMessage("chair", MediaReceived(identity="ada", kind=MediaKind.AUDIO), 14),
    ChildMessage("chair", FloorChanged(holder="ada"), 15),
    SeatAdded("legacy", "Legacy", SeatKind.AGENT, "command", frozenset({Proof.ACTIVE}), 12),
    Started("legacy", 3, 12),
    Proven("legacy", Proof.ACTIVE, 13),
]


def document(now: float = 16) -> dict[str, Any]:
    state = MeetingState(room="standup")
    for event in HISTORY:
        state = apply(state, event)
    return meeting_status(
        state, now=now, pid=9, join_link="http://127.0.0.1:1/#x", livekit_url="ws://127.0.0.1:2", uptime_s=16.04
    ).model_dump(mode="json")


def test_the_promised_keys_are_all_there_and_null_where_nothing_is_known() -> None:
    meeting = document()
    assert meeting.keys() >= MEETING_KEYS
    assert all(service.keys() >= SERVICE_KEYS for service in meeting["services"])
    assert all(agent.keys() >= AGENT_KEYS for agent in meeting["agents"])
    ada, legacy = meeting["agents"]
    assert set(ada["legs"]) == {"room", "simli"}
    assert all(leg.keys() >= LEG_KEYS for leg in ada["legs"].values())
    assert legacy["legs"] == {}
    assert [legacy[key] for key in ("agent_state", "av_offset_ms", "cpu_percent", "memory_mb", "last_error")] == [
        None
    ] * 5


def test_an_agent_is_told_with_what_was_measured_and_not_more() -> None:
    assert document()["agents"][0] == {
        "name": "Ada",
        "identity": "ada",
        "program": "simli",
        "pid": 2,
        "state": "running",
        "ready": True,
        "restarts": 0,
        "uptime_s": 4.0,
        "agent_state": "listening",
        "legs": {
            "room": {
                "ice": "connected",
                "video_fps": 25.0,
                "audio_fps": 50.0,
                "width": None,
                "height": None,
                "kbps": 701.3,
                "loss": 0.0,
                "rtt_ms": None,
            },
            "simli": {
                "ice": "completed",
                "video_fps": 25.0,
                "audio_fps": 50.0,
                "width": 512,
                "height": 512,
                "kbps": None,
                "loss": None,
                "rtt_ms": None,
            },
        },
        "av_offset_ms": 12.0,
        "avatar_seconds": None,
        "cpu_percent": 14.0,
        "memory_mb": 52.8,
        "last_error": None,
        "hint": None,
        "last_error_at": None,
        "warning": None,
        "warning_at": None,
        "warning_count": 0,
        "degraded_reason": None,
        "muted": False,
        "latency_ms": None,
        "repeats": None,
        "transport": None,
        "transport_reason": None,
        "tools": None,
        "missing": [],
        "usage": [],
        "last_lines": [],
    }


def test_the_meeting_s_own_keys_come_from_its_supervisor() -> None:
    meeting = {key: value for key, value in document().items() if key not in ("services", "agents")}
    assert meeting == {
        "room": "standup",
        "state": "running",
        "pid": 9,
        "join_link": "http://127.0.0.1:1/#x",
        "livekit_url": "ws://127.0.0.1:2",
        "uptime_s": 16.0,
        "floor": "ada",
        "since": None,
        "silent_s": None,
        "error": None,
        "people": [],
        "requests": [],
        "locked": False,
    }


def test_a_status_asked_for_later_shows_that_the_statistics_stopped() -> None:
    later = document(now=14 + STATS_OVERDUE_S)
    assert (later["state"], later["agents"][0]["state"], later["agents"][1]["state"]) == (
        "degraded",
        "stalled",
        "running",
    )


def test_a_document_that_travelled_reads_as_what_was_written() -> None:
    meeting = document()
    [read] = parse_document({"schema_version": 1, "meetings": [meeting]}).meetings
    assert read.model_dump(mode="json") == meeting


def test_a_document_of_a_newer_meetctl_with_further_keys_can_be_read() -> None:
    meeting = document() | {"moon": "full"}
    meeting["agents"][0]["hat"] = "red"
    [read] = parse_document({"schema_version": 1, "meetings": [meeting]}).meetings
    assert read.model_dump(mode="json") == document()


def test_what_an_agent_was_kept_from_saying_twice_is_told() -> None:
    state = MeetingState(room="standup")
    for event in (*HISTORY, ChildMessage("ada", Repeats(answers=9, shortened=2, asked_again=1), at=17)):
        state = apply(state, event)
    meeting = meeting_status(state, now=20, pid=9, join_link=None, livekit_url="ws://h:1", uptime_s=20)
    agent = next(agent for agent in meeting.agents if agent.identity == "ada")
    assert agent.repeats == {"answers": 9, "shortened": 2, "asked_again": 1, "left_out": 0}


def test_an_avatar_session_that_nobody_closes_is_warned_of_until_it_ends() -> None:
    state, accounts = MeetingState(room="standup"), Accounts()
    for event in (
        *HISTORY,
        ChildMessage("ada", AvatarSession(id="a", opened=True, until=1_800_000_000), at=17),
        ChildMessage("ada", UsageTotals(avatar_seconds=61), at=18),
        Exited("ada", -9, (), at=19),
    ):
        state = apply(state, event)
        accounts.observe(event)

    def ada(unix_now: float) -> AgentStatus:
        meeting = meeting_status(
            state,
            now=20,
            pid=9,
            join_link=None,
            livekit_url="ws://h:1",
            uptime_s=20,
            unix_now=unix_now,
            used=accounts.used(),
            avatars_run_on=accounts.avatars_run_on(unix_now),
        )
        return next(agent for agent in meeting.agents if agent.identity == "ada")

    assert ada(1_799_999_000).warning == runs_on(1_800_000_000)
    assert ada(1_800_000_001).warning is None
    assert ada(0).avatar_seconds == 61.0
    assert ada(0).usage == (UsageStatus(kind="avatar_seconds", amount=61.0),)
