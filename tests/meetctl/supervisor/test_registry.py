from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from meetctl.errors import ConflictError
from meetctl.supervisor.launcher import process_id
from meetctl.supervisor.registry import Leftover, MeetingFiles, MeetingNote, hold, running
from meetctl.supervisor.sweep import marked
from tests.meetctl.supervisor.helpers import misbehaving

NOTE = MeetingNote("standup", "standup-1", os.getpid(), 1.0)

HOLD = """
import sys
from pathlib import Path
from meetctl.supervisor.registry import MeetingFiles, MeetingNote, hold
with hold(MeetingFiles.of(Path(sys.argv[1]), "standup"), MeetingNote("standup", "m", 1, 1.0)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_held_meeting_is_listed_and_gone_afterwards(tmp_path: Path) -> None:
    files = MeetingFiles.of(tmp_path, "standup")
    with hold(files, NOTE):
        assert running(tmp_path) == [(NOTE, files)]
        assert files.note.stat().st_mode & 0o777 == 0o600
    assert running(tmp_path) == []


def test_a_second_supervisor_cannot_hold_the_same_meeting(tmp_path: Path) -> None:
    files = MeetingFiles.of(tmp_path, "standup")
    with hold(files, NOTE), pytest.raises(ConflictError, match="already up"), hold(files, NOTE):
        raise AssertionError


@pytest.mark.process
def test_what_a_killed_supervisor_left_is_not_taken_for_a_meeting_and_blocks_no_new_one(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdin
    assert holder.stdout.readline() == "held\n"
    files = MeetingFiles.of(tmp_path, "standup")
    assert [note.meeting for note, _ in running(tmp_path)] == ["m"]
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    files.socket.touch()
    assert files.note.exists()
    with hold(files, NOTE):
        assert running(tmp_path) == [(NOTE, files)]
        assert not files.socket.exists()


def test_long_room_names_share_no_socket_and_stay_under_the_kernels_limit() -> None:
    directory = Path("/run/user/1000/meetctl")
    one, other = (MeetingFiles.of(directory, "x" * 63 + end).socket for end in "ab")
    assert one != other
    assert len(os.fsencode(one)) < 100


def dead_meeting(directory: Path, room: str = "standup") -> tuple[MeetingNote, MeetingFiles]:
    """Leaves the files of a meeting that nobody holds."""
    note = MeetingNote(room, f"{room}-{os.getpid()}-{time.monotonic_ns()}", 2, 1.0)
    files = MeetingFiles.of(directory, room)
    with hold(files, note):
        kept = files.note.read_text()
    files.note.write_text(kept)
    files.socket.touch()
    files.livekit_config.write_text("secret")
    return note, files


def orphan(note: MeetingNote, behaviour: str) -> subprocess.Popen[bytes]:
    spec = misbehaving(behaviour, note.meeting)
    process = subprocess.Popen(
        spec.argv,
        env=dict(spec.env),
        cwd=spec.cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def closed(process: subprocess.Popen[bytes]) -> int:
    with process:
        return process.wait(10)


@pytest.mark.process
def test_the_next_command_ends_what_a_killed_supervisor_and_its_killed_guard_left(tmp_path: Path) -> None:
    note, files = dead_meeting(tmp_path)
    orphans = [orphan(note, "ignores_everything"), orphan(note, "ready_and_stay")]
    told: list[Leftover] = []
    assert running(tmp_path, cleaned=told.append) == []
    assert [closed(process) for process in orphans] == [-signal.SIGKILL, -signal.SIGTERM]
    assert told == [Leftover("standup", 2, ())]
    assert marked(note.meeting) == set()
    assert list(tmp_path.iterdir()) == [files.lock]
    assert running(tmp_path, cleaned=told.append) == []
    assert len(told) == 1, "it is told once"


@pytest.mark.process
def test_who_only_looks_sees_no_dead_meeting_and_ends_makes_and_removes_nothing(tmp_path: Path) -> None:
    note, _ = dead_meeting(tmp_path)
    left = orphan(note, "ready_and_stay")
    with hold(MeetingFiles.of(tmp_path, "here"), replace(NOTE, room="here")):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        assert [note.room for note, _ in running(tmp_path, clean=False)] == ["here"]
        assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert running(tmp_path / "missing", clean=False) == []
    assert not (tmp_path / "missing").exists()
    assert left.poll() is None
    left.kill()
    closed(left)


@pytest.mark.process
def test_a_new_meeting_of_that_name_begins_by_ending_what_the_dead_one_left(tmp_path: Path) -> None:
    note, files = dead_meeting(tmp_path)
    left = orphan(note, "ready_and_stay")
    with hold(files, NOTE):
        assert closed(left) == -signal.SIGTERM
        assert running(tmp_path) == [(NOTE, files)]
    assert list(tmp_path.iterdir()) == [files.lock]


def test_commands_that_look_all_the_time_keep_no_new_meeting_out_and_take_nothing_of_it_away(tmp_path: Path) -> None:
    files = MeetingFiles.of(tmp_path, "standup")
    stop = threading.Event()
    seen: list[int] = []

    def look() -> None:
        while not stop.is_set():
            seen.append(len(running(tmp_path)))

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(30):
            with hold(files, NOTE):
                assert files.note.exists()
                assert running(tmp_path) == [(NOTE, files)]
    finally:
        stop.set()
        for looker in lookers:
            looker.join()
    assert set(seen) <= {0, 1}
    assert len(seen) > 30


@pytest.mark.process
def test_a_process_is_known_by_its_start_and_not_by_its_number_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        known = process_id(process.pid)
        assert known.is_alive()
        assert not type(known)(known.pid, known.start_time + 1).is_alive()
        process.kill()
        deadline = time.monotonic() + 10
        while known.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not known.is_alive(), "a zombie is not alive"
    assert process_id(process.pid).start_time == 0
