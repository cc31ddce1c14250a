"""Where an agent's text may be cut so that speech starts early: at the first clause, then at sentences. Pure text.

The stock tokenizer waits for twenty characters and for the next sentence to begin, which is a long silence when the
first sentence is long.
"""

from __future__ import annotations

import re

from livekit.agents import tokenize
from livekit.agents.tokenize.tokenizer import SentenceStream

FIRST_CLAUSE = 12
"""Characters: a shorter first piece ("Well,") would end before the next is synthesised."""
SENTENCE = 20
"""Characters: shorter sentences are spoken together with the next, which sounds better."""

CLAUSE_END = re.compile(r"[,.;:!?…][\"')\]]*(?=\s)")
SENTENCE_END = re.compile(r"[.;!?…][\"')\]]*(?=\s)")


def cut(text: str, *, first: bool) -> int:
    """Returns how many characters at the start can be spoken now; 0 = wait for more."""
    pattern, least = (CLAUSE_END, FIRST_CLAUSE) if first else (SENTENCE_END, SENTENCE)
    for match in pattern.finditer(text):
        if match.end() >= least:
            return match.end()
    return 0


class ClauseTokenizer(tokenize.SentenceTokenizer):
    """Tells the speech model's adapter what to synthesise next."""

    def tokenize(self, text: str, *, language: str | None = None) -> list[str]:
        pieces: list[str] = []
        while end := cut(text, first=not pieces):
            pieces.append(text[:end].strip())
            text = text[end:]
        return [*pieces, text.strip()] if text.strip() else pieces

    def stream(self, *, language: str | None = None) -> SentenceStream:
        return _ClauseStream()


class _ClauseStream(SentenceStream):
    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._first = True

    def push_text(self, text: str) -> None:
        self._text += text
        while end := cut(self._text, first=self._first):
            self._send(self._text[:end])
            self._text = self._text[end:]

    def flush(self) -> None:
        self._send(self._text)
        self._text = ""

    def end_input(self) -> None:
        self.flush()
        self._do_close()

    async def aclose(self) -> None:
        self._do_close()

    def _send(self, text: str) -> None:
        if text.strip():
            self._first = False
            self._event_ch.send_nowait(tokenize.TokenData(token=text.strip()))
