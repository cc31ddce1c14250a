"""An agent's own voice that comes back through somebody's microphone: two laptops in one room, or a loud speaker.

It cannot be known by its sound, which the chair does not hear; it is known by its words: what a person seems to say
while an agent speaks, and what that agent says just then. A microphone that was found to do so interrupts nobody for a
while before its words are known. Pure: events in, events out, times handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from ..floor.events import SpeechStarted
from .listener import FinalTranscript, PreflightTranscript
from .recognised import words_of

SUSPECT_S = 120.0
"""After its last echo a microphone is trusted again: headphones were put on."""
ALIKE = 0.7
"""Of the words heard that the agent said there, in their order: recognisers get some wrong, and more of an echo."""
FEWEST = 3
"""Words that are no coincidence; of a microphone that is known for it one is enough."""
SLACK = 2
"""Words more of the agent's that are looked at: those that were not understood."""
MOST_TURNS = 6

Speech = SpeechStarted | PreflightTranscript | FinalTranscript


@dataclass(frozen=True, slots=True)
class _Turn:
    identity: str
    words: tuple[str, ...]
    began_at: float
    ended_at: float | None = None
    """Unix time, seconds, as above; None = it is under way."""


class EchoGuard:
    """Lets pass what people say, and keeps back what agents say through their microphones."""

    def __init__(self) -> None:
        self._turns: deque[_Turn] = deque(maxlen=MOST_TURNS)
        self._texts: dict[str, str] = {}
        """By agent, what the turn under way says."""
        self._suspects: dict[str, float] = {}
        self._held_back: set[str] = set()
        """Whose beginning nobody was told of."""

    # --- what agents say ---

    def will_say(self, identity: str, text: str) -> None:
        """The agent says what its turn will have said, as far as it knows."""
        self._texts[identity] = text
        self._replace_last(identity, text, None)

    def sounds(self, identity: str, at: float) -> None:
        """The agent can be heard from now on."""
        self._turns.append(_Turn(identity, tuple(words_of(self._texts.get(identity, ""))), at))

    def falls_silent(self, identity: str, text: str, at: float) -> None:
        """The agent's turn is over; `text` is what was heard of it, by the agent's own account."""
        drafted = self._texts.pop(identity, "")
        self._replace_last(identity, max(drafted, text, key=len), at)

    def _replace_last(self, identity: str, text: str, ended_at: float | None) -> None:
        for index in reversed(range(len(self._turns))):
            turn = self._turns[index]
            if turn.identity == identity and turn.ended_at is None:
                self._turns[index] = replace(turn, words=tuple(words_of(text)), ended_at=ended_at)
                return

    # --- what microphones give ---

    def passed(self, speech: Speech, now: float) -> Sequence[Speech]:
        """Returns what to take for said by the person, in its order."""
        identity = speech.identity
        match speech:
            case SpeechStarted():
                if self._is_suspect(identity, now) and any(turn.ended_at is None for turn in self._turns):
                    self._held_back.add(identity)
                    return ()
                return (speech,)
            case PreflightTranscript():
                if self._is_echo(identity, speech.text, speech.began_at, now):
                    return ()
                return (*self._let_go(identity), speech)
            case FinalTranscript(text=""):
                return () if self._was_held_back(identity) else (speech,)
            case FinalTranscript():
                if not self._is_echo(identity, speech.text, speech.began_at, now):
                    return (*self._let_go(identity), speech)
                self._suspects[identity] = now
                return () if self._was_held_back(identity) else (replace(speech, text=""),)

    def _let_go(self, identity: str) -> Sequence[Speech]:
        return (SpeechStarted(identity),) if self._was_held_back(identity) else ()

    def _was_held_back(self, identity: str) -> bool:
        held_back = identity in self._held_back
        self._held_back.discard(identity)
        return held_back

    def _is_suspect(self, identity: str, now: float) -> bool:
        return now - self._suspects.get(identity, -SUSPECT_S) < SUSPECT_S

    def _is_echo(self, identity: str, text: str, began_at: float, now: float) -> bool:
        heard = words_of(text)
        if len(heard) < (1 if self._is_suspect(identity, now) else FEWEST):
            return False
        return any(
            turn.began_at <= began_at <= (now if turn.ended_at is None else turn.ended_at)
            and _are_part_of(heard, turn.words)
            for turn in self._turns
        )


def _are_part_of(heard: Sequence[str], said: Sequence[str]) -> bool:
    """Returns whether the words stand together in what was said, but for a few that were misunderstood."""
    size = len(heard) + SLACK
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(heard)
    for start in range(max(1, len(said) - size + 1)):
        matcher.set_seq1(said[start : start + size])
        if sum(block.size for block in matcher.get_matching_blocks()) >= ALIKE * len(heard):
            return True
    return False
