"""Makes the transcript's lines: of what people say and write, of what agents say, and of what is so. Pure.

A sentence of a person that was taken for two becomes one line again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from meetctl.protocol import Line, UtteranceKind

from ..hearing.listener import FinalTranscript, PreflightTranscript
from .cast import Cast
from .people import People

MERGE_S = 2.5
"""Who goes on within this time had not finished, unless an agent was heard in between."""
LONGEST_TEXT = 4000
"""Characters of a line. LiveKit's RPC carries 15 kB, and nobody says more in one breath."""


@dataclass(frozen=True, slots=True)
class _Last:
    line: Line
    ended_at: float


class Utterances:
    """Numbers the lines and remembers, for each person, the last one."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._count = 0
        self._last: dict[str, _Last] = {}

    def line(
        self, *, identity: str, name: str, text: str, began_at: float, ended_at: float, kind: UtteranceKind
    ) -> Line:
        """Returns the person's line; where it continues their last one, that line with these words added."""
        line = self.foreseen(identity=identity, name=name, text=text, began_at=began_at, kind=kind)
        line = line.model_copy(update={"ended_at": ended_at})
        if line.id == self._next_id():
            self._count += 1
        self._last[identity] = _Last(line, ended_at)
        return line

    def foreseen(self, *, identity: str, name: str, text: str, began_at: float, kind: UtteranceKind) -> Line:
        """Returns what `line` would return; nothing is remembered."""
        last = self._last.get(identity)
        if last is not None and self._continues(last, kind, began_at):
            words = f"{last.line.text} {text}"[:LONGEST_TEXT]
            return last.line.model_copy(update={"text": words})
        return Line(
            id=self._next_id(), at=began_at, speaker=name, identity=identity, kind=kind, text=text[:LONGEST_TEXT]
        )

    def agent_was_heard(self) -> None:
        """What anybody says from now on is a new line."""
        self._last.clear()

    def forget(self, identity: str) -> None:
        """Forgets a person who left."""
        self._last.pop(identity, None)

    def _next_id(self) -> str:
        return f"{self._run}-u{self._count + 1}"

    @staticmethod
    def _continues(last: _Last, kind: UtteranceKind, began_at: float) -> bool:
        return kind is UtteranceKind.SPEECH is last.line.kind and began_at - last.ended_at <= MERGE_S


class Lines:
    """Gives each line its id, its speaker's name and its time.

    Args:
        now: Unix time, seconds.
        chair: identity and name of who states facts.
    """

    def __init__(
        self, utterances: Utterances, people: People, cast: Cast, now: Callable[[], float], chair: tuple[str, str]
    ) -> None:
        self._utterances = utterances
        self._people = people
        self._cast = cast
        self._now = now
        self._chair = chair

    def spoken(self, speech: FinalTranscript) -> Line:
        """Returns a person's line; where it goes on from the last one, that line with these words added."""
        return self._utterances.line(
            identity=speech.identity,
            name=self._people.name_of(speech.identity, speech.name),
            text=speech.text,
            began_at=speech.began_at,
            ended_at=speech.ended_at,
            kind=UtteranceKind.SPEECH,
        )

    def foreseen(self, speech: PreflightTranscript | FinalTranscript) -> Line:
        """Returns what `spoken` would return; nothing is remembered."""
        return self._utterances.foreseen(
            identity=speech.identity,
            name=self._people.name_of(speech.identity, speech.name),
            text=speech.text,
            began_at=speech.began_at,
            kind=UtteranceKind.SPEECH,
        )

    def typed(self, identity: str, name: str, text: str) -> Line:
        """Returns a line that was written just now."""
        now = self._now()
        return self._utterances.line(
            identity=identity, name=name, text=text, began_at=now, ended_at=now, kind=UtteranceKind.CHAT
        )

    def of_agent(self, identity: str, id: str, text: str, at: float | None) -> Line:
        """Returns an agent's line."""
        return Line(id=id, at=at or self._now(), speaker=self._cast.name_of(identity), identity=identity, text=text)

    def fact(self, text: str, here: tuple[str, ...] | None) -> Line:
        """Returns what is so; `here` are the names of those who are in the room, where it says that."""
        identity, name = self._chair
        return Line(
            id=f"fact-{uuid.uuid4().hex[:12]}",
            at=self._now(),
            speaker=name or "Chair",
            identity=identity,
            kind=UtteranceKind.FACT,
            text=text,
            here=here,
        )
