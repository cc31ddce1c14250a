"""An agent's voice that comes back through somebody's microphone is not taken for that person's words."""

from __future__ import annotations

import pytest
from meetctl_agents.floor.events import SpeechStarted
from meetctl_agents.hearing.echo import SUSPECT_S, EchoGuard
from meetctl_agents.hearing.listener import FinalTranscript, PreflightTranscript

SAID = "We should test the backend with real users before the launch on Friday."


def heard(text: str, began_at: float, identity: str = "sam") -> FinalTranscript:
    return FinalTranscript(identity, identity.title(), text, began_at, began_at + 1, "t", {})


@pytest.fixture
def guard() -> EchoGuard:
    guard = EchoGuard()
    guard.will_say("ada", SAID)
    guard.sounds("ada", 100.0)
    return guard


@pytest.mark.parametrize(
    "text", [SAID, "test the backend with real users", "we should test the back end with real users before"]
)
def test_what_an_agent_says_just_then_counts_as_no_words(guard: EchoGuard, text: str) -> None:
    assert guard.passed(SpeechStarted("sam"), 100.3) == (SpeechStarted("sam"),)
    assert guard.passed(PreflightTranscript("sam", "Sam", text, 100.3, "t"), 102) == ()
    (passed,) = guard.passed(heard(text, 100.3), 103)
    assert passed == heard("", 100.3)


@pytest.mark.parametrize("text", ["Stop, please.", "No, with real users it takes too long.", "on Friday"])
def test_other_words_are_heard(guard: EchoGuard, text: str) -> None:
    assert guard.passed(heard(text, 101), 103) == (heard(text, 101),)


def test_the_same_words_are_heard_of_whoever_says_them_afterwards(guard: EchoGuard) -> None:
    guard.falls_silent("ada", SAID, 105)
    assert guard.passed(heard(SAID, 105.5), 110) == (heard(SAID, 105.5),)
    assert guard.passed(heard(SAID, 99), 110) == (heard(SAID, 99),)


def test_a_microphone_known_for_it_interrupts_nobody_until_its_words_are_known(guard: EchoGuard) -> None:
    guard.passed(heard(SAID, 100.3), 103)
    guard.falls_silent("ada", "We should", 101)
    guard.will_say("ada", "Then Max writes the mail.")
    guard.sounds("ada", 104)
    assert guard.passed(SpeechStarted("sam"), 104.3) == ()
    assert guard.passed(heard("Max writes", 104.3), 106) == ()
    assert guard.passed(SpeechStarted("sam"), 106.3) == ()
    assert guard.passed(heard("", 106.3), 107) == ()
    assert guard.passed(SpeechStarted("eve"), 106.4) == (SpeechStarted("eve"),)
    assert guard.passed(SpeechStarted("sam"), 107) == ()
    stop = heard("Stop, please.", 107)
    assert guard.passed(stop, 108) == (SpeechStarted("sam"), stop)


def test_it_is_trusted_again_once_it_gave_no_echo_for_a_while_or_nobody_speaks(guard: EchoGuard) -> None:
    guard.passed(heard(SAID, 100.3), 103)
    assert guard.passed(SpeechStarted("sam"), 103 + SUSPECT_S) == (SpeechStarted("sam"),)
    guard.falls_silent("ada", SAID, 104)
    assert guard.passed(SpeechStarted("sam"), 104.5) == (SpeechStarted("sam"),)
