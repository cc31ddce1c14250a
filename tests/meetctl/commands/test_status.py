"""Supervisors that do not answer: a real process that holds the lock and the socket, and never reads it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from meetctl.commands._meetings import find_meeting
from meetctl.commands._records import find_records
from meetctl.commands.status import collect
from meetctl.display import board, lines
from meetctl.errors import TimedOutError
from meetctl.supervisor import control
from meetctl.supervisor.registry import MeetingFiles, beat, last_beat
from testing.fixtures.lanes import Lane, starts
from tests.meetctl.display.test_board import drawn

SILENT = """
import os, socket, sys
from pathlib import Path
from meetctl.supervisor.control import address_of
from meetctl.supervisor.launcher import process_id
from meetctl.supervisor.registry import MeetingFiles, MeetingNote, hold
me = process_id(os.getpid())
files = MeetingFiles.of(Path(sys.argv[1]), "standup")
with hold(files, MeetingNote("standup", "m", me.pid, me.start_time)):
    listening = socket.socket(socket.AF_UNIX)
    with address_of(files.socket) as address:
        listening.bind(address)
    listening.listen()
    print("held", flush=True)
    sys.stdin.read()
"""
SOON_S = 4.0
"""Less than the time that a command waits for an answer."""


@pytest.fixture
@starts(Lane.PROCESS)
def silent(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """Yields the supervisor of the meeting `standup`."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(short_path / "state"))
    (short_path / "meetctl").mkdir()
    program = [sys.executable, "-c", SILENT, str(short_path / "meetctl")]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.send_signal(signal.SIGCONT)
        process.kill()


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def test_a_stopped_supervisor_is_not_answering_and_what_to_do_is_said_at_once(
    silent: subprocess.Popen[str], short_path: Path
) -> None:
    stop(silent)
    os.utime(short_path / "meetctl" / "standup.json", (0, time.time() - 130))
    began = time.monotonic()
    document = asyncio.run(collect(None))
    assert time.monotonic() - began < SOON_S
    (meeting,) = document.meetings
    assert (meeting.state, meeting.pid) == ("not answering", silent.pid)
    assert meeting.since is not None and meeting.silent_s is not None and meeting.error is not None
    assert 130 <= meeting.silent_s < 150
    assert abs(datetime.fromisoformat(meeting.since).timestamp() + meeting.silent_s - time.time()) < 20
    assert "is stopped" in meeting.error.message
    shown = drawn(board.render_all(document), 100)
    assert "standup  not answering  for 2:1" in shown
    assert f"kill -CONT {silent.pid}" in shown
    assert "meetctl down standup" in shown
    first, second = lines.changes(None, document)
    assert first.startswith("standup: not answering since 20")
    assert f"kill -CONT {silent.pid}" in second


def test_a_supervisor_that_hangs_is_not_answering_either(
    silent: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def impatient(*arguments: object, **named: object) -> dict[str, object]:
        return await control.ask(*arguments, timeout_s=0.2)  # type: ignore[arg-type]

    monkeypatch.setattr("meetctl.commands.status.ask", impatient)
    (meeting,) = asyncio.run(collect("standup")).meetings
    assert meeting.state == "not answering"
    assert meeting.error is not None and meeting.error.hint is not None
    assert "hangs" in meeting.error.message
    assert "down standup" in meeting.error.hint


def test_other_commands_say_so_at_once_and_logs_are_still_to_be_had(
    silent: subprocess.Popen[str], short_path: Path
) -> None:
    stop(silent)
    logs = short_path / "state" / "meetctl" / "standup" / "2026-11-27T12-00-00.000000Z"
    logs.mkdir(parents=True)
    began = time.monotonic()
    with pytest.raises(TimedOutError, match=r"standup is not answering since 20.* \(\d+s\): .* is stopped") as raised:
        find_meeting("standup")
    assert f"kill -CONT {silent.pid}" in str(raised.value.hint)
    assert find_meeting(None, silent=True)[0].pid == silent.pid
    assert find_records(None).directory == logs
    assert time.monotonic() - began < SOON_S


def test_a_sign_of_life_is_the_last_one_given(short_path: Path) -> None:
    files = MeetingFiles.of(short_path, "standup")
    assert last_beat(files) is None
    files.note.touch()
    os.utime(files.note, (0, 0))
    beat(files)
    assert (last_beat(files) or 0) > 1.7e9
