"""What an agent remembers, and how its model is told."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.memory import KEPT_LINES, MOST_LINES, YOUR_TURN, Memory, Message, instructions_from_assignment
from pydantic import SecretStr

from meetctl.protocol import Assignment, CastMember, Line


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
