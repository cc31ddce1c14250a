"""What an agent is told to do in a turn that answers another agent: talk among agents alone goes nowhere by itself.

They agree with each other, thank each other, and say it again. So each such turn gets a task that brings something in:
an objection, a risk, a step, a question to one of the people. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from meetctl.protocol import TALK, Line

from ..models.prompt import told_name

OBJECT = "(Do not simply agree: object to one point of that, and say why.)"
RISK = "(Name one risk in it that nobody has named yet.)"
NEXT_STEP = "(Say which step comes next, and what it needs.)"
ASK = '(Ask "{person}" one question about it, by name.)'
"""To one of the people, where there is any: they are who the talk is for."""


def move_after(lines: Sequence[Line], identity: str, agents: Sequence[str], here: Sequence[str]) -> str | None:
    """Returns the task of the turn that follows these lines; None for the first answer to what a person said.

    Args:
        lines: oldest first.
        identity: whose turn it is.
        agents: identities of the cast; neighbours in it do not get the same.
        here: what the people are called who are in the room.
    """
    talk = [line for line in lines if line.kind in TALK]
    asked_at = next((at for at in reversed(range(len(talk))) if talk[at].identity not in (identity, *agents)), None)
    since = talk if asked_at is None else talk[asked_at + 1 :]
    spoke = {line.identity for line in since}
    if spoke <= {identity} or (asked_at is not None and identity not in spoke):
        return None
    turns, place = len(since), agents.index(identity) if identity in agents else 0
    moves = [OBJECT, RISK, *([ASK.format(person=told_name(_least_heard(talk, here)))] if here else []), NEXT_STEP]
    return moves[(turns - 1 + place) % len(moves)]


def _least_heard(talk: Sequence[Line], here: Sequence[str]) -> str:
    """Returns who has not spoken for the longest time."""
    spoke = [line.speaker for line in talk]
    return min(here, key=lambda name: max((index for index, each in enumerate(spoke) if each == name), default=-1))
