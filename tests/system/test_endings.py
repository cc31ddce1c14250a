"""However a meeting ends, nothing of it is left: no process, no grandchild, no file that says it runs."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from meetctl.supervisor.sweep import marked
from testing.fixtures.command import Meetctl

ROOT = Path(__file__).parents[2]
GONE_S = 15.0
"""The promise is three seconds; the machine may be busy."""
LADDER_S = 7.0
"""What a command that ignores SIGTERM is given before it is killed."""

ROSTER = f"""
room: ending
defaults: {{llm: local/tiny, stt: local/tiny}}
agents:
  - {{name: Max, agent: audio}}
  - name: Rebel
    command: [{sys.executable}, -m, tests.programs.misbehave, BEHAVIOUR]
    cwd: {ROOT}
"""


def up(meetctl: Meetctl, behaviour: str) -> str:
    """Starts a meeting with a command that misbehaves so; returns the meeting's mark."""
    (meetctl.cwd / "roster.yaml").write_text(ROSTER.replace("BEHAVIOUR", behaviour))
    ran = meetctl("up", "roster.yaml", "-d")
    assert ran.code == 0, ran.err
    return str(meetctl.note("ending")["meeting"])


def wait_gone(meeting: str) -> None:
    until = time.monotonic() + GONE_S
    while (left := marked(meeting)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left, [psutil.Process(pid).cmdline() for pid in left if psutil.pid_exists(pid)]


def guard_of(meeting: str, *, after: int | None = None) -> int:
    """Returns the guard's pid, of the one after `after` if given; it carries no mark, or it would end itself."""
    until = time.monotonic() + GONE_S
    while True:
        guards = [
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if (process.info["cmdline"] or [])[2:] == ["meetctl.supervisor.guard", meeting] and process.pid != after
        ]
        if guards:
            (guard,) = guards
            return guard
        assert time.monotonic() < until, "no guard"
        time.sleep(0.05)


def wait_ended(pid: int) -> None:
    until = time.monotonic() + GONE_S
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_sigterm_to_the_supervisor_ends_the_meeting_gracefully(meetctl: Meetctl) -> None:
    meeting = up(meetctl, "runaway_grandchild")
    pid = meetctl.note("ending")["pid"]
    os.kill(pid, signal.SIGTERM)
    wait_ended(pid)
    assert not marked(meeting), "it waited for everybody, the runaway grandchild too"
    assert [path.name for path in meetctl.runtime_dir.iterdir()] == ["ending.lock"]


def test_the_second_ctrl_c_forces_what_the_first_asked_for(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text(ROSTER.replace("BEHAVIOUR", "ignores_everything"))
    with meetctl.start("up", "roster.yaml") as command:
        assert command.stderr is not None
        assert "#invite=" in command.stderr.readline()
        meeting = meetctl.note("ending")["meeting"]
        command.send_signal(signal.SIGINT)
        while "once more to force" not in (line := command.stderr.readline()):
            assert line, "it ended without saying so"
        began = time.monotonic()
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=60)
        seconds = time.monotonic() - began
    assert command.returncode == 130
    assert seconds < LADDER_S, "the stubborn one was not waited for"
    assert not marked(meeting)


@pytest.mark.parametrize("next_command", [("status",), ("up", "roster.yaml", "-d"), ("down",)], ids=lambda c: c[0])
def test_the_next_command_ends_what_a_supervisor_and_guard_killed_together_left_and_says_so(
    meetctl: Meetctl, next_command: tuple[str, ...]
) -> None:
    meeting = up(meetctl, "ignores_everything")
    pair = [guard_of(meeting), meetctl.note("ending")["pid"]]
    for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: neither sees the other go
        for pid in pair:
            os.kill(pid, number)
    for pid in pair:
        wait_ended(pid)
    assert marked(meeting), "there was something to end"
    ran = meetctl(*next_command)
    assert ran.code == 0, ran.err
    assert "ending: its supervisor and guard were killed; ended" in ran.err
    assert not marked(meeting)
    files = {path.name for path in meetctl.runtime_dir.iterdir()}
    if next_command[0] == "up":
        assert meetctl.note("ending")["meeting"] != meeting
    else:
        assert files == {"ending.lock"}


def test_a_guard_that_is_killed_is_replaced_and_does_its_work(meetctl: Meetctl) -> None:
    meeting = up(meetctl, "runaway_grandchild")
    first = guard_of(meeting)
    os.kill(first, signal.SIGKILL)
    second = guard_of(meeting, after=first)
    os.kill(meetctl.note("ending")["pid"], signal.SIGKILL)
    wait_gone(meeting)
    wait_ended(second)
    assert [path.name for path in meetctl.runtime_dir.iterdir()] == ["ending.lock"]


@pytest.mark.soak
def test_down_forces_a_supervisor_that_does_not_answer_and_says_so(meetctl: Meetctl) -> None:
    meeting = up(meetctl, "ignores_everything")
    os.kill(meetctl.note("ending")["pid"], signal.SIGSTOP)
    ran = meetctl("down", "-t", "1")
    assert ran.code == 0, ran.err
    assert "its supervisor did not answer and was killed" in ran.out
    assert not marked(meeting)


def test_an_agent_that_cannot_start_is_fatal_with_its_last_words_and_up_says_so_with_6(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text(ROSTER.replace("BEHAVIOUR", "crash"))
    ran = meetctl("up", "roster.yaml", "-d", "--wait")
    assert ran.code == 6, (ran.code, ran.err)
    assert "Rebel" in ran.err and "Traceback: it hurts (5 failures in 60 s)" in ran.err and "hint: " in ran.err
    seats = {agent["name"]: agent for agent in meetctl.status()[0]["agents"]}
    assert (seats["Rebel"]["state"], seats["Rebel"]["restarts"]) == ("fatal", 4)
    assert "it hurts" in seats["Rebel"]["last_error"]
    shown = meetctl("status").out
    assert "fatal" in shown and "it hurts" in shown
    assert seats["Max"]["state"] != "fatal", "nobody else loses anything"
