"""How a name is used in a sentence: called, asked about, excluded, or merely mentioned. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from .language import Language
from .names import Occurrence
from .text import NAME, OTHER, bare, sentences, without_pauses


class Use(Enum):
    CALLED = "called"
    MEANT = "meant"
    """Called in the place of somebody else: "I meant Eve"."""
    ASKED = "asked"
    """Spoken of, in a question that only this one can answer."""
    EXCLUDED = "excluded"
    MENTIONED = "mentioned"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Used:
    """A name and how it is used."""

    occurrence: Occurrence
    use: Use
    sentence: int
    """Which sentence of the line, from 0."""


def uses(text: str, found: Sequence[Occurrence], spoken: Language) -> list[Used]:
    """Returns how each name is used, in the order of the text."""
    ordered = _apart(found)
    used: list[Used] = []
    for number, (start, end) in enumerate(sentences(text)):
        inside = [one for one in ordered if start <= one.start < end]
        used += [Used(one, _use(text, start, end, inside, one, spoken), number) for one in inside]
    return _with_companions(text, used, spoken)


def _apart(found: Sequence[Occurrence]) -> list[Occurrence]:
    """Returns them in the order of the text; of those that overlap the longest."""
    kept: list[Occurrence] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
        elif one.end - one.start > kept[-1].end - kept[-1].start:
            kept[-1] = one
    return kept


def is_question(text: str, spoken: Language) -> bool:
    """Returns whether folded text asks something, by its mark or by its words."""
    if "?" in text:
        return True
    # Whoever wrote a full stop heard no question, mostly.
    pattern = spoken.question_sure if text.rstrip(' "').endswith((".", "!")) else spoken.question
    return any(_starts(pattern, part, spoken) for part in _parts(text))


def is_request(text: str, spoken: Language) -> bool:
    """Returns whether folded text tells somebody to do something."""
    return any(_starts(spoken.request, part, spoken) for part in _parts(text))


def invites(text: str, spoken: Language) -> bool:
    """Returns whether folded text of an agent has somebody tell something."""
    return any(_starts(spoken.request_plain, part, spoken) for part in _parts(text))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[.?!,;:]", text) if part.strip()]


def _starts(pattern: re.Pattern[str], text: str, spoken: Language) -> bool:
    if pattern.match(text):
        return True
    opening = spoken.openers.match(text)
    return opening is not None and bool(pattern.match(text, opening.end()))


def _use(text: str, start: int, end: int, inside: Sequence[Occurrence], one: Occurrence, spoken: Language) -> Use:
    masked = _masked(text, start, end, inside, one)
    plain = without_pauses(masked)
    if spoken.without_blanks:
        plain = plain.replace(" ", "")
    if spoken.excluded.search(plain):
        return Use.EXCLUDED
    if spoken.meant.search(plain):
        return Use.MEANT
    at = plain.index(NAME)
    if _is_isolated(masked, spoken):
        return Use.CALLED
    if spoken.mentioned.search(plain):
        return Use.MENTIONED
    if spoken.asked.search(plain):
        return Use.ASKED
    if spoken.called_surely.search(plain):
        return Use.CALLED
    if spoken.subject.match(plain[at + 1 :].lstrip()):
        return Use.MENTIONED
    if not one.ordinary and spoken.called.search(plain):
        return Use.CALLED
    if _is_after_mention(plain[:at], spoken):
        return Use.MENTIONED
    return _by_place(plain, at, one, spoken)


def _asks_later(rest: str, spoken: Language) -> bool:
    if spoken.request.match(rest) or spoken.inverted.match(rest):
        return True
    return not spoken.without_blanks and any(
        spoken.question_sure.match(rest, match.end()) for match in re.finditer(r"\s", rest)
    )


def _is_after_mention(before: str, spoken: Language) -> bool:
    if spoken.without_blanks:
        return before.endswith(tuple(spoken.before_mention))
    words = before.split()
    return bool(words) and words[-1] in spoken.before_mention


def _by_place(plain: str, at: int, one: Occurrence, spoken: Language) -> Use:
    """Judges a name without a pause around it by what stands before and after."""
    rest = plain[at + 1 :].lstrip()
    opening = plain[:at]
    starts = not opening.strip() or bool(spoken.openers.fullmatch(opening))
    if not one.ordinary and (not one.role or starts) and spoken.called_after.match(rest):
        return Use.CALLED
    if one.articled:
        return Use.UNCLEAR
    asks = bool(spoken.question.match(rest))
    if asks and (starts or not (one.role or one.ordinary)):
        return Use.CALLED
    if starts and not one.ordinary and not one.articled and _asks_later(rest, spoken):
        return Use.CALLED
    if starts and one.ordinary and spoken.request_plain.match(rest):
        return Use.CALLED
    ends = not rest.strip(".?! ")
    if ends and not one.articled and not one.role:
        whole = plain[:at]
        if one.ordinary and not (is_question(whole, spoken) and spoken.you.search(whole)):
            return Use.UNCLEAR
        if is_question(whole, spoken) or "?" in plain or is_request(whole, spoken) or spoken.you.search(whole):
            return Use.CALLED
    return Use.UNCLEAR


def _is_isolated(masked: str, spoken: Language) -> bool:
    """Returns whether there is a pause on both sides, but for words that come before a call."""
    at = masked.index(NAME)
    after = _without_joined(masked[at + 1 :], spoken).lstrip()
    if after and after[0] not in ',;:!?.-"':
        return False
    before = re.split(r'[,;:"(]| - |\.\.\. ?', _without_joined(masked[:at][::-1], spoken, backwards=True)[::-1])[-1]
    if before.strip() and not spoken.openers.fullmatch(before):
        return False
    return True


def _without_joined(text: str, spoken: Language, *, backwards: bool = False) -> str:
    """Returns what follows after names that are joined to the one before: " and Bill." → "."."""
    while (place := text.find(OTHER)) >= 0:
        between = text[:place][::-1] if backwards else text[:place]
        if not spoken.joins.fullmatch(between):
            break
        text = text[place + 1 :]
    return text


def _masked(text: str, start: int, end: int, inside: Sequence[Occurrence], one: Occurrence) -> str:
    parts: list[str] = []
    place = start
    for other in inside:
        if other.start < place:
            continue
        parts += [text[place : other.start], NAME if other is one else OTHER]
        place = other.end
    parts.append(text[place:end])
    return "".join(parts).strip()


def _with_companions(text: str, used: list[Used], spoken: Language) -> list[Used]:
    """Takes "Ada" of "Ada and Max, …" for called as well, and the last of a list."""
    changed = list(used)
    for step, order in ((1, range(len(used) - 1)), (-1, range(len(used) - 1, 0, -1))):
        for index in order:
            one, other = changed[index], changed[index + step]
            if other.use is not Use.UNCLEAR and not (other.use is Use.MENTIONED and step == -1):
                continue
            if one.sentence == other.sentence and one.use in (Use.CALLED, Use.ASKED, Use.EXCLUDED, Use.MEANT):
                first, second = (one, other) if step == 1 else (other, one)
                between = text[first.occurrence.end : second.occurrence.start]
                if spoken.joins.fullmatch(between):
                    changed[index + step] = Used(other.occurrence, one.use, other.sentence)
    for index in range(len(changed) - 1, 0, -1):
        one, other = changed[index - 1], changed[index]
        between = bare(text[one.occurrence.end : other.occurrence.start])
        follows = between in spoken.order or (between.split()[-1:] and between.split()[-1] in spoken.order)
        if one.use is Use.ASKED and other.use is Use.CALLED and one.sentence == other.sentence and follows:
            changed[index - 1] = Used(one.occurrence, Use.CALLED, one.sentence)
    return changed
