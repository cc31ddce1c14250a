"""A disk that is full costs files, never the meeting, and `status` says so."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from tests.fixtures.command import COMMAND_S, Meetctl
from tests.system.standing import WAIT_S, Standing

pytestmark = pytest.mark.system

LIMIT_KB = 4
"""The meeting's own notes fit, its logs and a talk of any length do not."""
ROSTER = """
room: full
agents:
  - {name: Max, agent: audio, speaks: never}
"""


def test_a_meeting_goes_on_when_neither_logs_nor_transcript_can_be_written(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text(ROSTER)
    ran = subprocess.run(
        ["bash", "-c", f"ulimit -f {LIMIT_KB}; exec {meetctl.binary} up roster.yaml -d --wait"],
        env=meetctl.environment,
        cwd=meetctl.cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
    )
    assert ran.returncode == 0, ran.stderr
    meeting = Standing(meetctl, "full")
    before = meeting.until_whole()

    async def talk() -> None:
        async with meeting.witness() as witness, asyncio.timeout(WAIT_S):
            end = time.monotonic() + WAIT_S
            while "transcript" not in str((await asyncio.to_thread(meeting.seats))["Chair"]["warning"]):
                assert time.monotonic() < end
                await witness.room.local_participant.send_text("many words " * 40, topic="lk.chat")
                await asyncio.sleep(0.1)

    asyncio.run(talk())
    meeting.kill("Max")
    after = meeting.until(lambda seats: seats["Max"]["ready"] and seats["Max"]["restarts"] == 1)
    assert "File too large" in after["Chair"]["warning"]
    assert "its log cannot be written: File too large" in str([seat["warning"] for seat in after.values()])
    assert {name: seat["pid"] for name, seat in after.items() if name != "Max"} == {
        name: seat["pid"] for name, seat in before.items() if name != "Max"
    }
    assert all(path.stat().st_size <= LIMIT_KB * 1024 for path in Path(meeting.log_dir).iterdir())
    down = meetctl("down", "--json")
    assert down.code == 0 and down.json()["meetings"][0]["complete"], down.err
