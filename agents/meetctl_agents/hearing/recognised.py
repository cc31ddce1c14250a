"""What a recogniser wrote, without what nobody said. Pure text; knows no sound and no room.

Recognisers learnt from subtitles, and write what stands in subtitles: notes on sounds, labels, times, credits. They
repeat themselves without end, and where there are no words they give back those that they were told to expect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .credits import is_credit

LONGEST = 20_000
"""Characters of an answer that are looked at."""
WORDS_PER_S = 8.0
CHARACTERS_PER_S = 40.0
"""Nobody speaks faster, in any language."""
SPARE_WORDS = 12
SPARE_CHARACTERS = 80
"""More than that is not said in no time; the sound may be shorter than the words by its cut beginning and end."""
MOST_LOOPED = 40
"""Words of a phrase that is said again and again."""
LOOPS_WORD = 5
LOOPS_PHRASE = 4
LOOPS_SENTENCE = 3
"""So many times in a row people do not say the same. "No, no, no, no" they do, and "I know, I know, I know"."""
SENTENCE = 4
"""Words from which on a phrase is a sentence."""
PART_OF_PROMPT = 5
"""Words in a row of a longer prompt that are no coincidence."""

_TAG = re.compile(r"<\|[^|<>]*\|>|</?[A-Za-z][^<>]*>|\{\\[^}]*\}|\[_[A-Z]+_(?:\d+_?)?\]")
_HEADER = re.compile(r"^\ufeff?WEBVTT\b[^\n]*|^NOTE\b[^\n]*$|^(?:Kind|Language): *\w+$", re.MULTILINE)
_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_TIME = re.compile(
    rf"(?:^\d+[^\S\n]*\n)?[\[(]?{_CLOCK}\s*-+>\s*{_CLOCK}[\])]?[^\S\n]*(?:\w+:\S+[^\S\n]*)*"
    rf"|[\[(]\s*{_CLOCK}\s*(?:[-–—]\s*{_CLOCK}\s*)?[\])]"
    r"|\b\d{1,2}:\d{2}(?::\d{2})?[.,]\d{3}\b|^[^\S\n]*(?:\d{1,2}:\d{2}:\d{2}|00:\d{2})\b[ \t:-]*"
    r"|\[\s*\d+(?:\.\d+)?\s*s?\s*(?:[-–—>]+\s*\d+(?:\.\d+)?\s*s?\s*)?\]",
    re.MULTILINE,
)
_NOTE = re.compile(
    r"\[[^\]]*(?:\]|$)|\([^)]*(?:\)|$)|【[^】]*】|（[^）]*）|〔[^〕]*〕|［[^］]*］|｛[^｝]*｝|\{[^}]*\}"
    r"|\*+(?=\S)[^*\n]+(?<=\S)\*+|(?<!\w)_[^_\n]+_(?!\w)|[♪♫♬🎵🎶]+[^♪♫♬🎵🎶\n]*(?:[♪♫♬🎵🎶]+|$)|[♪♫♬🎵🎶]+|(?<![\d\s])\*+|\*+(?![\d\s])",
    re.MULTILINE,
)
_BARE_NOTE = re.compile(
    r"(?:blank[_ ]?audio|no[_ ](?:speech|audio)|inaudible|unintelligible|unverständlich|inaudible speech|"
    r"music[_ ]playing|background[_ ](?:noise|music)|(?:soft|upbeat|dramatic|gentle|tense) music)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:^|(?<=[.!?…]\s)|(?<=\n))[\s\-–—>•|]*"
    r"(?:(?:unknown |unidentified )?(?:speaker|spk|sprecher(?:in)?|locuteur|locutor|hablante|interlocutor|orador|"
    r"parlante|spreker|говорящий|спикер|mówca|konuşmacı|talare|taler)(?:[ _#-]*(?:\d+|[A-Z])\b)?"
    r"|(?:participant|person|channel|guest|user|voice)[ _#-]*\d+"
    r"|(?:说话人|發言者|发言人|話者|화자)\s*[0-9A-Za-z]*|S\d+)\s*[:：]\s*",
    re.IGNORECASE,
)
_CODED_LABEL = re.compile(r"\b(?:SPEAKER|SPK|SPKR)[_#-]?\d+\b\s*[:：]?|\bGuest-\d+\s*[:：]", re.IGNORECASE)
_PREAMBLE = re.compile(r"^\s*(?:trans[ck]ript(?:ion)?|subtitles?)\s*[:：]\s*", re.IGNORECASE)
_DASHES = re.compile(r"(?:^|(?<=[.!?…]\s))\s*(?:[-–—•>|]+|>>+)\s+|^\s*[:：,;.]\s+|>>+", re.MULTILINE)
_BREAK = re.compile(r"(?<=[.!?…])(?=\s)|(?<=[。！？])|(?=\n)")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_LOOPED_LETTERS = re.compile(r"([^\d\s]{2,30}?)\1{3,}")


def said_in(text: str, *, prompts: Iterable[str] = (), seconds: float | None = None) -> str:
    """Returns the words that somebody said; empty = none.

    Args:
        prompts: what the recogniser was told to expect.
        seconds: how long the sound was; None = nobody knows.
    """
    text = _without_marks(text[:LONGEST])
    text = " ".join("".join(part for part in _BREAK.split(text) if not is_credit(part)).split())
    if _BARE_NOTE.fullmatch(text.strip(" .!…-")) or not re.search(r"\w", text):
        return ""
    text = said_once(text)
    if any(is_echo(text, prompt) for prompt in prompts) or (seconds is not None and not can_be_said(text, seconds)):
        return ""
    return text


def said_once(text: str) -> str:
    """Returns the text with each phrase that it repeats without end written once."""
    text = _LOOPED_LETTERS.sub(r"\1", text)
    matches = list(_WORD.finditer(text))
    words = [match[0].casefold().replace("’", "'") for match in matches]
    kept: list[int] = []
    at = 0
    while at < len(words):
        size, times = _loop_at(words, at)
        kept += range(at, at + size)
        at += size * times
        if times > 1:  # the loop broke off in the middle of itself
            rest = words[at : at + size]
            if 0 < len(rest) < size and rest == words[at - size : at - size + len(rest)]:
                at += len(rest)
    if len(kept) == len(words):
        return text
    ends = [match.start() for match in matches[1:]] + [len(text)]
    lead = text[: matches[0].start()]
    return (lead + "".join(text[matches[index].start() : ends[index]] for index in kept)).rstrip(" ,;-–")


def _loop_at(words: list[str], at: int) -> tuple[int, int]:
    """Returns how many words are repeated from here on, and how often; once, if it is no loop."""
    for size in range(1, min(MOST_LOOPED, (len(words) - at) // 2) + 1):
        if words[at + size] != words[at]:
            continue
        phrase = words[at : at + size]
        times = 1
        while words[at + size * times : at + size * (times + 1)] == phrase:
            times += 1
        if all(word.isdigit() for word in phrase):
            continue  # numbers are dictated so
        least = LOOPS_WORD if len(set(phrase)) == 1 else LOOPS_SENTENCE if size >= SENTENCE else LOOPS_PHRASE
        if times >= least:
            return size, times
    return 1, 1


def is_echo(text: str, prompt: str) -> bool:
    """Returns whether the text is what the recogniser was told to expect; a single word of it may well be said."""
    wanted, got = words_of(prompt), words_of(text)
    if len(wanted) < 2 or not got:
        return False
    whole, rest = divmod(len(got), len(wanted))
    if whole and got == wanted * whole + wanted[:rest]:
        return True
    joined, found = " ".join(wanted), " ".join(got)
    return len(got) >= PART_OF_PROMPT and f" {found} " in f" {joined} "


def can_be_said(text: str, seconds: float) -> bool:
    """Returns whether anybody can say so much in the time."""
    most_words = WORDS_PER_S * seconds + SPARE_WORDS
    return len(words_of(text)) <= most_words and len(text) <= CHARACTERS_PER_S * seconds + SPARE_CHARACTERS


def words_of(text: str) -> list[str]:
    """Returns the words, plainly written."""
    return [match[0].casefold().replace("’", "'") for match in _WORD.finditer(text)]


def _without_marks(text: str) -> str:
    for pattern in (_HEADER, _TAG, _CODED_LABEL, _TIME, _PREAMBLE, _LABEL, _NOTE, _LABEL, _DASHES):
        text = pattern.sub(" ", text)
    return text.strip(" \n:：>|")
