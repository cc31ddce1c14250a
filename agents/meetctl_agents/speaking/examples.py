"""Examples of how an agent answers: what does with a small model what instructions do not. Pure.

They stand behind the instructions and never change, so that they are read once. Those of the roster are for every
model; where it has none, there are two for the small local model only: who the agent is, made of the persona's own
sentences in the first person, and an answer that keeps to its question and brings no subject of its own. Two of the
persona alone were said again to every open question ("Build backends first!").
"""

from __future__ import annotations

import re

from meetctl.protocol import Assignment

from ..models.prompt import Message, is_for_small_model

MOST_OF_PERSONA = 2
"""Sentences of it."""
_WHO = "Who are you?"
_I_AM = "I am {name}."
_PLAIN = "How long will it take?"
"""As it is told of what is said to it by name."""
_ANSWERED = "About two days. I tell you at once if it takes longer."
"""Of nothing that a meeting could take for its subject: of a broken coffee machine half of the answers told again."""

_SENTENCE = re.compile(r"[^.!?]+[.!?]?")
_MANNER = re.compile(
    r"\b(?:sentences?|words?|answers?|reply|replies|speak|talk|brief(?:ly)?|short(?:ly)?|concise(?:ly)?|never|always|"
    r"must|do not|don't|avoid|instructions?)\b",
    re.IGNORECASE,
)
"""How it is to talk is no answer."""
_CLAUSE = re.compile(r",? (?:and|but) (?=(?:you |say|answer|speak|reply|talk|keep|stay))|; ", re.IGNORECASE)
_FIRST_PERSON = (
    (re.compile(r"\byou are\b", re.IGNORECASE), "I am"),
    (re.compile(r"\byou're\b", re.IGNORECASE), "I'm"),
    (re.compile(r"\byourself\b", re.IGNORECASE), "myself"),
    (re.compile(r"\byours\b", re.IGNORECASE), "mine"),
    (re.compile(r"\byour\b", re.IGNORECASE), "my"),
    (re.compile(r"(?<=\w )\byou(?=[.,;!?]|$)", re.IGNORECASE), "me"),
    (re.compile(r"\byou\b", re.IGNORECASE), "I"),
)


def examples_from_assignment(assignment: Assignment) -> tuple[Message, ...]:
    """Returns what stands between the instructions and the meeting: questions and this agent's answers by turns."""
    if assignment.examples:
        given = [(example.asked, example.answer) for example in assignment.examples]
    elif is_for_small_model(assignment) and assignment.tools is None:  # shown answers, it asks for no tool any more
        told = " ".join([_I_AM.format(name=assignment.name), *_said_of_oneself(assignment.persona)])
        given = [(_WHO, told), (_PLAIN, _ANSWERED)]
    else:
        given = []
    return tuple(
        message for asked, answer in given for message in (Message("user", asked), Message("assistant", answer))
    )


def _said_of_oneself(persona: str) -> list[str]:
    """Returns the persona's first sentences about itself, as it would say them."""
    found = []
    for sentence in _SENTENCE.findall(" ".join(persona.split())):
        told = next(iter(_CLAUSE.split(sentence.strip(), maxsplit=1)), "").strip(" .!?")
        if re.match(r"you(?:r|'re)?\b", told, re.IGNORECASE) and not _MANNER.search(told):
            found.append(_in_first_person(told))
    return found[:MOST_OF_PERSONA]


def _in_first_person(told: str) -> str:
    for pattern, own in _FIRST_PERSON:
        told = pattern.sub(own, told)
    return f"{told[:1].upper()}{told[1:]}."
