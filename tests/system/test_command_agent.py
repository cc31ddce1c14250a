"""Any command can be an agent: an unmodified livekit-agents program, and one that only reads its environment."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from meetctl.supervisor.sweep import marked
from testing.fixtures.command import Meetctl

PROGRAMS = Path(__file__).parents[1] / "programs"

ROSTER = """
room: workshop
defaults: {{llm: local/tiny, stt: local/tiny}}
agents:
  - name: Legacy
    command: [{python}, plain_agent.py, connect, --room, "{{room}}", --participant-identity, "{{identity}}"]
    cwd: {programs}
    livekit_api_credentials: true
"""

ENVIRONMENT_ROSTER = """
room: workshop
defaults: {{llm: local/tiny, stt: local/tiny}}
agents:
  - name: Plain
    restart: no
    command: [{python}, -c, "import os, json; print(json.dumps(dict(os.environ)), flush=True); input()"]
"""


FAILURE = "PermissionError: [Errno 13] 'jobs'"
FAILING = f"""import sys, time; print({FAILURE!r}, file=sys.stderr, flush=True); time.sleep(600)"""
FAILING_AGENTS = {
    "room": "workshop",
    "agents": [
        {"name": "Stays", "command": [sys.executable, "-c", FAILING]},
        {"name": "Replaced", "command": [sys.executable, "-c", FAILING], "start_timeout": "2s"},
    ],
}


def test_an_unmodified_livekit_agents_program_becomes_ready_and_leaves_nothing_behind(meetctl: Meetctl) -> None:
    roster = meetctl.cwd / "roster.yaml"
    roster.write_text(ROSTER.format(python=sys.executable, programs=PROGRAMS))
    up = meetctl("up", "roster.yaml", "-d", "--wait", "--timeout", "90")
    assert up.code == 0, up.err
    note = meetctl.note("workshop")
    (agent,) = meetctl.status()[0]["agents"]
    assert (agent["program"], agent["state"], agent["ready"]) == ("command", "running", True)
    assert agent["legs"] == {}, "what cannot be measured is not guessed"
    assert agent["agent_state"] is None
    down = meetctl("down", "--json")
    assert down.code == 0, down.err
    assert down.json()["meetings"][0]["complete"]
    assert marked(note["meeting"]) == set(), "its job processes are ended too"


def test_one_that_fails_and_stays_is_shown_with_its_own_words_and_tried_again(meetctl: Meetctl) -> None:
    roster = meetctl.cwd / "roster.yaml"
    roster.write_text(json.dumps(FAILING_AGENTS))
    up = meetctl("up", "roster.yaml", "-d", "--wait", "--timeout", "8")
    assert up.code == 4, up.err
    assert "Stays lacks active; its last lines: PermissionError: [Errno 13] 'jobs'" in up.err
    (meeting,) = meetctl.status()
    stays, replaced = meeting["agents"]
    assert (stays["state"], stays["last_lines"], stays["restarts"]) == ("starting", [FAILURE], 0)
    assert replaced["restarts"] > 0 or replaced["state"] == "backoff"
    assert replaced["last_error"] == f"has not joined within 2 s; its last lines: {FAILURE}"
    assert "start_timeout" in replaced["hint"]
    assert FAILURE in meetctl("status", "workshop").out


def test_a_command_gets_a_token_and_no_credentials_that_its_entry_does_not_ask_for(meetctl: Meetctl) -> None:
    roster = meetctl.cwd / "roster.yaml"
    roster.write_text(ENVIRONMENT_ROSTER.format(python=sys.executable))
    up = meetctl("up", "roster.yaml", "-d", env={"SENTINEL_API_KEY": "sentinel-of-somebody-else"})
    assert up.code == 0, up.err
    log = next((Path(meetctl.environment["XDG_STATE_HOME"]) / "meetctl" / "workshop").glob("*/plain.log"))
    until = time.monotonic() + 20
    while "LIVEKIT_ROOM" not in log.read_text():
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    line = next(line for line in log.read_text().splitlines() if "LIVEKIT_ROOM" in line)
    environment = json.loads(line[line.index("{") :])
    assert environment["LIVEKIT_ROOM"] == "workshop"
    assert (environment["MEETCTL_IDENTITY"], environment["MEETCTL_NAME"]) == ("plain", "Plain")
    assert environment["LIVEKIT_URL"].startswith("ws://127.0.0.1:")
    assert environment["LIVEKIT_TOKEN"] == "•••", "it got one, and the log does not show it"
    assert not {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "SENTINEL_API_KEY"} & set(environment)
