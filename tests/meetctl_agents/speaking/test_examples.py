"""What stands between the instructions and the meeting."""

from __future__ import annotations

import pytest
from meetctl_agents.models.prompt import instructions_from_assignment
from meetctl_agents.speaking.examples import examples_from_assignment
from meetctl_agents.speaking.memory import MOST_CHARACTERS, MOST_LINES, Memory
from pydantic import SecretStr

from meetctl.local.models import prompts
from meetctl.local.models.prompts import fit
from meetctl.protocol import Assignment, Endpoint, Example, Line

LOCAL = Endpoint(base_url="http://h/v1", api_key=SecretStr("k"), model="m", reads_ahead=True)


def told(persona: str, *given: Example, llm: Endpoint | None = LOCAL) -> list[tuple[str, str]]:
    assignment = Assignment(
        identity="ada",
        name="Ada",
        room="r",
        url="ws://h",
        token=SecretStr("t"),
        persona=persona,
        examples=given,
        llm=llm,
    )
    return [(message.role, message.text) for message in examples_from_assignment(assignment)]


def test_examples_of_the_roster_are_told_as_they_are_to_every_model() -> None:
    own = Example(asked="Ready?", answer="Not yet.")
    for llm in (LOCAL, LOCAL.model_copy(update={"reads_ahead": False})):
        assert told("You build backends.", own, llm=llm) == [("user", "Ready?"), ("assistant", "Not yet.")]


@pytest.mark.parametrize(
    ("persona", "answer"),
    [
        (
            "You build backends. You like simple, reliable systems and say so in one or two short sentences.",
            "I am Ada. I build backends. I like simple, reliable systems.",
        ),
        (
            "You are the product manager. You care about what users feel, and answer in one or two short sentences.",
            "I am Ada. I am the product manager. I care about what users feel.",
        ),
        ("Your team trusts you. You never give in.", "I am Ada. My team trusts me."),
        ("A pirate.\nAnswer briefly. You must speak French.", "I am Ada."),
        ("", "I am Ada."),
    ],
)
def test_a_small_model_gets_what_its_persona_says_of_itself_in_the_first_person(persona: str, answer: str) -> None:
    given = told(persona)
    assert given[1] == ("assistant", answer)
    assert [role for role, _ in given] == ["user", "assistant"] * 2
    assert not any("Ada" in text for role, text in given if role == "user"), "as it is told of what is said to it"


def test_a_large_model_gets_none_that_nobody_wrote() -> None:
    assert told("You build backends.", llm=LOCAL.model_copy(update={"reads_ahead": False})) == []


def test_a_memory_that_is_full_and_the_examples_are_given_to_the_local_model_whole() -> None:
    persona = "You build backends. You like simple, reliable systems and say so in one or two short sentences."
    assignment = Assignment(
        identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"), persona=persona, llm=LOCAL
    )
    memory = Memory("ada")
    said = "We should wait, I think, until the tests are green, and then ship it. "
    for number in range(MOST_LINES):
        speaker = ("Sam", "Eve", "Ada")[number % 3]
        text = said * (MOST_CHARACTERS // MOST_LINES // len(said))
        memory.add(Line(id=f"u{number}", at=number, speaker=speaker, identity=speaker.lower(), text=text))
    assert len(memory.lines) == MOST_LINES
    instructions, *lines = memory.prompt(instructions_from_assignment(assignment))
    whole = [instructions, *examples_from_assignment(assignment), *lines]
    kept = fit(prompts.ChatMessage(message.role, message.text) for message in whole)
    assert sum(len(message.content.replace("\n", "")) for message in kept) >= sum(
        len(message.text.replace("\n", "")) for message in whole
    )
