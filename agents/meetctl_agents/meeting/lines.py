"""Makes the transcript's lines: of what people say and write, of what agents say, and of what is so. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from meetctl.protocol import Line, UtteranceKind

from ..hearing.listener import FinalTranscript, PreflightTranscript
from .cast import Cast
from .people import People
from .utterances import Utterances


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
