"""Direction of a running meeting from the command line and from a host's page, and the end that a roster sets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from testing.fixtures.command import Meetctl

WAIT_S = 90.0
"""Agents answer within seconds on an idle machine."""

ROSTER = """
room: directed
meeting: {{floor: round-robin{more}}}
defaults: {{llm: local/tiny, stt: local/tiny}}
agents:
  - {{name: Ada, agent: audio, persona: You are brief.}}
  - {{name: Max, agent: audio, persona: You are brief.}}
"""


def spoken(meetctl: Meetctl) -> list[dict[str, Any]]:
    """Returns the records of the transcript in their last form."""
    (file,) = Path(meetctl.environment["XDG_STATE_HOME"]).glob("meetctl/directed/*/transcript.jsonl")
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return list({record["id"]: record for record in records}.values())


def wait_for(holds: Callable[[], object], what: str) -> None:
    until = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.2)


def agent(meetctl: Meetctl, name: str) -> dict[str, Any]:
    (meeting,) = meetctl.status()
    return next(agent for agent in meeting["agents"] if agent["name"] == name)


def test_agents_say_what_they_are_told_and_the_meeting_ends_when_its_time_is_over(
    meetctl: Meetctl, tmp_path: Path
) -> None:
    import httpx

    roster = tmp_path / "directed.yaml"
    roster.write_text(ROSTER.format(more=""))
    assert meetctl("up", str(roster), "-d", "--wait").code == 0

    said = meetctl("say", "max", "Good morning from the host.")
    assert (said.code, said.out, said.err) == (0, "directed: Max will say it\n", "")
    wait_for(
        lambda: [
            record
            for record in spoken(meetctl)
            if record["identity"] == "max" and record["text"] == "Good morning from the host."
        ],
        "Max did not say it",
    )
    told = meetctl("tell", "The launch moved to Monday.", "--json")
    assert told.json() == {"schema_version": 1, "room": "directed", "do": "tell"}
    wait_for(
        lambda: [
            record for record in spoken(meetctl) if record["kind"] == "fact" and "moved to Monday" in record["text"]
        ],
        "the fact is not in the transcript",
    )
    assert meetctl("ask", "Ada", "Ada, when do we launch?").code == 0
    wait_for(lambda: [record for record in spoken(meetctl) if record["identity"] == "ada"], "Ada did not answer")

    assert meetctl("mute", "Ada", "--room", "directed").out == "directed: Ada is muted\n"
    assert agent(meetctl, "Ada")["muted"] and not agent(meetctl, "Max")["muted"]
    refused = meetctl("floor", "Ada", "--json")
    assert (refused.code, refused.json()["error"]["code"]) == (2, "usage")
    nobody = meetctl("say", "Zoe", "Hello.")
    assert nobody.code == 2
    assert "there is Ada, Max" in nobody.err

    host = urlsplit(meetctl("link", "--host").out.strip())
    invite = host.fragment.removeprefix("invite=")
    answer = httpx.post(
        f"http://{host.netloc}/api/direct", json={"invite": invite, "do": "unmute", "agent": "ada"}, timeout=30
    )
    assert answer.status_code == 200
    assert [(seen["name"], seen["muted"]) for seen in answer.json()["agents"]] == [("Ada", False), ("Max", False)]
    assert not agent(meetctl, "Ada")["muted"]

    roster.write_text(ROSTER.format(more=", max_duration: 1s"))
    changed = meetctl("up", str(roster), "-d")
    assert changed.code == 0, changed.err
    wait_for(lambda: meetctl.status() == [], "the meeting goes on")
    assert "max_duration" in spoken(meetctl)[-1]["text"]
    shown = meetctl("transcript", "directed").out
    assert "Max: Good morning from the host." in shown
    assert meetctl("say", "Ada", "Hello?").code == 3


def test_a_meeting_whose_transcript_is_off_leaves_no_word_on_disk(meetctl: Meetctl, tmp_path: Path) -> None:
    roster = tmp_path / "directed.yaml"
    roster.write_text(ROSTER.format(more=", transcript: off"))
    assert meetctl("up", str(roster), "-d", "--wait").code == 0
    assert meetctl("say", "Ada", "Nobody writes this down.").code == 0
    # What was spoken stays counted; how short it was, no look at her state need catch.
    wait_for(
        lambda: any(used["kind"] == "tts_characters" for used in agent(meetctl, "Ada")["usage"]), "Ada did not speak"
    )
    wait_for(lambda: agent(meetctl, "Ada")["agent_state"] == "listening", "Ada did not end")
    assert meetctl("down").code == 0
    state = Path(meetctl.environment["XDG_STATE_HOME"]) / "meetctl/directed"
    (directory,) = state.iterdir()
    assert not list(directory.glob("transcript*"))
    assert not [path for path in directory.rglob("*") if path.is_file() and b"Nobody writes" in path.read_bytes()]
