"""What an agent remembers, and how its model is told."""

from __future__ import annotations

import itertools
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.memory import (
    KEPT_LINES,
    MOST_CHARACTERS,
    MOST_LINES,
    NOTE,
    OPEN,
    YOUR_TURN,
    Memory,
    Message,
    instructions_from_assignment,
)
from pydantic import SecretStr

from meetctl.protocol import Assignment, CastMember, Line, UtteranceKind


def line(number: int, identity: str, text: str, *, interrupted: bool = False) -> Line:
    return Line(
        id=f"l{number}", at=number, speaker=identity.title(), identity=identity, text=text, interrupted=interrupted
    )


def test_the_others_are_told_by_name_and_its_own_words_as_its_own() -> None:
    memory = Memory("ada", [line(1, "sam", "Hello."), line(2, "max", "Hi."), line(3, "ada", "Welcome")])
    memory.add(line(4, "sam", "Ada, and now?"))
    assert memory.prompt("Be Ada.") == (
        Message("system", "Be Ada."),
        Message("user", "Sam: Hello.\nMax: Hi."),
        Message("assistant", "Welcome"),
        Message("user", "Sam: Ada, and now?"),
    )


def test_a_line_of_the_same_id_takes_the_place_of_the_half_sentence() -> None:
    memory = Memory("ada", [line(1, "sam", "I think")])
    memory.add(line(1, "sam", "I think we should wait."))
    assert [kept.text for kept in memory.lines] == ["I think we should wait."]


def test_the_prompt_ends_with_the_others_even_where_the_agent_spoke_last() -> None:
    memory = Memory("ada", [line(1, "ada", "As I was saying", interrupted=True)])
    assert memory.prompt("Be Ada.")[1:] == (Message("assistant", "As I was saying…"), Message("user", YOUR_TURN))


@given(st.lists(st.tuples(st.sampled_from(["sam", "ada", "max"]), st.text(max_size=2000)), max_size=80))
def test_any_meeting_makes_a_short_prompt_that_alternates(said: list[tuple[str, str]]) -> None:
    memory = Memory("ada")
    for number, (identity, text) in enumerate(said):
        memory.add(line(number, identity, text))
    roles = [message.role for message in memory.prompt("Be Ada.")]
    assert roles[0] == "system"
    assert roles[-1] == "user"
    assert all(one != other for one, other in itertools.pairwise(roles))
    assert len(memory.lines) <= MOST_LINES
    spoken = [text for _, text in said if text.strip()]
    assert [kept.text for kept in memory.lines[-KEPT_LINES:]] == spoken[-min(KEPT_LINES, len(memory.lines)) :][
        : len(memory.lines)
    ]


def test_an_agent_is_told_who_it_is_and_who_else_is_there() -> None:
    told = instructions_from_assignment(
        Assignment(
            identity="ada",
            name="Ada",
            room="r",
            url="ws://h",
            token=SecretStr("t"),
            persona="You build backends.",
            topic="the launch",
            cast=(CastMember(identity="ada", name="Ada"), CastMember(identity="max", name="Max")),
        )
    )
    assert "You are Ada" in told
    assert "You build backends." in told
    assert "the launch" in told
    assert "Max" in told
    assert "Also here: Ada" not in told


def test_facts_are_told_and_who_spoke_is_remembered_longer_than_what_was_said() -> None:
    memory = Memory("ada", [line(0, "sam", "Hello.")])
    fact = Line(id="f", at=0, speaker="Chair", identity="chair", kind=UtteranceKind.FACT, text="Eve joined.")
    memory.add(fact)
    assert memory.prompt("Be Ada.")[1:] == (Message("user", f"Sam: Hello.\n{NOTE}: Eve joined."),)
    for number in range(1, MOST_LINES + 5):
        memory.add(line(number, "max", "words"))
    told = memory.prompt("Be Ada.")
    assert "Sam" in told[0].text
    assert "Chair" not in told[0].text
    assert "Hello." not in told[1].text


def test_a_line_that_may_be_about_to_be_heard_is_told_and_not_remembered() -> None:
    memory = Memory("ada", [line(1, "sam", "I think")])
    newest = line(1, "sam", "I think we should wait.")
    assert memory.prompt("Be Ada.", newest=newest)[-1] == Message("user", "Sam: I think we should wait.")
    assert memory.prompt("Be Ada.")[-1] == Message("user", "Sam: I think")


def test_the_first_to_speak_of_its_own_accord_opens_and_a_later_one_does_not() -> None:
    assert Memory("ada").prompt("Be Ada.", unasked=True)[-1].text == OPEN
    assert Memory("ada", [line(1, "sam", "Hello.")]).prompt("Be Ada.", unasked=True)[-1].text.endswith(YOUR_TURN)


def test_long_talk_is_forgotten_by_its_length_half_of_it_at_once_and_the_newest_line_never() -> None:
    memory, sizes = Memory("ada"), []
    for number in range(12):
        memory.add(Line(id=str(number), at=0, speaker="Sam", identity="sam", text=f"{number} " + "word " * 80))
        sizes.append(sum(len(line.text) for line in memory.lines))
        assert memory.lines[-1].id == str(number)
    assert max(sizes) <= MOST_CHARACTERS
    assert sum(after < before for before, after in pairwise(sizes)) == 1, "the prompt grows for many lines in a row"
    memory.add(Line(id="endless", at=0, speaker="Sam", identity="sam", text="word " * 10_000))
    assert memory.lines[-1].id == "endless"


@given(st.lists(st.tuples(st.sampled_from(["sam", "ada", "max"]), st.text(min_size=1, max_size=600)), max_size=60))
def test_what_is_prepared_for_a_line_is_what_is_wanted_once_it_was_heard(said: list[tuple[str, str]]) -> None:
    memory = Memory("ada")
    for number, (identity, text) in enumerate(said):
        heard = line(number, identity, text)
        prepared = memory.prompt("", newest=heard)
        memory.add(heard)
        assert not text.strip() or memory.prompt("") == prepared


def test_between_turns_room_is_made_so_that_the_next_lines_only_add_to_what_was_read() -> None:
    memory, forgot = Memory("ada"), 0
    for number in range(200):
        before = memory.lines
        memory.add(line(number, "sam", "word " * 30))
        assert memory.lines[:-1] == before
        if number % 3 == 0:
            memory.make_room()
            forgot += len(memory.lines) <= len(before)
    assert forgot > 1
