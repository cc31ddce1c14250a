"""Whom a sentence is meant for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.floor.addressing.names import addressed, dismisses

from meetctl.protocol import CastMember

CAST = [
    CastMember(identity=name.lower().replace(" ", "-"), name=name)
    for name in ("Ada", "Max", "Will", "Zoë", "Doctor Who")
]


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
        ("Thanks, Ada.", ["ada"]),
        ("I think we should wait. Max, do you agree?", ["max"]),
        ("Ada and Max, what do you think?", ["ada", "max"]),
        ("Ada, Max, please answer.", ["ada", "max"]),
        ("What did Max say, Ada?", ["ada"]),
        ("Max said no. Ada, do you agree?", ["ada"]),
        ("I agree with Max.", ["max"]),
        ("That was Ada's idea.", ["ada"]),
        ("Zoe, are you there?", ["zoë"]),
        ("Doctor Who, are you there?", ["doctor-who"]),
        ("Doctor, are you there?", ["doctor-who"]),
        # as a transcription spells them
        ("Macs, what do you think?", ["max"]),
        ("Ida, are you there?", ["ada"]),
        ("Hey Mack's, hello.", ["max"]),
        # words that only look like names
        ("The maximum is ten.", []),
        ("Is the data ready?", []),
        ("Adam, come here.", []),
        ("Mix it well.", []),
        ("I will do it.", []),
        ("Will you do it?", []),
        ("Will, will you do it?", ["will"]),
        ("Who is there?", []),
        ("", []),
        ("What do you think?", []),
    ],
)
def test_a_person_is_understood(text: str, identities: list[str]) -> None:
    assert list(addressed(text, CAST)) == identities


EVERYBODY = [member.identity for member in CAST]


@pytest.mark.parametrize(
    ("text", "identities"),
    [
        ("Everyone, please introduce yourselves.", EVERYBODY),
        ("Hi everybody!", EVERYBODY),
        ("What do you all think?", EVERYBODY),
        ("Does everyone agree?", EVERYBODY),
        ("I think everyone knows that.", []),
        ("That is all.", []),
        ("The team is fine.", []),
        ("What do you two think?", ["ada", "will"]),
        ("I would like to hear both of you.", ["ada", "will"]),
        ("Ada, do you think everyone agrees?", ["ada"]),
    ],
)
def test_several_are_called_together(text: str, identities: list[str]) -> None:
    # Will and Ada spoke last, between them only a person
    recent = ["max", "will", "sam", "ada"]
    assert list(addressed(text, CAST, recent=recent)) == identities


@pytest.mark.parametrize(
    ("text", "identities"),
    [
        ("Everyone, please listen.", []),
        ("Max, what is your view?", ["max"]),
        ("I would do it. What about you, Max?", ["max"]),
        ("Over to you, Max.", ["max"]),
        ("I agree with Max.", []),
        ("Max and I will do it.", []),
        ("Max said so", []),
    ],
)
def test_an_agents_own_text_passes_the_floor_only_by_calling(text: str, identities: list[str]) -> None:
    assert list(addressed(text, CAST, called_only=True)) == identities


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
    assert dismisses(text) is dismissing


@given(st.text(max_size=200))
def test_any_text_names_only_those_who_are_there(text: str) -> None:
    names = addressed(text, CAST)
    assert set(names) <= {member.identity for member in CAST}
    assert len(names) == len(set(names))
