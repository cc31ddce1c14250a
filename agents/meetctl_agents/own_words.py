"""What of a language model's stream the agent really says: its own words only. Pure; no I/O.

Small models play the whole meeting: they begin with a name and a colon, and go on with what the others answer. The
filter takes the prefix away and stops where somebody else would begin, without holding up ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_TURN = 280
"""Characters, some twenty seconds of speech; the turn ends with the sentence. Small models would go on for ever, and
everybody else's model then has to read it: 7 ms a token before its first word."""
LONGEST_SENTENCE = 160
"""Characters that a sentence may run beyond `LONGEST_TURN` before it is cut at a word."""
LONGEST_NAME = 32
"""Characters that are held back after a line break, in case a name and a colon follow."""

SENTENCE_END = re.compile(r"[.!?…][\"')\]]*(?=\s|$)")
STRANGER = re.compile(r"\n\s*[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*)? ?:")
MARKS = " \t\"'*_“”"


class OwnWords:
    """Feeds on the model's text and gives what is to be spoken; `done` once nothing more will come."""

    def __init__(self, names: Iterable[str]) -> None:
        known = sorted({name.casefold() for name in names if name.strip()}, key=len, reverse=True)
        self._prefixes = tuple(f"{name}:" for name in known)
        self._pattern = re.compile(
            r"(?:^|(?<=[\s\"'(*]))(?:" + "|".join(re.escape(name) for name in known) + r")\s*:", re.IGNORECASE
        )
        self._has_names = bool(known)
        self._pending = ""
        self._said = 0
        self.done = False

    def feed(self, text: str) -> str:
        """Returns what can be spoken now."""
        if self.done:
            return ""
        self._pending += text
        if not self._said:
            self._drop_prefix()
        self._stop_at_others()
        ready = len(self._pending) if self.done else len(self._pending) - self._held_back()
        return self._give(ready)

    def finish(self) -> str:
        """Returns the rest once the model has ended."""
        if self.done:
            return ""
        text = self._give(len(self._pending))
        self.done = True
        return text.rstrip()

    def _drop_prefix(self) -> None:
        self._pending = self._pending.lstrip("\n" + MARKS)
        while self._has_names and (match := self._pattern.match(self._pending)):
            self._pending = self._pending[match.end() :].lstrip("\n" + MARKS)

    def _stop_at_others(self) -> None:
        ends = [match.start() for match in (self._search_known(), STRANGER.search(self._pending)) if match]
        if ends:
            self._pending = self._pending[: min(ends)].rstrip()
            self.done = True

    def _search_known(self) -> re.Match[str] | None:
        return self._pattern.search(self._pending) if self._has_names else None

    def _held_back(self) -> int:
        """Returns how many characters at the end may yet turn out to be somebody's name."""
        line_break = self._pending.rfind("\n")
        if line_break >= 0 and ":" not in self._pending[line_break:]:
            after = len(self._pending) - line_break
            if after <= LONGEST_NAME:
                return after
        tail = self._pending[-LONGEST_NAME:].casefold()
        for start in range(len(tail)):
            at_word = start == 0 or tail[start - 1] in "\n(" + MARKS
            if at_word and any(prefix.startswith(tail[start:].rstrip()) for prefix in self._prefixes):
                return len(tail) - start
        return 0

    def _give(self, count: int) -> str:
        text, self._pending = self._pending[:count].replace("\n", " "), self._pending[count:]
        over = self._said + len(text) - LONGEST_TURN
        if over > 0:
            match = SENTENCE_END.search(text, max(0, len(text) - over))
            if match:
                text, self.done = text[: match.end()], True
            elif over > LONGEST_SENTENCE:
                text, self.done = text[:-1].rpartition(" ")[0], True
        self._said += len(text)
        return text
