"""`meetctl drill` on a real meeting: what it breaks is really broken, and what it calls whole again really is."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from testing.fixtures.command import Meetctl

ROSTER = """
room: standup
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Max, agent: audio, persona: You are brief.}
"""
PATIENCE = ("--timeout", "120")
"""For a machine that is busy; an idle one needs a few seconds."""
BOUND_S = 30.0


@pytest.fixture
def standup(meetctl: Meetctl, tmp_path: Path) -> Meetctl:
    (tmp_path / "roster.yaml").write_text(ROSTER)
    up = meetctl("up", "roster.yaml", "-d", "--wait")
    assert up.code == 0, up.err
    return meetctl


def pids(meetctl: Meetctl) -> dict[str, int]:
    (meeting,) = meetctl.status()
    return {seat["name"]: seat["pid"] for seat in (*meeting["services"], *meeting["agents"])}


def test_every_fault_is_done_to_its_process_and_repaired(standup: Meetctl) -> None:
    before = pids(standup)
    kill = standup("drill", "kill", "--json", *PATIENCE)
    assert kill.code == 0, (kill.out, kill.err)
    (broken,) = kill.json()["breaks"]
    assert (kill.json()["pid"], broken["name"], broken["repair_s"] > 0) == (before["Max"], "Max", True)
    assert broken["what"].startswith(("ended by SIGKILL", "its media stopped"))  # whichever is noticed first
    after = pids(standup)
    assert {name for name in before if before[name] != after[name]} == {"Max"}

    stall = standup("drill", "stall", "max", "--for", "6", *PATIENCE)
    assert stall.code == 0, (stall.out, stall.err)
    assert "resumed after 6." in stall.err
    assert "it says nothing any more" in stall.out and "everything had recovered" in stall.out
    assert pids(standup) == after, "it was held up, not replaced"

    models = standup("drill", "models", "--json", *PATIENCE)
    assert models.code == 0, (models.out, models.err)
    assert models.json()["pid"] == after["models"] != pids(standup)["models"]

    server = standup("drill", "server", "--json", *PATIENCE)
    assert server.code == 0, (server.out, server.err)
    assert {found["name"] for found in server.json()["breaks"]} >= {"livekit-server", "Max"}
    (meeting,) = standup.status()
    assert all(seat["ready"] for seat in (*meeting["services"], *meeting["agents"]))


def test_a_drill_that_is_broken_off_lets_go_what_it_stopped_and_two_at_once_are_refused(standup: Meetctl) -> None:
    agent = psutil.Process(pids(standup)["Max"])
    with standup.start("drill", "stall", "Max", "--for", "100") as drill:
        _until(lambda: agent.status() == psutil.STATUS_STOPPED)
        twice = standup("drill", "kill", "--json")
        drill.send_signal(signal.SIGINT)
        drill.communicate(timeout=BOUND_S)
    assert (twice.code, twice.json()["error"]["message"]) == (7, "a drill is under way already")
    _until(lambda: agent.status() != psutil.STATUS_STOPPED)
    assert standup("drill", "kill", "Nobody").code == 2
    assert standup("drill", "kill", "--room", "elsewhere").code == 3


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
