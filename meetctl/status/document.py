"""`status --json`, version 1, as types: what every screen is drawn from, here or at the other end of a socket.

Keys are only ever added. What a writer leaves out has a value here, so that a meeting that is only just starting, and
one of an older meetctl, can be shown too. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1
NOT_ANSWERING = "not answering"
"""The state of a meeting whose supervisor is there and does not answer; its seats are then not known."""


class Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LegStatus(Shown):
    """One media connection, over the last two seconds; null = not measured."""

    ice: str
    video_fps: float | None = None
    audio_fps: float | None = None
    width: int | None = None
    height: int | None = None
    kbps: float | None = None
    loss: float | None = None
    rtt_ms: float | None = None


class UsageStatus(Shown):
    """How much of one thing was used for one purpose; null = not told."""

    kind: str
    """`llm_tokens`, `tts_characters`, `stt_seconds`, `avatar_seconds`."""
    amount: float
    purpose: str | None = None
    provider: str | None = None
    model: str | None = None


class ToolStatus(Shown):
    """The calls of tools of one process."""

    calls: int = 0
    """That have come to an end, those that `failed`, were `refused` by a person or `cancelled` included."""
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    seconds: float = 0.0
    """They ran in all."""
    open: tuple[str, ...] = ()
    """The names of those that run now, or that somebody is to allow."""


class SeatStatus(Shown):
    """What services and agents have in common."""

    name: str
    state: str
    ready: bool = False
    pid: int | None = None
    restarts: int = 0
    uptime_s: float | None = None
    """Of the process; null where none runs."""
    cpu_percent: float | None = None
    """Of one core."""
    memory_mb: float | None = None
    """Unique set size."""
    last_error: str | None = None
    hint: str | None = None
    """What to do about the last error."""
    last_error_at: str | None = None
    """ISO 8601, as the next one."""
    warning: str | None = None
    warning_at: str | None = None
    """When it was last said."""
    warning_count: int = 0
    """How often it was said in a row."""
    missing: tuple[str, ...] = ()
    """What is still to be seen before it is ready."""
    usage: tuple[UsageStatus, ...] = ()
    """What was used that costs something, over all restarts."""
    last_lines: tuple[str, ...] = ()
    """The end of its process's stderr, or the last one's, while it is not ready."""


class ServiceStatus(SeatStatus):
    url: str | None = None


class AgentStatus(SeatStatus):
    identity: str
    program: str
    agent_state: str | None = None
    """initializing, listening, thinking, speaking; null where it says nothing of itself."""
    legs: dict[str, LegStatus] = {}
    """`room`, and `simli` for an avatar; a leg is there once it was measured."""
    av_offset_ms: float | None = None
    avatar_seconds: float | None = None
    """Of avatar sessions, over all restarts; null where none was ever opened."""
    degraded_reason: str | None = None
    muted: bool = False
    """Whether it is kept from the floor, by `meetctl mute` or a host."""
    latency_ms: dict[str, float] | None = None
    """Of its last answered turn, by stage; null = none yet."""
    repeats: dict[str, int] | None = None
    """Since its process began: `answers` in words of its own; of them `shortened` by what was said before,
    `asked_again` since nothing was new, `left_out` since nothing was new then either; null = none yet."""

    tools: ToolStatus | None = None
    """Since its process began; null = it has used none."""

    transport: str | None = None
    """Of an avatar: `bridge`, or `direct` where its face is in the room by itself."""
    transport_reason: str | None = None
    """Why, where that was left to meetctl."""


class PersonStatus(Shown):
    """One person in the room. The last four are what their own page says; null where it says nothing."""

    identity: str
    name: str
    role: str | None = None
    """`guest`, `host` or `observer`; null where they came by a token that this meeting did not give."""
    since: str | None = None
    """ISO 8601."""
    microphone: bool = False
    """Whether it is on; camera and screen likewise."""
    camera: bool = False
    screen: bool = False
    talked_s: float = 0.0
    """Seconds that the chair heard them talk."""
    ice: str | None = None
    path: str | None = None
    """`udp`, `tcp`, `relay-udp` or `relay-tls`."""
    loss: float | None = None
    rtt_ms: float | None = None


class RequestStatus(Shown):
    """What waits for a host's word."""

    id: str
    """What `meetctl approve`, `admit` and `deny` call it."""
    kind: str = ""
    """`tool`: an agent asks whether it may use one. `admission`: a person waits outside to be let in."""
    identity: str = ""
    """Of the agent; empty for a person who is outside."""
    name: str = ""
    what: str = ""
    """The tool; or to come in."""
    detail: str = ""
    """Its arguments, whole; or as what somebody comes, and by which link."""
    at: float = 0.0
    """Unix time, seconds."""
    until: float = 0.0
    """When it is refused by itself."""


class ErrorStatus(Shown):
    code: str | None = None
    message: str = ""
    hint: str | None = None


class MeetingStatus(Shown):
    room: str
    state: str
    pid: int | None = None
    join_link: str | None = None
    livekit_url: str | None = None
    uptime_s: float | None = None
    floor: str | None = None
    """Identity of the agent that holds the floor."""
    since: str | None = None
    """When it last gave a sign of life, ISO 8601; only of one that is not answering, as the next two."""
    silent_s: float | None = None
    error: ErrorStatus | None = None
    """Why it is not known more of it."""
    services: tuple[ServiceStatus, ...] = ()
    agents: tuple[AgentStatus, ...] = ()
    people: tuple[PersonStatus, ...] = ()
    locked: bool = False
    """Whether nobody new comes in."""
    requests: tuple[RequestStatus, ...] = ()
    """What waits for a host's word."""


class StatusDocument(Shown):
    schema_version: int = SCHEMA_VERSION
    meetings: tuple[MeetingStatus, ...] = ()


def parse_document(document: Mapping[str, Any]) -> StatusDocument:
    """Returns the typed form of a status document."""
    return StatusDocument.model_validate(document)


def parse_meeting(document: Mapping[str, Any]) -> MeetingStatus:
    """Returns the typed form of one meeting's part of it, as its control socket answers."""
    return MeetingStatus.model_validate(document)
