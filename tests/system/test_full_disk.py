"""A disk that is full costs files, never the meeting, and `status` says so."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from testing.fixtures.command import Meetctl
from tests.system.standing import WAIT_S, Standing, standing

needs_rlimit = pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="limits of another process: Linux only")

LIMIT_BYTES = 4096
"""Of every file the supervisor writes from now on: less than its logs hold already. Its children have no limit: they
write no files of the meeting, and Python would leave half-written modules behind."""
ROSTER = """
room: full
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Max, agent: audio, speaks: never}
"""


@needs_rlimit
def test_a_meeting_goes_on_when_neither_logs_nor_transcript_can_be_written(meetctl: Meetctl) -> None:
    with standing(meetctl, ROSTER, "full", "--wait") as meeting:
        before = meeting.until_whole()
        supervisor = psutil.Process(meeting.note["pid"])
        limits = supervisor.rlimit(psutil.RLIMIT_FSIZE)
        supervisor.rlimit(psutil.RLIMIT_FSIZE, (LIMIT_BYTES, limits[1]))
        asyncio.run(talk_until(meeting, "the transcript cannot be written: File too large"))
        meeting.kill("Max")
        after = meeting.until(lambda seats: seats["Max"]["ready"] and seats["Max"]["restarts"] == 1)
        warnings = str([seat["warning"] for seat in meeting.until_warned("its log cannot be written").values()])
        assert "its log cannot be written: File too large" in warnings
        others = {name: seat["pid"] for name, seat in before.items() if name != "Max"}
        assert {name: seat["pid"] for name, seat in after.items() if name != "Max"} == others
        supervisor.rlimit(psutil.RLIMIT_FSIZE, limits)
        asyncio.run(talk_until(meeting, None))
        down = meetctl("down", "--json")
        assert down.code == 0 and down.json()["meetings"][0]["complete"], down.err


async def talk_until(meeting: Standing, warning: str | None) -> None:
    """Chats until the chair's seat shows the warning; with None, until a line is in the transcript."""
    end = time.monotonic() + WAIT_S
    last = f"the last word {end}"
    async with meeting.probe() as probe, asyncio.timeout(WAIT_S):
        while True:
            text = last if warning is None else "many words " * 40
            await probe.room.local_participant.send_text(text, topic="lk.chat")
            await asyncio.sleep(0.1)
            if warning is None and last in (meeting.log_dir / "transcript.jsonl").read_text():
                return
            seats = await asyncio.to_thread(meeting.seats)
            if warning is not None and warning in str(seats["Chair"]["warning"]):
                return
