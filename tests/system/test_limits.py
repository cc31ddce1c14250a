"""Tiny limits on a real meeting: whoever crosses one leaves in good order, and the status says why."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from testing.fixtures.command import Meetctl

BOUND_S = 150.0
"""Three starts and samples of memory; an idle machine takes 15 s."""

AGENTS = """
room: standup
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Ada, agent: simli, budget: {avatar_seconds: 2}}
  - {name: Max, agent: audio, limits: {memory: 10MB}}
  - {name: Zoe, agent: audio, limits: {memory: 4GB}}
"""
DESERTED = """
room: standup
meeting: {idle_timeout: 3s}
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Max, agent: audio}
"""


def test_an_agent_over_its_limit_leaves_and_says_why_and_the_others_stay(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text(AGENTS)
    up = meetctl("up", "roster.yaml", "-d")
    assert up.code == 0, up.err
    ada, max_, zoe = _until(meetctl, lambda agents: agents[0]["state"] == "exited" and agents[1]["state"] == "fatal")
    assert ada["last_error"].startswith("its budget is spent: ") and "seconds of avatar" in ada["last_error"]
    assert (ada["restarts"], "avatar_seconds" in ada["hint"]) == (0, True)
    assert "of memory; its limit is 10 MB, and it was ended for it 3 times" in max_["last_error"]
    assert (max_["restarts"], "limits: {memory: …}" in max_["hint"]) == (2, True)
    assert (zoe["restarts"], zoe["last_error"]) == (0, None)
    down = meetctl("down", "--json")
    assert down.json()["meetings"][0]["complete"]


def test_a_meeting_that_nobody_comes_to_ends_and_says_why(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text(DESERTED)
    with meetctl.start("up", "roster.yaml") as up:
        out, err = up.communicate(timeout=BOUND_S)
    assert up.returncode == 0, (out, err)
    assert "standup: nobody was in the room for 3s (idle_timeout)" in err
    assert "standup: room deleted" in err
    assert meetctl.status() == []


def _until(meetctl: Meetctl, condition: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    until = time.monotonic() + BOUND_S
    while True:
        agents: list[dict[str, Any]] = meetctl.status()[0]["agents"]
        if condition(agents):
            return agents
        assert time.monotonic() < until, agents
        time.sleep(0.2)
