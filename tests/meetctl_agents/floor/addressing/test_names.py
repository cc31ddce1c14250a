"""Where names stand in a text, and how they are used there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.floor.addressing import Decision, Party, View, decide, dismisses
from meetctl_agents.floor.addressing.listening import Addressing

from meetctl.protocol import CastMember

NAMES = ("Ada", "Max", "Will", "Zoë", "Doctor Who")
AGENTS = tuple(Party(name.lower().replace(" ", "-"), name, True) for name in NAMES)
SAM, EVE = Party("sam", "Sam", False), Party("eve", "Eve", False)
EVERYBODY = tuple(agent.identity for agent in AGENTS)


def decided(text: str, language: str | None = "en") -> Decision:
    return decide(text, View((*AGENTS, SAM, EVE), (), "sam", 0.0, language))


@pytest.mark.parametrize(
    ("text", "identities"),
    [
        ("Max, what do you think?", ["max"]),
        ("max what do you think", ["max"]),
        ("MAX!", ["max"]),
        ("Hey Max, can you hear me?", ["max"]),
        ("hey max can you hear me", ["max"]),
        ("Okay, so, Max, tell me.", ["max"]),
        ("What about you, Ada?", ["ada"]),
        ("What do you think about testing, Ada?", ["ada"]),
        ("I think we should wait. Max, do you agree?", ["max"]),
        ("Ada and Max, what do you think?", ["ada", "max"]),
        ("Ada, Max, please answer.", ["ada", "max"]),
        ("First Max, then Ada, please.", ["max", "ada"]),
        ("What did Max say, Ada?", ["ada"]),
        ("Max said no. Ada, do you agree?", ["ada"]),
        ("Thanks, Ada. Max, who writes the mail?", ["max"]),
        ("Zoe, are you there?", ["zoë"]),
        ("Doctor Who, are you there?", ["doctor-who"]),
        ("And what would Max say to that?", ["max"]),
        # as recognisers spell them
        ("Macs, what do you think?", ["max"]),
        ("Ida, are you there?", ["ada"]),
        ("Hey Mack's, hello.", ["max"]),
        ("what about you zoe are you blocked", ["zoë"]),
        ("Ada did Eve say goodbye.", ["ada"]),
        ("Ada did Tom say goodbye.", ["ada"]),
    ],
)
def test_whoever_is_called_is_meant(text: str, identities: list[str]) -> None:
    assert list(decided(text).agents) == identities


@pytest.mark.parametrize(
    "text",
    [
        "I agree with Max.",
        "That was Ada's idea.",
        "Max said earlier that it works.",
        "Thank you. It is too small.",
        "As Ada wrote, it is late.",
        "The maximum is ten.",
        "The data is ready.",
        "Adam comes later.",
        "I will do it.",
        "Thanks, Ada.",
        "Thanks, Ada. Eve, have you read it?",
        "Not you, Ada, I meant Eve.",
        "Eve, ask Max what he thinks.",
        "",
    ],
)
def test_whoever_is_mentioned_thanked_or_excluded_is_not_meant(text: str) -> None:
    decision = decided(text)
    assert not decision.agents
    assert not decision.to_anybody


@pytest.mark.parametrize(
    ("text", "identities"),
    [
        ("Everyone, please introduce yourselves.", EVERYBODY),
        ("What do you all think?", EVERYBODY),
        ("Does everyone agree?", EVERYBODY),
        ("Everybody but Max, one sentence please.", tuple(name for name in EVERYBODY if name != "max")),
        ("I think everyone knows that.", ()),
        ("That is all.", ()),
        ("Thank you, everybody.", ()),
    ],
)
def test_several_are_called_together(text: str, identities: tuple[str, ...]) -> None:
    assert decided(text).agents == identities


@pytest.mark.parametrize(
    ("text", "identities"),
    [
        ("Everyone, please listen.", ()),
        ("Max, what is your view?", ("max",)),
        ("I would do it. What about you, Max?", ("max",)),
        ("Over to you, Max.", ("max",)),
        ("I agree with Max.", ()),
        ("Max and I will do it.", ()),
        ("Max said so", ()),
    ],
)
def test_an_agents_own_text_passes_the_floor_only_by_calling(text: str, identities: tuple[str, ...]) -> None:
    addressing = Addressing("en")
    addressing.set_agents([CastMember(identity=agent.identity, name=agent.name) for agent in AGENTS])
    assert addressing.called_by_agent("ada", text) == identities


@pytest.mark.parametrize(
    ("text", "dismissing"),
    [
        ("Stop.", True),
        ("Stop, stop. That's enough, thank you.", True),
        ("Okay, thank you.", True),
        ("Stop the server before you update it.", False),
        ("Wait, what about Friday?", False),
        ("", False),
    ],
)
def test_telling_somebody_to_stop_is_no_question(text: str, dismissing: bool) -> None:
    assert dismisses(text, "en") is dismissing


@given(st.text(max_size=200), st.sampled_from(["en", "de", "es", "fr", "zh", "ja", "auto", None]))
def test_any_text_means_only_those_who_are_there_and_each_once(text: str, language: str | None) -> None:
    decision = decided(text, language)
    assert set(decision.agents) <= set(EVERYBODY)
    assert len(decision.agents) == len(set(decision.agents))
