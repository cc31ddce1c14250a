"""Status documents to draw: one meeting with everything in it, in the form that travels over the socket."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from meetctl.status.document import StatusDocument, parse_document

LINK = "http://127.0.0.1:43817/#invite=abcdefghijklmnopqrstuv"


def leg(ice: str = "connected", /, **figures: Any) -> dict[str, Any]:
    """Returns a leg's figures; unnamed ones are those of a healthy avatar."""
    healthy = {"video_fps": 25.0, "audio_fps": 50.0, "width": 512, "height": 512}
    return {"ice": ice, **healthy, "kbps": 700.0, "loss": 0.0, "rtt_ms": 1.0, **figures}


NOTHING: dict[str, Any] = dict.fromkeys(("video_fps", "audio_fps", "width", "height", "kbps", "loss", "rtt_ms"))

ADA = {
    "name": "Ada",
    "identity": "ada",
    "program": "simli",
    "pid": 2,
    "state": "running",
    "ready": True,
    "restarts": 1,
    "uptime_s": 85.0,
    "agent_state": "speaking",
    "av_offset_ms": 12.0,
    "cpu_percent": 14.0,
    "memory_mb": 52.0,
    "last_error": "ended by SIGKILL",
    "legs": {"room": leg(), "simli": leg("completed", kbps=None, loss=None, rtt_ms=None)},
}
MAX = {
    "name": "Max [bold]",
    "identity": "max",
    "program": "audio",
    "pid": 3,
    "state": "starting",
    "restarts": 0,
    "uptime_s": 2.0,
    "agent_state": "initializing",
    "legs": {"room": leg("checking", **NOTHING)},
    "missing": ["audio", "ready"],
}
LEGACY = {
    "name": "Legacy",
    "identity": "legacy",
    "program": "command",
    "pid": None,
    "state": "fatal",
    "restarts": 5,
    "last_error": "ended with exit code 1: ModuleNotFoundError: No module named 'livekit'",
    "hint": "read legacy.log",
}
EVE = {
    "name": "Eve",
    "identity": "eve",
    "program": "simli",
    "pid": 4,
    "state": "degraded",
    "ready": True,
    "uptime_s": 3723.0,
    "agent_state": "listening",
    "legs": {"room": leg(video_fps=24.9, kbps=1421.5, loss=0.0125), "simli": leg("failed", **NOTHING)},
    "degraded_reason": "Simli refused the key (401)",
    "last_error": "Simli refused the key (401)",
    "hint": "check SIMLI_API_KEY",
    "av_offset_ms": -38.0,
    "cpu_percent": 21.4,
    "memory_mb": 70.3,
}
SERVER = {
    "name": "livekit-server",
    "state": "running",
    "ready": True,
    "pid": 101,
    "restarts": 0,
    "uptime_s": 187.1,
    "cpu_percent": 3.1,
    "memory_mb": 48.2,
}
MODELS = {**SERVER, "name": "models", "pid": 102, "cpu_percent": 103.4, "memory_mb": 548.2}

_FULL: dict[str, Any] = {
    "schema_version": 1,
    "meetings": [
        {
            "room": "standup",
            "state": "degraded",
            "pid": 9,
            "join_link": LINK,
            "livekit_url": "ws://127.0.0.1:7880",
            "uptime_s": 187.3,
            "floor": "ada",
            "services": [SERVER, MODELS],
            "agents": [ADA, MAX, LEGACY, EVE],
        }
    ],
}
FULL = parse_document(_FULL)
JUST_STARTING = parse_document(
    {
        "schema_version": 1,
        "meetings": [{"room": "late", "state": "starting", "pid": 9, "error": {"code": "not_running"}}],
    }
)


def changed(change: Callable[[dict[str, Any]], None]) -> StatusDocument:
    """Returns the full document after the change to its meeting."""
    copied = copy.deepcopy(_FULL)
    change(copied["meetings"][0])
    return parse_document(copied)
