"""Sentences that a pause split are one line again."""

from __future__ import annotations

from meetctl_agents.meeting.lines import MERGE_S, Utterances

from meetctl.protocol import Line, UtteranceKind


def say(
    utterances: Utterances, who: str, text: str, began: float, ended: float, kind: UtteranceKind = UtteranceKind.SPEECH
) -> Line:
    return utterances.line(identity=who, name=who.title(), text=text, began_at=began, ended_at=ended, kind=kind)


def test_who_goes_on_soon_had_not_finished() -> None:
    utterances = Utterances("r")
    first = say(utterances, "sam", "I think we should wait.", 10, 12)
    second = say(utterances, "sam", "Max, do you agree?", 12 + MERGE_S, 16)
    assert second == first.model_copy(update={"text": "I think we should wait. Max, do you agree?", "ended_at": 16})


def test_who_goes_on_later_says_something_new() -> None:
    utterances = Utterances("r")
    first = say(utterances, "sam", "I think we should wait.", 10, 12)
    assert say(utterances, "sam", "Max?", 12.1 + MERGE_S, 16).id != first.id


def test_two_people_are_never_merged() -> None:
    utterances = Utterances("r")
    first = say(utterances, "sam", "I think", 10, 12)
    other = say(utterances, "eve", "We should wait.", 12.1, 13)
    again = say(utterances, "sam", "it is late.", 12.5, 14)
    assert other.id != first.id
    assert (again.id, again.text) == (first.id, "I think it is late.")


def test_after_an_agent_was_heard_a_new_line_begins() -> None:
    utterances = Utterances("r")
    first = say(utterances, "sam", "Hello.", 10, 11)
    utterances.agent_was_heard()
    assert say(utterances, "sam", "Stop.", 11.5, 12).id != first.id


def test_a_chat_message_stands_alone() -> None:
    utterances = Utterances("r")
    first = say(utterances, "sam", "Hello.", 10, 11)
    typed = say(utterances, "sam", "typed", 11.1, 11.1, UtteranceKind.CHAT)
    assert typed.id != first.id
    assert say(utterances, "sam", "typed too", 11.2, 11.2, UtteranceKind.CHAT).id != typed.id


def test_what_a_line_would_be_is_known_beforehand_and_changes_nothing() -> None:
    utterances = Utterances("r")
    first = say(utterances, "sam", "I think", 10, 12)
    for words, began in (("so.", 12.5), ("Something new.", 30.0)):
        kind = UtteranceKind.SPEECH
        seen = utterances.foreseen(identity="sam", name="Sam", text=words, began_at=began, kind=kind)
        again = utterances.foreseen(identity="sam", name="Sam", text=words, began_at=began, kind=kind)
        assert seen == again
        assert (seen.id == first.id) is (began < 13)
        line = say(utterances, "sam", words, began, began + 1)
        assert (line.id, line.text) == (seen.id, seen.text)
