"""What was said before is not said again: sentences of an answer that somebody has said nearly word for word go.

Small models fall into a sentence and stay there, and take over what others said. Greetings and short sentences may
recur. Pure; no I/O.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from difflib import SequenceMatcher

from .clauses import sentence_ends
from .filter import TextFilter

SHORTEST = 6
"""Words (of a script without blanks: characters by three); shorter sentences may recur."""
ALIKE = 0.84
"""Of the words in their order; from there on two sentences are the same."""
CERTAIN = 4
"""Words in a row from the start that an earlier sentence has too: it is waited for the sentence's end."""
MOST_KEPT = 400
"""Sentences that are remembered: an hour of talk."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+(?:['’]\w+)*")
_WISHES_AGAIN = re.compile(
    r"\b(?:again|repeat|once more|one more time|what did you (?:just )?say|pardon|nochmal|noch einmal|wiederhol\w*"
    r"|répét\w*|encore une fois|otra vez|rep[ei]t\w*|de nuevo)\b|再说|再講|重复|もう一度|もういちど|다시",
    re.IGNORECASE,
)


def wishes_to_hear_again(text: str) -> bool:
    """Whether somebody asks for what was said to be said once more."""
    return bool(_WISHES_AGAIN.search(text))


def sentences(text: str) -> Iterable[str]:
    """Yields the text's sentences."""
    start = 0
    for end in sentence_ends(f"{text} "):
        yield text[start:end]
        start = end
    if text[start:].strip():
        yield text[start:]


class SaidBefore:
    """The sentences of a meeting, as one agent heard and said them."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, ...]] = deque(maxlen=MOST_KEPT)

    def add(self, text: str) -> None:
        """Remembers what was said."""
        for sentence in sentences(text):
            words = words_of(sentence)
            if len(words) >= SHORTEST and words not in self._kept:
                self._kept.append(words)

    def has(self, words: tuple[str, ...]) -> bool:
        """Whether it was said, nearly word for word."""
        if len(words) < SHORTEST:
            return False
        matcher = SequenceMatcher(None, autojunk=False)
        matcher.set_seq2(words)
        for kept in self._kept:
            if abs(len(kept) - len(words)) > 0.3 * len(words):
                continue
            matcher.set_seq1(kept)
            if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE:
                return True
        return False

    def may_become(self, words: tuple[str, ...]) -> bool:
        """Whether a sentence that begins so may turn out to have been said."""
        count = min(len(words), CERTAIN)
        return any(kept[:count] == words[:count] for kept in self._kept)


class WithoutRepeats(TextFilter):
    """Feeds on an answer and gives what is new in it, holding back only what may be old."""

    def __init__(self, before: SaidBefore, tasks: Iterable[str] = ()) -> None:
        """
        Args:
            tasks: what the model was told to do, which is no answer either.
        """
        self._before = before
        self._own = SaidBefore()
        for task in tasks:
            self._own.add(task)
        self._current = ""
        """What was given of the present sentence."""
        super().__init__()
        self._is_open = False
        """Whether the beginning of the present sentence was given already."""
        self.left_out: list[str] = []
        """The sentences that were said before."""
        self.given = False
        """Whether anything was new."""

    def _take(self, *, ended: bool) -> str:
        given = ""
        while self._pending:
            end = self._sentence_end(ended=ended)
            if end is None:
                if not self._is_open and self._must_wait():
                    break
                given += self._pending
                self._current, self._pending, self._is_open = self._current + self._pending, "", True
                break
            sentence, self._pending = self._pending[:end], self._pending[end:]
            if not self._is_open and self._is_old(sentence):
                self.left_out.append(sentence.strip())
                self._pending = self._pending.lstrip()
            else:
                given += sentence
                self._own.add(self._current + sentence)
            self._current, self._is_open = "", False
        self.given = self.given or bool(given.strip())
        return given

    def _sentence_end(self, *, ended: bool) -> int | None:
        offset = len(self._current)
        ends = sentence_ends(self._current + self._pending)
        end = next((end - offset for end in ends if end >= max(offset, 1)), None)
        return len(self._pending) if end is None and ended else end

    def _must_wait(self) -> bool:
        if not self._pending.strip():
            return True
        *whole, last = words_of(self._pending) or ("",)
        words = tuple(whole) if not self._pending[-1:].isspace() else (*whole, last)
        return not words or self._before.may_become(words) or self._own.may_become(words)

    def _is_old(self, sentence: str) -> bool:
        words = words_of(sentence)
        return self._before.has(words) or self._own.has(words)


def words_of(text: str) -> tuple[str, ...]:
    """Returns the words, plainly written; of a script without blanks, its characters."""
    return tuple(word.casefold() for word in _WORD.findall(text))
