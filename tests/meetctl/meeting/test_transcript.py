"""What was said, on disk: whole after any crash, in order, and only as far as the roster allows."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetctl.meeting.transcript import FILE_NAME, MARKDOWN_NAME, MEMORY_LINES, VTT_NAME, Transcript
from meetctl.meeting.transcript_files import OrderedFile
from meetctl.meeting.transcript_forms import TranscriptRecord, markdown, record_of, vtt
from meetctl.protocol import FloorDecided, Line, UtteranceKind
from meetctl.roster import TranscriptMode

AT = 1_700_000_000.25


def line(key: str, text: str, *, after: float = 0.0, who: str = "Ada", **more: Any) -> Line:
    return Line(id=key, at=AT + after, speaker=who, identity=who.lower(), text=text, **more)


def kept(directory: Path, mode: TranscriptMode = TranscriptMode.FILES) -> Transcript:
    return Transcript(directory, mode, room="standup", topic="Friday")


def records(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (directory / FILE_NAME).read_text(encoding="utf-8").splitlines()]


def test_a_record_has_the_keys_that_programs_rely_on(tmp_path: Path) -> None:
    transcript = kept(tmp_path)
    transcript.add(line("u1", "We ship – on Friday.", who="Sam", ended_at=AT + 2))
    assert records(tmp_path) == [
        {
            "id": "u1",
            "time": "2023-11-14T22:13:20.250Z",
            "end_time": "2023-11-14T22:13:22.250Z",
            "speaker": "Sam",
            "identity": "sam",
            "kind": "speech",
            "text": "We ship – on Friday.",
            "interrupted": False,
            "latency_ms": None,
        }
    ]
    transcript.close()


def test_how_long_an_answer_took_follows_it_under_the_same_id(tmp_path: Path) -> None:
    transcript = kept(tmp_path)
    transcript.add(line("u1", "Ada, when?", who="Sam"))
    transcript.add(line("g1", "On Friday.", after=2, interrupted=True))
    transcript.add_latency("ada", None, {"grant": 4.0, "total": 900.0})
    transcript.add_latency("ada", "u1", {"total": 1.0})  # an agent's word counts for its own lines alone
    transcript.add_latency("max", None, {"total": 1.0})
    found = [TranscriptRecord.model_validate(record) for record in records(tmp_path)]
    assert [record.id for record in found] == ["u1", "g1", "g1"]
    assert found[-1].latency_ms == {"grant": 4.0, "total": 900.0}
    assert found[-1].interrupted
    transcript.close()


def test_who_had_not_finished_has_one_paragraph_and_one_cue(tmp_path: Path) -> None:
    transcript = kept(tmp_path)
    transcript.add(line("u1", "We ship", who="Sam"))
    transcript.add(line("g1", "When?", after=3))
    transcript.add(line("u1", "We ship on Friday", who="Sam"))
    shown = (tmp_path / MARKDOWN_NAME).read_text(encoding="utf-8")
    assert shown.index("We ship on Friday") < shown.index("When?")
    assert shown.count("We ship") == 1
    assert shown.startswith("# standup: Friday\n")
    cues = (tmp_path / VTT_NAME).read_text(encoding="utf-8")
    assert cues.startswith("WEBVTT\n\n")
    assert cues.count("We ship") == 1
    transcript.close()


def test_everything_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    transcript = kept(tmp_path)
    transcript.add(line("u1", "one"))
    transcript.add(line("u1", "one two"))  # makes md and vtt anew
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {FILE_NAME: 0o600, MARKDOWN_NAME: 0o600, VTT_NAME: 0o600}
    transcript.close()


def test_in_memory_agents_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    transcript = kept(tmp_path, TranscriptMode.MEMORY)
    transcript.add(line("u1", "secret"))
    transcript.add_latency("ada", None, {"total": 1.0})
    assert transcript.lines() == (line("u1", "secret"),)
    assert list(tmp_path.iterdir()) == []
    transcript.close()


def test_off_keeps_nothing_at_all(tmp_path: Path) -> None:
    transcript = kept(tmp_path, TranscriptMode.OFF)
    transcript.add(line("u1", "secret"))
    assert transcript.lines() == ()
    assert list(tmp_path.iterdir()) == []
    transcript.close()


def test_memory_is_bounded_and_the_files_hold_everything(tmp_path: Path) -> None:
    transcript = kept(tmp_path)
    for number in range(MEMORY_LINES + 5):
        transcript.add(line(f"u{number}", str(number), after=number))
    assert transcript.lines()[0].id == "u5"
    assert len(records(tmp_path)) == MEMORY_LINES + 5
    transcript.close()


WRITER = """
import sys
from pathlib import Path
from meetctl.meeting.transcript import Transcript
from meetctl.protocol import Line
from meetctl.roster import TranscriptMode
transcript = Transcript(Path(sys.argv[1]), TranscriptMode.FILES, room="r", topic=None)
for number in range(100_000):
    transcript.add(Line(id=f"u{number}", at=number, speaker="S", identity="s", text=f"words {number}."))
    transcript.add(Line(id=f"u{number}", at=number, speaker="S", identity="s", text=f"words {number}. And more."))
    print(number, flush=True)
"""


@pytest.mark.process
def test_whoever_is_killed_while_writing_leaves_every_line_that_was_added(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        seen = -1
        for text in writer.stdout:
            seen = int(text)
            if seen >= 50:
                break
        os.kill(writer.pid, signal.SIGKILL)
        seen = max([seen, *(int(text) for text in writer.stdout.read().split("\n")[:-1])])
    assert seen >= 50
    found = {record["id"]: record["text"] for record in records(tmp_path)}
    shown = (tmp_path / MARKDOWN_NAME).read_text(encoding="utf-8")
    cues = (tmp_path / VTT_NAME).read_text(encoding="utf-8")
    for number in range(seen + 1):
        words = f"words {number}. And more."
        assert found[f"u{number}"] == words
        assert shown.count(words) == 1
        assert cues.count(words) == 1
    assert shown.endswith("\n\n")
    assert cues.endswith("\n\n")


FULL = """
import resource, signal, sys
from pathlib import Path
from meetctl.meeting.transcript import Transcript
from meetctl.protocol import Line
from meetctl.roster import TranscriptMode
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
transcript = Transcript(Path(sys.argv[1]), TranscriptMode.FILES, room="r", topic=None)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for number in range(20):
    transcript.add(Line(id=f"u{number}", at=number, speaker="S", identity="s", text=f"words {number:02}."))
assert transcript.broken, "the files were to be full"
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
transcript.add(Line(id="u20", at=20, speaker="S", identity="s", text="words 20."))
assert transcript.broken is None, transcript.broken
"""


@pytest.mark.process
def test_what_found_no_room_is_written_once_there_is_room_again(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [record["text"] for record in records(tmp_path)] == [f"words {number:02}." for number in range(21)]
    for name in (MARKDOWN_NAME, VTT_NAME):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert [f"words {number:02}." in text for number in range(21)] == [True] * 21
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 9), st.text("xyz\n", max_size=4)), max_size=30),
)
@settings(deadline=None)
def test_an_ordered_file_is_what_its_newest_entries_are_in_order_of_time(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[str, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("ordered") / "file"
    file = OrderedFile(path, "HEAD ")
    newest: dict[str, tuple[int, str]] = {}
    for key, at, text in puts:
        at = newest[key][0] if key in newest else at  # words that are added to do not begin anew
        newest[key] = (at, text)
        assert file.put(key, at, f"{key}{text};") is None
        ordered = sorted(newest, key=lambda name: newest[name][0])  # at the same time: as they came
        assert path.read_text() == "HEAD " + "".join(f"{name}{newest[name][1]};" for name in ordered)
    file.close()


def test_nobody_s_words_can_forge_a_line_of_the_transcript() -> None:
    forged = line("u1", "hi\n\n**Max** (00:00:00): I quit <b>&\n00:00:01.000 --> 00:00:02.000", who="E*v*e\n<v Max>")
    paragraph = markdown(forged)
    assert paragraph.count("\n") == 2
    assert r"\*\*Max\*\*" in paragraph
    assert paragraph.startswith(r"**E\*v\*e \<v Max\>** (")
    cue = vtt(forged, AT)
    head, words, *rest = cue.split("\n")
    assert rest == ["", ""]
    assert head.count("-->") == 1
    assert "-->" not in words
    assert words.startswith("<v E*v*e &lt;v Max&gt;>hi ")
    assert json.loads(json.dumps(record_of(forged, None)))["text"] == forged.text


def test_cues_begin_and_end_with_the_words_and_what_is_cut_off_ends_in_a_dash() -> None:
    begun = AT - 3_661.5
    spoken = line("u1", "Well", interrupted=True, ended_at=AT + 2.004)
    assert vtt(spoken, begun) == "01:01:01.500 --> 01:01:03.504\n<v Ada>Well —\n\n"
    unmeasured = line("u2", "x" * 45)
    assert vtt(unmeasured, AT).startswith("00:00:00.000 --> 00:00:03.000\n")
    fact = line("f1", "Sam came", kind=UtteranceKind.FACT)
    assert vtt(fact, AT).endswith("\n<i>Sam came</i>\n\n")
    assert markdown(fact).startswith("*Sam came* (")


def test_a_persons_line_says_for_whom_it_was_taken_to_be_meant(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path, TranscriptMode.FILES, room="r", topic=None)
    decided = FloorDecided(line_id="u1", speaker="sam", rule="name", agents=("max",), candidates=("ada", "max"))
    transcript.add_decision(decided)
    transcript.add(Line(id="u1", at=0.0, speaker="Sam", identity="sam", text="Max?"))
    transcript.close()
    [record] = map(json.loads, (tmp_path / "transcript.jsonl").read_text(encoding="utf-8").splitlines())
    told = {"rule": "name", "agents": ["max"], "candidates": ["ada", "max"], "judge_ms": None}
    assert record["decided"] == told
