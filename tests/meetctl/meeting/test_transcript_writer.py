"""What the chair reports is taken down; what anybody else claims is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meetctl.meeting.transcript import Transcript
from meetctl.meeting.transcript_writer import TranscriptWriter
from meetctl.protocol import LastWords, Line, TurnLatency, Utterance
from meetctl.roster import TranscriptMode
from meetctl.supervisor.events import ChildMessage

LINE = Line(id="g1", at=1.0, speaker="Ada", identity="ada", text="On Friday.")
LATENCY = TurnLatency(identity="ada", stages_ms={"total": 900.0}, line_id="g1")


@pytest.fixture
def transcript(tmp_path: Path) -> Transcript:
    return Transcript(tmp_path, TranscriptMode.MEMORY, room="standup", topic=None)


def test_only_the_chair_says_who_said_what(transcript: Transcript) -> None:
    minutes = TranscriptWriter(transcript, pytest.fail)
    minutes.observe(ChildMessage("ada", Utterance(line=LINE), 1.0))
    minutes.observe(ChildMessage("ada", LATENCY, 1.0))
    assert (transcript.lines(), minutes.latencies) == ((), {})
    minutes.observe(ChildMessage("chair", Utterance(line=LINE), 1.0))
    minutes.observe(ChildMessage("chair", LATENCY, 1.0))
    assert (transcript.lines(), minutes.latencies) == ((LINE,), {"ada": {"total": 900.0}})


def test_an_agent_that_goes_is_believed_its_own_last_words_and_the_chairs_guess_does_not_replace_them(
    transcript: Transcript,
) -> None:
    minutes = TranscriptWriter(transcript, pytest.fail)
    minutes.observe(ChildMessage("max", LastWords(line=LINE), 1.0))
    assert transcript.lines() == ()
    minutes.observe(ChildMessage("ada", LastWords(line=LINE), 1.0))
    minutes.observe(ChildMessage("chair", Utterance(line=LINE.model_copy(update={"text": "On Fri"})), 1.0))
    assert transcript.lines() == (LINE,)


def test_a_fact_of_the_meeting_s_own_is_a_line_of_its_own(transcript: Transcript) -> None:
    minutes = TranscriptWriter(transcript, pytest.fail)
    minutes.note("The meeting ended: its time was over.")
    minutes.note("The meeting ended: its time was over.")
    first, second = transcript.lines()
    assert (first.kind, first.text) == ("fact", "The meeting ended: its time was over.")
    assert first.id != second.id


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_transcript_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    for name in ("transcript.jsonl", "transcript.md", "transcript.vtt"):
        (tmp_path / name).symlink_to("/dev/full")
    warnings: list[str] = []
    minutes = TranscriptWriter(Transcript(tmp_path, TranscriptMode.FILES, room="r", topic=None), warnings.append)
    for number in range(3):
        minutes.observe(ChildMessage("chair", Utterance(line=LINE.model_copy(update={"id": f"g{number}"})), 1.0))
    assert warnings == ["the transcript cannot be written: No space left on device"]


class Ailing(Transcript):
    """A transcript whose disk fails in one way and then in another."""

    why: str | None = None

    @property
    def broken(self) -> str | None:
        return self.why


def test_the_warning_is_taken_back_in_its_own_words_where_the_disk_failed_in_two_ways(tmp_path: Path) -> None:
    transcript = Ailing(tmp_path, TranscriptMode.MEMORY, room="r", topic=None)
    shown: list[str] = []
    minutes = TranscriptWriter(transcript, shown.append, shown.remove)
    for why in ("No space left on device", "Input/output error"):
        transcript.why = why
        minutes.observe(ChildMessage("chair", Utterance(line=LINE), 1.0))
        assert shown == ["the transcript cannot be written: No space left on device"]
    transcript.why = None
    minutes.observe(ChildMessage("chair", Utterance(line=LINE), 1.0))
    assert shown == []
