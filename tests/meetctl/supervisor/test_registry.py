from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from meetctl.errors import ConflictError
from meetctl.supervisor.registry import MeetingFiles, MeetingNote, hold, running

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
