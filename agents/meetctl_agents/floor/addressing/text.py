"""Text as the rules see it: folded, without diacritics, with names in it as single characters. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

CJK = "\u3041-\u30fa\u30fc-\u30ff\u3400-\u9fff\uac00-\ud7a3々"
TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
NAME, OTHER = "\ue000", "\ue001"
"""The name at issue, and any other, in masked text."""

_MARKS = str.maketrans(
    {
        "，": ", ", "、": ", ", "。": ". ", "．": ". ", "？": "? ", "！": "! ", "：": ": ", "；": "; ",
        "’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "「": '"', "」": '"',
        "『": '"', "』": '"', "–": " - ", "—": " - ", "…": "... ", "¿": " ", "¡": " ", "・": " ", "·": " ", "〜": "ー",
        "~": " ", "*": " ", "\n": ". ", NAME: " ", OTHER: " ",
    }
)  # fmt: skip
_QUOTED = re.compile(r'"[^"]*"')
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    start: int
    end: int


def fold(text: str) -> str:
    """Returns the text in lower case without diacritics, its punctuation plain and katakana as hiragana."""
    if text.isascii():
        folded = text.casefold().translate(_MARKS)
    else:
        # Before compatibility forms: a full-width comma is a pause like any other.
        plain = unicodedata.normalize("NFKC", text.translate(_MARKS)).casefold().translate(_MARKS)
        decomposed = unicodedata.normalize("NFD", plain)
        bare = "".join(letter for letter in decomposed if not "\u0300" <= letter <= "\u036f")
        folded = unicodedata.normalize("NFC", bare)
        folded = "".join(chr(ord(letter) - 0x60) if "\u30a1" <= letter <= "\u30f6" else letter for letter in folded)
    return _SPACES.sub(" ", folded).strip()


def without_quotes(text: str) -> str:
    """Returns folded text without what somebody else is quoted to have said."""
    if text.count('"') == 2 and text.startswith('"') and text.rstrip(".?! ").endswith('"'):
        return text.replace('"', "").strip()
    return _QUOTED.sub('"', text)


def tokens(text: str) -> list[Token]:
    """Returns the words of folded text; where no blanks are written, its characters."""
    return [Token(match[0], match.start(), match.end()) for match in TOKEN.finditer(text)]


def sentences(text: str) -> list[tuple[int, int]]:
    """Returns where the sentences of folded text begin and end, their last mark included."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in re.finditer(r"(?:\.(?=\s|$)|[?!])[.?!\"]*", text):
        if re.search(r"\b(?:dr|mr|mrs|ms|prof|st|sr|sra)$", text[start : match.start()]):
            continue
        found.append((start, match.end()))
        start = match.end()
    if text[start:].strip():
        found.append((start, len(text)))
    return found


def without_pauses(text: str) -> str:
    """Returns folded text without commas and the like."""
    return _SPACES.sub(" ", re.sub(r"[,;:\"()\[\]♪♫]| - |-(?= )|\.\.\.", " ", text)).strip()


def bare(text: str) -> str:
    """Returns folded text without any punctuation."""
    return _SPACES.sub(" ", re.sub(r"[,;:\"()\[\].?!♪♫<>/]| - |-(?= |$)", " ", text)).strip()
