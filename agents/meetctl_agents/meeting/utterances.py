"""People's words as lines of the transcript: a sentence that was taken for two becomes one line again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from meetctl.protocol import Line, UtteranceKind

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
