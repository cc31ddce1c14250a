"""The turns of agents as the chair knows them: which it has taken down, and what of one that broke off was heard. Pure.

A release may come twice, since an agent repeats it until the chair took it. None comes of an agent that was killed:
then what it had said that it would say is cut where it had got to by the time, as far as anybody can know.
"""

from __future__ import annotations

from dataclasses import dataclass

from meetctl.protocol import Draft, Release

CHARACTERS_PER_S = 15.0
"""Of speech at an ordinary pace."""
MOST_TAKEN = 200
"""Turns remembered; an agent has one or two that it may tell again."""


@dataclass(slots=True)
class _Turn:
    grant_id: str
    text: str = ""
    sounded_at: float | None = None


class AgentTurns:
    """Keeps, for each agent, the turn under way."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}
        self._taken: dict[str, None] = {}

    def drafted(self, identity: str, draft: Draft) -> None:
        """The agent says what it will have said."""
        if draft.grant_id not in self._taken:
            self._turn(identity, draft.grant_id).text = draft.text

    def sounded(self, identity: str, grant_id: str, at: float) -> None:
        """The agent can be heard; Unix time, seconds."""
        turn = self._turn(identity, grant_id)
        turn.sounded_at = turn.sounded_at or at

    def is_new(self, identity: str, release: Release) -> bool:
        """Takes a release; returns False if it has been taken before."""
        turn = self._turns.get(identity)
        if turn is not None and turn.grant_id == release.grant_id:
            del self._turns[identity]
        if release.grant_id in self._taken:
            return False
        self._taken[release.grant_id] = None
        while len(self._taken) > MOST_TAKEN:
            del self._taken[next(iter(self._taken))]
        return True

    def broken_off(self, identity: str, now: float) -> Release | None:
        """Returns what was probably heard of the turn of an agent that is gone; None if nothing was.

        It counts as a guess: should the agent come back and release the turn after all, that is new.
        """
        turn = self._turns.pop(identity, None)
        if turn is None or turn.sounded_at is None:
            return None
        heard = said_within(turn.text, now - turn.sounded_at)
        if not heard:
            return None
        return Release(grant_id=turn.grant_id, text=heard, interrupted=True, started_at=turn.sounded_at)

    def _turn(self, identity: str, grant_id: str) -> _Turn:
        turn = self._turns.get(identity)
        if turn is None or turn.grant_id != grant_id:
            turn = self._turns[identity] = _Turn(grant_id)
        return turn


def said_within(text: str, seconds: float) -> str:
    """Returns the words that are spoken in that time."""
    most = int(max(0.0, seconds) * CHARACTERS_PER_S)
    if most >= len(text) or " " not in text:  # not every language has any
        return text[:most]
    whole_words, blank, _ = text[: most + 1].rpartition(" ")
    return whole_words.rstrip() if blank else ""
