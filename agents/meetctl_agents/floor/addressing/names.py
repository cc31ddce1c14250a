"""Whom a sentence is meant for, as people say names aloud and as a transcription spells them. Pure text.

Three ways a name is used count in this order, and the first that occurs decides: called ("Max, …", "hey Max",
"what about you, Ada?"), at the start of a sentence ("Max what do you think"), merely mentioned ("I agree with Max").
A transcription's misspelling ("Macs, …") is forgiven only where the name is called. Where nobody is called, "you two"
and "everyone" call several.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from meetctl.protocol import CastMember

CALLS = frozenset("hey hi hello okay ok so and but well thanks please now then or yes no yeah right dear oh".split())
"""Words that come before a name one calls."""
ORDINARY = frozenset(
    "will mark may bill hope art rob grant chase drew sky joy faith grace rose iris violet jack pat sue guy ray "
    "dawn june april august miles frank earnest rich chip dale cliff glen heath lance pierce reed wade".split()
)
"""Names that are ordinary words too: at the start of a sentence they say nothing."""
DISMISSALS = frozenset(
    "stop enough quiet wait hush silence be is it that that's thats please thank thanks you ok okay no shut up hold on "
    "now alright all right fine never mind hang a moment second one cut off".split()
)
"""What people say to an agent that is to stop talking, and nothing else."""
LONGEST_DISMISSAL = 8
"""Words."""
JOINS = frozenset({"and", "or"})
GROUPS = frozenset({"everyone", "everybody", "folks", "guys", "team", "all"})
"""Called like a name, they call everybody: "Everyone, …", "hi team"."""
ALL_OF_THEM = re.compile(
    r"\b(?:all of you|you all|y'all|you guys|each of you|everyone of you"
    r"|(?:does|do|can|could|would|will|should|is|are|has|have|let) (?:everyone|everybody))\b"
)
TWO_OF_THEM = re.compile(r"\b(?:you two|you both|both of you|the two of you|you too\?)")
"""The last as a transcription spells it at the end of a question."""
SHORTEST_MISSPELT = 3
"""Letters; shorter names are near too many words."""
MOST_EDITS = 2
"""Letters that may differ once both are spelt plainly and their consonants agree."""

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
SENTENCE_BREAK = re.compile(r"[.!?…\n]")
PAUSE = re.compile(r"[,.;:!?…—–\n-]")


class _Use(IntEnum):
    CALLED = 0
    FIRST = 1
    MENTIONED = 2


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    folded: str
    before: str
    """What stands between the word before and this one."""
    after: str


def addressed(
    text: str, cast: Iterable[CastMember], *, called_only: bool = False, recent: Sequence[str] = ()
) -> tuple[str, ...]:
    """Returns the identities of the agents the text is meant for, in order; empty = nobody in particular.

    Args:
        called_only: for agents' own texts, which are full of each other's names: only calling one by name counts.
        recent: identities of those who spoke, the last one last; "you two" are the last two agents of them.
    """
    members = tuple(cast)
    words = _words(text)
    found: dict[_Use, list[tuple[int, str]]] = {use: [] for use in _Use}
    for member in members:
        for index, use in _uses(words, member.name):
            found[use].append((index, member.identity))
    _call_companions(words, found)
    for use in (_Use.CALLED,) if called_only else _Use:
        if found[use]:
            return tuple(dict.fromkeys(identity for _, identity in sorted(found[use])))
        if use is _Use.CALLED and not called_only and (together := _called_together(text, words, members, recent)):
            return together
    return ()


def dismisses(text: str) -> bool:
    """Returns whether the text only tells somebody to stop talking."""
    words = _words(text)
    return 0 < len(words) <= LONGEST_DISMISSAL and all(word.folded in DISMISSALS for word in words)


def _called_together(
    text: str, words: list[_Word], members: tuple[CastMember, ...], recent: Sequence[str]
) -> tuple[str, ...]:
    everybody = tuple(member.identity for member in members if member.serves_floor)
    plain = " ".join(text.casefold().replace("’", "'").split())
    if TWO_OF_THEM.search(plain):
        spoke = [identity for identity in dict.fromkeys(reversed(recent)) if identity in everybody]
        two = [*spoke, *(identity for identity in everybody if identity not in spoke)][:2]
        return tuple(identity for identity in everybody if identity in two)
    called = any(word.folded in GROUPS and _use(words, index, index) is _Use.CALLED for index, word in enumerate(words))
    return everybody if called or ALL_OF_THEM.search(plain) else ()


def _call_companions(words: list[_Word], found: dict[_Use, list[tuple[int, str]]]) -> None:
    """Takes "Ada" of "Ada and Max, …" for called as well."""
    called = {index for index, _ in found[_Use.CALLED]}
    for use in (_Use.FIRST, _Use.MENTIONED):
        for index, identity in found[use]:
            if index + 2 in called and words[index + 1].folded in JOINS:
                found[_Use.CALLED].append((index, identity))


def _uses(words: list[_Word], name: str) -> list[tuple[int, _Use]]:
    wanted = [word.folded for word in _words(name)]
    if not wanted:
        return []
    uses: list[tuple[int, _Use]] = []
    for index in range(len(words)):
        for length in {len(wanted), 1}:
            run = words[index : index + length]
            exact = [word.folded for word in run] in (wanted, wanted[:length])
            alike = length == 1 == len(run) and _is_misspelt(run[0], wanted[0])
            if not exact and not alike:
                continue
            use = _use(words, index, index + length - 1)
            if exact and not (use is not _Use.CALLED and _is_ordinary_use(run[0], use)):
                uses.append((index, use))
            elif alike and use is _Use.CALLED:
                uses.append((index, use))
            break
    return uses


def _use(words: list[_Word], first: int, last: int) -> _Use:
    pause_after = bool(PAUSE.search(words[last].after)) or last == len(words) - 1
    starts = first == 0 or bool(SENTENCE_BREAK.search(words[first].before))
    previous = words[first - 1] if first and not SENTENCE_BREAK.search(words[first].before) else None
    called_before = starts or bool(PAUSE.search(words[first].before))
    greeted = previous is not None and previous.folded in CALLS
    # "hey Max" at the start needs no pause after it; "and Max said" does not call him.
    greeting = previous is not None and previous.folded in {"hey", "hi", "hello"}
    if ((called_before or greeted) and pause_after) or greeting:
        return _Use.CALLED
    return _Use.FIRST if starts else _Use.MENTIONED


def _is_ordinary_use(word: _Word, use: _Use) -> bool:
    return word.folded in ORDINARY and (use is _Use.FIRST or not word.text[:1].isupper())


def _words(text: str) -> list[_Word]:
    matches = list(WORD.finditer(text))
    ends = [0, *(match.end() for match in matches)]
    starts = [*(match.start() for match in matches), len(text)]
    return [
        _Word(match[0], _folded(match[0]), text[ends[index] : match.start()], text[match.end() : starts[index + 1]])
        for index, match in enumerate(matches)
    ]


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word)
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return re.sub(r"['’]s$", "", letters)


def _is_misspelt(word: _Word, name: str) -> bool:
    joined = _folded(re.sub(r"['’-]", "", word.text))  # "Mack's" may be meant for "Max"
    return any(_sounds_like(spelling, name) for spelling in (word.folded, joined))


def _sounds_like(word: str, name: str) -> bool:
    if min(len(name), len(word)) < SHORTEST_MISSPELT or word == name:
        return False
    one, other = _spelt_plainly(word), _spelt_plainly(name)
    return _consonants(one) == _consonants(other) and _edits(one, other) <= MOST_EDITS


def _spelt_plainly(word: str) -> str:
    for letters, sound in (("ck", "k"), ("ph", "f"), ("x", "ks"), ("q", "k"), ("z", "s"), ("ce", "se"), ("ci", "si")):
        word = word.replace(letters, sound)
    return word.translate(str.maketrans("cgjdbvwm", "kkktpffn"))


def _consonants(spelling: str) -> str:
    """Returns the consonants; a vowel only tells that the word begins with one."""
    start = "a" if spelling[:1] in "aeiouyh" else spelling[:1]
    return re.sub(r"(.)\1+", r"\1", start + re.sub(r"[aeiouyhr]", "", spelling[1:]))


def _edits(one: str, other: str) -> int:
    """Returns the edit distance (insertions, deletions, replacements)."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        previous, row[0] = row[0], index
        for column, against in enumerate(other, 1):
            previous, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, previous + (letter != against)),
            )
    return row[-1]
