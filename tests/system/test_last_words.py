"""What an agent was saying is in the transcript, whoever is stopped, taken away or killed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from testing.fixtures.command import Meetctl
from tests.system.standing import WAIT_S, Standing, standing

pytestmark = pytest.mark.system

ROSTER = """
room: words
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Ada, agent: audio}
  - {name: Max, agent: audio}
"""
LONG = (
    "of all the things that we keep, the database is the oldest, and the server is the loudest, and the tape is what "
    "nobody has read since, and the disks are what everybody asks for, and the network is what everybody blames"
)
HEARD_S = 2.0
"""Of the speech, before something happens to it."""


class Speaking:
    """Has agents say something and does something to somebody while they do."""

    def __init__(self, meeting: Standing) -> None:
        self.meeting = meeting

    def begin(self, name: str, word: str, text: str = LONG) -> None:
        said = self.meeting.meetctl("say", name, f"{word}, {text}")
        assert said.code == 0, said.err
        self.meeting.until(lambda seats: seats[name]["agent_state"] == "speaking")
        time.sleep(HEARD_S)  # the length of what is heard of it

    def line(self, word: str, holds: Callable[[dict[str, Any]], bool] = lambda line: True) -> dict[str, Any]:
        """Waits for the one line that begins so."""
        end = time.monotonic() + WAIT_S
        while not (found := [one for one in self.meeting.lines() if one["text"].startswith(word) and holds(one)]):
            assert time.monotonic() < end, self.meeting.transcript.read_text()
            time.sleep(0.1)
        [line] = found
        return line

    def assert_cut(self, word: str, text: str = LONG) -> None:
        """What was heard is there, and that it was not all."""
        line = self.line(word)
        assert line["interrupted"], line
        assert f"{word}, {text}".startswith(line["text"]) and line["text"] != f"{word}, {text}", line


def test_no_word_of_an_agent_is_lost_by_restart_leave_down_or_a_kill_of_it_or_of_the_chair(meetctl: Meetctl) -> None:
    with standing(meetctl, ROSTER, "words", "--wait") as meeting:
        speaking = Speaking(meeting)

        speaking.begin("Ada", "Alpha")
        assert meetctl("restart", "Ada").code == 0
        speaking.assert_cut("Alpha")
        meeting.until_whole()

        speaking.begin("Ada", "Bravo")
        meeting.kill("Ada")
        speaking.assert_cut("Bravo")
        meeting.until_whole()

        speaking.begin("Ada", "Charlie", "this is all of it, and the chair will be gone before it is over.")
        meeting.kill("Chair")
        assert not speaking.line("Charlie")["interrupted"]
        meeting.until_whole()

        speaking.begin("Max", "Delta")
        assert meetctl("leave", "Max").code == 0
        speaking.assert_cut("Delta")

        speaking.begin("Ada", "Echo")
        assert meetctl("down", "words").code == 0
        speaking.assert_cut("Echo")
