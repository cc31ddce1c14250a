"""What a recogniser itself takes for a guess is not heard."""

from __future__ import annotations

import json
from typing import Any

import pytest
from meetctl_agents.models.measures import is_said, without_guesses
from meetctl_agents.models.openai_answers import transcription_json

SAID = {"text": " The launch is on Friday.", "avg_logprob": -0.3, "compression_ratio": 1.2, "no_speech_prob": 0.02}
GUESSED = {"text": " Untertitel von Zuschauern.", "avg_logprob": -1.2, "compression_ratio": 0.8, "no_speech_prob": 0.7}


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        ({"avg_logprob": -0.3, "compression_ratio": 1.2, "no_speech_prob": 0.02}, True),
        ({"avg_logprob": -0.3, "no_speech_prob": 0.9}, True),  # sure of its words all the same
        ({"avg_logprob": -0.8, "no_speech_prob": 0.9}, False),
        ({"avg_logprob": -1.1, "no_speech_prob": 0.1}, False),
        ({"avg_logprob": -0.2, "compression_ratio": 9.0}, False),
        ({"no_speech_prob": 0.9}, False),
        ({}, True),
        ({"avg_logprob": None, "no_speech_prob": "high", "compression_ratio": float("nan")}, True),
    ],
)
def test_each_measure_counts_where_it_is_given(measures: dict[str, Any], said: bool) -> None:
    assert is_said(measures) is said


def test_of_several_segments_those_that_were_said_are_heard() -> None:
    answer = json.dumps({"text": "both", "segments": [SAID, GUESSED]})
    assert json.loads(transcription_json(answer))["text"] == "The launch is on Friday."
    assert json.loads(transcription_json(json.dumps({"text": "x", "segments": [GUESSED]})))["text"] == ""


@pytest.mark.parametrize("segments", [None, [], ["words"], [{"text": " yes"}, {"start": 1}], [SAID]])
def test_an_answer_without_measures_keeps_its_text(segments: object) -> None:
    answer = {"text": "Yes, on Friday.", "segments": segments}
    assert without_guesses(answer) == answer
