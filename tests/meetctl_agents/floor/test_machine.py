"""The floor's machine: by example, and by what must hold whatever happens."""

from __future__ import annotations

import pytest
from meetctl_agents.floor.events import (
    Action,
    AgentGone,
    CastSet,
    Changed,
    Event,
    GrantFloor,
    HandedOver,
    HumanCame,
    HumanLeft,
    NothingSaid,
    PlaybackStarted,
    Released,
    RevokeFloor,
    SpeechStarted,
    Tick,
    UtteranceFinal,
)
from meetctl_agents.floor.machine import LONGEST_S, RELEASE_S, SILENT_S, TALK_S, next_deadline, step
from meetctl_agents.floor.state import Floor

from meetctl.protocol import CastMember, Line, MeetingRules, Speaks

MOST_AGENT_TURNS = MeetingRules().max_agent_turns or 0

CAST = (
    CastMember(identity="ada", name="Ada"),
    CastMember(identity="max", name="Max"),
    CastMember(identity="shy", name="Shy", speaks=Speaks.ON_ADDRESS),
    CastMember(identity="mute", name="Mute", speaks=Speaks.NEVER),
    CastMember(identity="bot", name="Bot", serves_floor=False),
)


def line(identity: str, text: str = "words", id: str = "u1") -> Line:
    return Line(id=id, at=0, speaker=identity.title(), identity=identity, text=text)


def run(*events: tuple[float, Event] | Event, humans: tuple[str, ...] = ("sam", "eve")) -> tuple[Floor, list[Action]]:
    """Returns the floor after the events and everything it did, in a meeting of CAST and the humans."""
    floor = Floor(run="r")
    floor, _ = step(floor, CastSet(CAST), 0)
    for human in humans:
        floor, _ = step(floor, HumanCame(human), 0)
    done: list[Action] = []
    now = 0.0
    for event in events:
        now, happened = event if isinstance(event, tuple) else (now + 0.01, event)
        floor, actions = step(floor, happened, now)
        done += actions
    return floor, done


def gives(actions: list[Action]) -> list[str]:
    return [action.identity for action in actions if isinstance(action, GrantFloor)]


def spoken(identity: str, *addressed: str, id: str = "u1") -> list[Event]:
    return [SpeechStarted(identity), UtteranceFinal(line(identity, id=id), addressed)]


def released(identity: str, number: int, *addressed: str, interrupted: bool = False) -> Released:
    said = line(identity, id=f"r-{number}").model_copy(update={"interrupted": interrupted})
    return Released(identity, f"r-{number}", said, addressed)


def test_the_agent_that_is_named_gets_the_floor_with_the_words() -> None:
    _, done = run(*spoken("sam", "max"))
    assert done == [GrantFloor("max", "r-1", line("sam")), Changed("max")]


@pytest.mark.parametrize(("named", "granted"), [("shy", ["shy"]), ("mute", []), ("bot", []), ("nobody", [])])
def test_an_agent_speaks_only_as_it_may(named: str, granted: list[str]) -> None:
    assert gives(run(*spoken("sam", named))[1]) == granted


def test_what_nobody_is_named_in_goes_to_those_who_speak_freely_by_turn() -> None:
    events: list[Event] = []
    for number in range(1, 4):
        holder = "ada" if number % 2 else "max"
        events += [*spoken("sam", id=f"u{number}"), released(holder, number)]
    assert gives(run(*events)[1]) == ["ada", "max", "ada"]


def test_two_who_are_named_answer_one_after_the_other() -> None:
    floor, done = run(*spoken("sam", "max", "ada"))
    assert gives(done) == ["max"]
    _, more = run(*spoken("sam", "max", "ada"), released("max", 1))
    assert gives(more) == ["max", "ada"]
    assert floor.holder == "max"


def test_a_human_who_begins_to_talk_cuts_the_holder_off_once() -> None:
    _, done = run(*spoken("sam", "max"), SpeechStarted("eve"), SpeechStarted("sam"))
    assert done[2:] == [RevokeFloor("max", "r-1")]


def test_the_floor_is_given_again_only_after_the_holder_let_go() -> None:
    talk = [*spoken("sam", "max"), SpeechStarted("sam"), UtteranceFinal(line("sam", id="u2"), ("ada",))]
    assert gives(run(*talk)[1]) == ["max"]
    assert gives(run(*talk, released("max", 1, interrupted=True))[1]) == ["max", "ada"]


def test_a_holder_that_does_not_let_go_loses_the_floor() -> None:
    talk = [*spoken("sam", "max"), SpeechStarted("sam"), UtteranceFinal(line("sam", id="u2"), ("ada",))]
    floor, done = run(*talk, (5.0 + RELEASE_S, Tick()))
    assert gives(done) == ["max", "ada"]
    assert floor.holder == "ada"


def test_a_holder_that_is_never_heard_loses_the_floor() -> None:
    floor, done = run(*spoken("sam", "max"), (1 + SILENT_S, Tick()))
    assert (floor.holder, done[2:]) == (None, [RevokeFloor("max", "r-1"), Changed(None)])


def test_a_holder_that_is_heard_has_time_to_speak() -> None:
    floor, _ = run(*spoken("sam", "max"), PlaybackStarted("max"), (1 + SILENT_S, Tick()))
    assert floor.holder == "max"
    floor, _ = run(*spoken("sam", "max"), PlaybackStarted("max"), (1 + LONGEST_S, Tick()))
    assert floor.holder is None


@pytest.mark.parametrize("gone", [AgentGone("max"), CastSet(CAST[:1])])
def test_a_holder_that_leaves_loses_the_floor(gone: Event) -> None:
    floor, done = run(*spoken("sam", "max"), gone)
    assert (floor.holder, done[2]) == (None, Changed(None))


def test_a_late_or_foreign_release_takes_nobodys_floor() -> None:
    floor, _ = run(*spoken("sam", "max"), released("ada", 1), Released("max", "r-0", None), Released("max", "x", None))
    assert floor.holder == "max"


def test_nobody_is_granted_the_floor_while_no_human_is_there() -> None:
    assert gives(run(UtteranceFinal(line("sam"), ("max",)), humans=())[1]) == []


def test_nobody_is_granted_the_floor_while_a_human_talks() -> None:
    events = [SpeechStarted("eve"), *spoken("sam", "max")]
    assert gives(run(*events)[1]) == []
    assert gives(run(*events, NothingSaid("eve"))[1]) == ["max"]
    assert gives(run(*events, HumanLeft("eve"))[1]) == ["max"]


def test_a_noise_that_never_ends_does_not_hold_the_others_back_for_ever() -> None:
    floor, done = run(SpeechStarted("eve"), *spoken("sam", "max"))
    due = next_deadline(floor, 1)
    assert due is not None
    assert due <= TALK_S + 1
    assert gives(run(SpeechStarted("eve"), *spoken("sam", "max"), (due, Tick()))[1]) == ["max"]
    assert gives(done) == []


def test_a_remark_to_nobody_does_not_take_the_answer_away_from_somebody() -> None:
    # Eve's remark cuts Max off; he is the one it was meant for, not the next by turn.
    talk = [*spoken("sam", "max"), SpeechStarted("eve"), released("max", 1, interrupted=True)]
    assert gives(run(*talk, UtteranceFinal(line("eve", id="u2")))[1]) == ["max", "max"]


def test_a_chat_remark_to_nobody_leaves_the_holder_alone() -> None:
    floor, done = run(*spoken("sam", "max"), UtteranceFinal(line("eve", id="u2"), spoken=False))
    assert (floor.holder, done[2:]) == ("max", [])


def test_a_chat_message_that_names_an_agent_takes_the_floor() -> None:
    events = [*spoken("sam", "max"), UtteranceFinal(line("eve", id="u2"), ("ada",), spoken=False)]
    assert run(*events)[1][2:] == [RevokeFloor("max", "r-1")]
    assert gives(run(*events, released("max", 1, interrupted=True))[1]) == ["max", "ada"]


def test_a_cough_gives_the_floor_back_to_whom_it_cut_off() -> None:
    events = [*spoken("sam", "max"), SpeechStarted("eve"), released("max", 1, interrupted=True), NothingSaid("eve")]
    assert gives(run(*events)[1]) == ["max", "max"]


def test_who_is_told_to_stop_does_not_begin_again() -> None:
    stop = UtteranceFinal(line("sam", "Stop, that is enough.", id="u2"), dismisses=True)
    cut = [*spoken("sam", "max"), SpeechStarted("sam"), released("max", 1, interrupted=True), stop]
    assert gives(run(*cut)[1]) == ["max"]
    assert gives(run(*cut, *spoken("sam", id="u3"))[1]) == ["max", "ada"]


def test_who_is_told_to_stop_in_writing_falls_silent() -> None:
    stop = UtteranceFinal(line("sam", "stop", id="u2"), spoken=False, dismisses=True)
    assert run(*spoken("sam", "max"), stop)[1][2:] == [RevokeFloor("max", "r-1")]


def test_a_person_who_goes_on_moves_the_answer_to_whom_they_name_at_last() -> None:
    events = [*spoken("sam"), SpeechStarted("sam"), Released("ada", "r-1", None), UtteranceFinal(line("sam"), ("max",))]
    assert gives(run(*events)[1]) == ["ada", "max"]


def test_an_agent_may_pass_the_floor_to_another_it_names() -> None:
    assert gives(run(*spoken("sam", "ada"), released("ada", 1, "max"))[1]) == ["ada", "max"]


def test_an_agent_cannot_name_itself_or_pass_on_what_it_did_not_finish() -> None:
    assert gives(run(*spoken("sam", "ada"), released("ada", 1, "ada"))[1]) == ["ada"]
    assert gives(run(*spoken("sam", "ada"), released("ada", 1, "max", interrupted=True))[1]) == ["ada"]


def test_agents_who_name_each_other_stop_after_some_turns_and_may_begin_again_when_a_human_spoke() -> None:
    events: list[Event] = [*spoken("sam", "ada")]
    for number in range(1, 10):
        me, other = ("ada", "max") if number % 2 else ("max", "ada")
        events.append(released(me, number, other))
    assert len(gives(run(*events)[1])) == MOST_AGENT_TURNS
    assert len(gives(run(*events, *spoken("sam", "ada", id="u2"))[1])) == MOST_AGENT_TURNS + 1


def test_what_waits_is_forgotten_when_the_last_human_leaves() -> None:
    events = [*spoken("sam", "max", "ada"), HumanLeft("sam"), released("max", 1), HumanCame("eve")]
    assert gives(run(*events, humans=("sam",))[1]) == ["max"]


def test_whoever_is_handed_the_question_answers_it_next() -> None:
    _, done = run(*spoken("sam", "ada"), HandedOver("ada", "shy"), released("ada", 1, "max"))
    assert gives(done) == ["ada", "shy"]
    assert done[-2] == GrantFloor("shy", "r-2", line("sam"))


@pytest.mark.parametrize("to", ["mute", "stranger"])
def test_nothing_is_handed_to_who_may_not_speak(to: str) -> None:
    _, done = run(*spoken("sam", "ada"), HandedOver("ada", to), released("ada", 1))
    assert gives(done) == ["ada"]


def test_only_the_holder_hands_over_and_a_question_does_not_go_round_for_ever() -> None:
    _, done = run(*spoken("sam", "ada"), HandedOver("max", "shy"), released("ada", 1))
    assert gives(done) == ["ada"]
    rounds: list[Event] = []
    for number in range(1, MOST_AGENT_TURNS + 4):
        holder, other = ("ada", "max") if number % 2 else ("max", "ada")
        rounds += [HandedOver(holder, other), released(holder, number)]
    _, done = run(*spoken("sam", "ada"), *rounds)
    assert len(gives(done)) == MOST_AGENT_TURNS
