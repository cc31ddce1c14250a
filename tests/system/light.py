"""A meeting that costs little: a local LiveKit server and programs that do next to nothing, no model anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from testing.fixtures.command import Meetctl

WAIT_S = 60.0
"""Everything here takes a second or two on an idle machine."""
POLL_S = 0.02

ROSTER = """
room: ROOM
defaults: {stt: {provider: openai, model: none, base_url: "http://127.0.0.1:9/v1", api_key: none}}
agents:
  - {name: Idler, command: [COMMAND]}
"""


def written(meetctl: Meetctl, room: str, *command: str, head: str = "") -> str:
    """Writes the roster of a meeting with one program; returns its path."""
    path = meetctl.cwd / f"{room}.yaml"
    words = ", ".join(f"'{word}'" for word in command or ("sleep", "3001"))
    path.write_text(head + ROSTER.replace("ROOM", room).replace("COMMAND", words))
    return str(path)


def until(condition: Callable[[], object], what: str) -> None:
    """Waits until it is so."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(POLL_S)


def state_of(meetctl: Meetctl) -> Path:
    """Returns where this world keeps logs and transcripts."""
    return Path(meetctl.environment["XDG_STATE_HOME"]) / "meetctl"


def crash_reports(meetctl: Meetctl) -> list[str]:
    """Returns what was taken for a bug."""
    return [path.read_text() for path in state_of(meetctl).glob("crash-*")]
