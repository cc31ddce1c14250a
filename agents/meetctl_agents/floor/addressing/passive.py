"""Words that want nothing of anybody: noises, what one says to oneself, and that one listens. Pure."""

from __future__ import annotations

from .language import Language, chosen
from .line import ExaminedLine
from .text import bare, fold, tokens
from .threads import WORDS
from .view import Decision, View

LONGEST_NOD = 4
"""Words said over somebody; more of them say something."""
LONGEST_HUM = 8


def wordless(line: ExaminedLine) -> Decision | None:
    """No words at all."""
    return None if WORDS.search(line.text) else Decision("noise", passive=True)


def noise(line: ExaminedLine) -> Decision | None:
    """What recognisers write for noises, and sounds of people who think."""
    text = line.bare
    if line.thread.asked_by is not None and text.replace(" ", "") in line.spoken.affirmations:
        return None
    if _is_bracketed(line.view, line.text) or line.spoken.noise.fullmatch(text):
        return Decision("noise", passive=True)
    return None


def _is_bracketed(view: View, text: str) -> bool:
    plain = text.strip(" .")
    return len(plain) > 1 and (plain[0], plain[-1]) in (("[", "]"), ("(", ")"), ("♪", "♪"), ("<", ">"))


def self_talk(line: ExaminedLine) -> Decision | None:
    """Said to nobody but oneself."""
    return Decision("self-talk", passive=True) if line.spoken.self_talk.search(line.plain) else None


def backchannel(line: ExaminedLine) -> Decision | None:
    """Only says that one listens."""
    if "?" in line.text and not line.spoken.backchannel.fullmatch(line.bare):
        return None
    words = line.bare if line.spoken.without_blanks else line.bare.split()
    short = len(words) <= (8 if line.spoken.without_blanks else 5)
    if line.spoken.backchannel.fullmatch(line.bare) or (
        words
        and short
        and not line.spoken.without_blanks
        and all(word in line.spoken.backchannel_words for word in words)
    ):
        asks = "?" in line.text and line.thread.spoke_last
        return None if asks else Decision("backchannel", passive=True)
    parts = [bare(part) for part in _clauses(line.text)]
    if len(parts) > 1 and all(_is_nod(part, line.spoken) for part in parts if part):
        return Decision("backchannel", passive=True)
    return None


def lets_go_on(text: str, language: str | None) -> bool:
    """Returns whether the text, said over somebody who talks, wants nothing but that they go on."""
    folded = fold(text)
    spoken = chosen(language, folded)
    words = [token.text for token in tokens(folded)]
    if 0 < len(words) <= LONGEST_HUM and spoken.hums.issuperset(words):
        return True
    said = ("" if spoken.without_blanks else " ").join(words)
    if not 0 < len(words) <= LONGEST_NOD * (1 if not spoken.without_blanks else 2) or "?" in folded:
        return False
    return bool(spoken.nod_phrases.fullmatch(said)) or (spoken.hums | spoken.nods).issuperset(words)


def _is_nod(part: str, spoken: Language) -> bool:
    return bool(spoken.backchannel.fullmatch(part)) or all(word in spoken.backchannel_words for word in part.split())


def _clauses(text: str) -> list[str]:
    return [part for sentence in text.replace("!", ".").split(".") for part in sentence.split(",")]
