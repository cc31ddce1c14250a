"""Where an agent's text may be cut so that speech starts early: at the first clause, then at sentences. Pure text.

The stock tokenizers wait for twenty characters and for the next sentence to begin, which is a long silence when the
first sentence is long, and they know neither German abbreviations nor a second sentence without blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from livekit.agents import tokenize
from livekit.agents.tokenize.tokenizer import SentenceStream

FIRST_CLAUSE = 12
"""Widths: a shorter first piece ("Well,") would end before the next is synthesised."""
SENTENCE = 20
"""Widths: shorter sentences are spoken together with the next, which sounds better."""
LONGEST_PIECE = 280
"""Widths without any mark to cut at; then it is cut at a blank, or between two characters where there is none."""
WIDE = 3
"""How many letters of a spaced script one character of Chinese, Japanese or Korean takes to say."""

_CLOSING = r"[\"')\]»”’）】」』]*"
_SPACED_END = rf"[.;!?…؟۔։]+{_CLOSING}(?=\s)"
_UNSPACED_END = rf"[。！？｡；।॥။។]{_CLOSING}"
SENTENCE_END = re.compile(rf"{_SPACED_END}|{_UNSPACED_END}")
CLAUSE_END = re.compile(rf"[,:،]{_CLOSING}(?=\s)|[、，：]{_CLOSING}|{_SPACED_END}|{_UNSPACED_END}")

ABBREVIATIONS = frozenset(
    # English
    "mr mrs ms mx dr prof rev fr hon gen col maj capt cpt lt sgt gov sen rep pres st ste mt ft sr jr esq vs approx est "
    "dept univ inc ltd co corp bros fig vol eds pp ch sec feb apr aug sept oct nov dec ca cf "
    # German
    "hr hrn fr frl dipl ing bzw ggf evtl usw vgl inkl exkl zzgl fa abs nr str tel bspw sog ca mio mrd geb verh "
    # French, Spanish, Italian, Portuguese, Dutch
    "mme mmes mlle mgr me sra srta srs dra dña ud uds av avda núm pág sig dott ing avv dhr mevr bv".split()
)
"""What ends with a full stop in the middle of a sentence; without it, in small letters. `etc` and `no` are left out:
they end sentences as often."""
_BEFORE_STOP = re.compile(r"(\w[\w.]*)\.[\"')\]»”’]*$")


def width(text: str) -> int:
    """Returns how long the text takes to say, in letters of a spaced script."""
    return len(text) + (WIDE - 1) * sum(map(_is_wide, text))


def cut(text: str, *, first: bool) -> int:
    """Returns how many characters at the start can be spoken now; 0 = wait for more."""
    pattern, least = (CLAUSE_END, FIRST_CLAUSE) if first else (SENTENCE_END, SENTENCE)
    longest = index_of_width(text, LONGEST_PIECE)
    for match in pattern.finditer(text, 0, longest + 1):
        if width(text[: match.end()]) >= least and ends_here(text[: match.end()]):
            return match.end()
    if longest == len(text):
        return 0
    blank = text.rfind(" ", 1, longest)
    return blank if blank > 0 else longest


def index_of_width(text: str, most: int) -> int:
    """Returns how many characters at the start are no wider than `most`, at least one; all of a short text."""
    if len(text) * WIDE <= most:
        return len(text)
    total = 0
    for index, character in enumerate(text):
        total += WIDE if _is_wide(character) else 1
        if total > most:
            return max(1, index)
    return len(text)


def sentence_ends(text: str, start: int = 0) -> Iterator[int]:
    """Yields where each sentence ends from `start` on; the last only where a blank follows, or its script has none."""
    for match in SENTENCE_END.finditer(text, start):
        if ends_here(text[: match.end()]):
            yield match.end()


def ends_here(piece: str) -> bool:
    """Whether a full stop at the piece's end is one: not `Dr.`, `a.m.`, `U.S.`, `am 3.`, `J.`"""
    match = _BEFORE_STOP.search(piece)
    if match is None:
        return True
    word = match[1].rpartition("'")[2]
    if "." in word:
        return any(len(part) > 2 for part in word.split("."))
    if word.isdecimal():
        return len(word) > 2  # an ordinal, or the number of a list; a year ends a sentence
    return (len(word) > 1 or word == "I") and word.lower() not in ABBREVIATIONS


def _is_wide(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff" or "\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af"


class ClauseTokenizer(tokenize.SentenceTokenizer):
    """Tells the speech model's adapter what to synthesise next."""

    def tokenize(self, text: str, *, language: str | None = None) -> list[str]:
        pieces: list[str] = []
        while end := cut(text, first=not pieces):
            if piece := text[:end].strip():
                pieces.append(piece)
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
