"""Where the names of those in the room stand in a text: spelt as they are, or as a recogniser may write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from meetctl.protocol.likeness import LONG, Sound, alike, sound_of

from .language import Language
from .text import Token, fold, tokens
from .view import Party

LONGEST_MISHEARD = 3
"""Words that a recogniser makes of one name: "play dough" for Plato."""
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
SENTENCE_END = re.compile(r"[.!?。！？]\s?")
HAN = re.compile("[\u3400-\u9fff々]")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name in the folded text."""

    identities: tuple[str, ...]
    """Whose it may be; more than one where several share it."""
    start: int
    end: int
    ordinary: bool = False
    """It is an ordinary word too."""
    exact: bool = True
    role: bool = False
    full: bool = True
    """It is the whole name, or all of it that is no title."""
    articled: bool = False
    """An article stands before it: "the coach"."""


@dataclass(frozen=True, slots=True)
class _Variant:
    words: tuple[str, ...]
    identities: tuple[str, ...]
    ordinary: bool
    full: bool
    needs_honorific: bool = False


class Names:
    """The names of everybody present, ready to be looked for."""

    def __init__(self, parties: tuple[Party, ...], spoken: Language) -> None:
        self._language = spoken
        found: dict[tuple[str, ...], list[tuple[str, bool]]] = {}
        honorific_only: set[tuple[str, ...]] = set()
        for party in parties:
            for words, full, bound in _spellings(party, spoken):
                found.setdefault(words, [])
                if party.identity not in (identity for identity, _ in found[words]):
                    found[words].append((party.identity, full))
                if bound:
                    honorific_only.add(words)
        self._by_first: dict[str, list[_Variant]] = {}
        self._sounds: dict[str, list[tuple[Sound, _Variant]]] = {}
        """By the consonants; those of long names by the first sound too."""
        for words, whose in found.items():
            whole = [identity for identity, full in whose if full]
            # One whose whole name this is goes before those of whose name it is a part.
            identities = tuple(whole or (identity for identity, _ in whose))
            if len(whose) > 1 and not whole and _says_nothing(words, spoken):
                continue
            ordinary = len(words) == 1 and (words[0] in spoken.ordinary or words[0] in spoken.stop_words)
            variant = _Variant(words, identities, ordinary, bool(whole), words in honorific_only and not whole)
            self._by_first.setdefault(words[0], []).append(variant)
            if not variant.needs_honorific:
                sound = sound_of(("" if HAN.search(words[0]) or _is_kana(words) else " ").join(words))
                for key in (sound.consonants, *(("^" + sound.plain[:1],) if len(sound.letters) >= LONG else ())):
                    self._sounds.setdefault(key, []).append((sound, variant))
        for variants in self._by_first.values():
            variants.sort(key=lambda one: len(one.words), reverse=True)

    def exact(self, text: str, words: Sequence[Token]) -> list[Occurrence]:
        """Returns the names that stand in the folded text, the longest at each place."""
        found: list[Occurrence] = []
        index = 0
        while index < len(words):
            taken = self._at(text, words, index)
            if taken is None:
                index += 1
                continue
            occurrence, length = taken
            found.append(occurrence)
            index += length
        return found

    def similar(self, text: str, words: Sequence[Token], taken: Iterable[Occurrence]) -> list[Occurrence]:
        """Returns what may be a name misheard, best first."""
        spans = [(one.start, one.end) for one in taken]
        found: list[tuple[float, Occurrence]] = []
        for index in range(len(words)):
            for length in range(1, LONGEST_MISHEARD + 1):
                run = words[index : index + length]
                if len(run) < length or any(one.start < end and start < one.end for one in run for start, end in spans):
                    break
                if SENTENCE_END.search(text, run[0].end, run[-1].start):
                    break  # nobody's name goes on in the next sentence
                if length == 1 and run[0].text in self._language.stop_words:
                    continue
                if length > 1 and all(one.text in self._language.stop_words for one in run) and length > 2:
                    continue
                found += self._like(text, words, index, run)
        found.sort(key=lambda one: (-one[0], one[1].start))
        return [occurrence for _, occurrence in found]

    def _like(
        self, text: str, words: Sequence[Token], index: int, run: Sequence[Token]
    ) -> list[tuple[float, Occurrence]]:
        heard = sound_of(text[run[0].start : run[-1].end])
        best: dict[tuple[str, ...], float] = {}
        near = self._sounds.get(heard.consonants, [])
        if len(heard.letters) >= LONG:
            near = [*near, *self._sounds.get("^" + heard.plain[:1], ())]
        for sound, variant in near:
            if heard.is_cjk and sound.is_cjk and len(heard.text) != len(sound.text):
                continue
            if (likeness := alike(heard, sound)) > 0:
                best[variant.identities] = max(best.get(variant.identities, 0.0), likeness)
        if not best:
            return []
        most = max(best.values())
        nearest = [identities for identities, likeness in best.items() if likeness >= most - 0.01]
        start, end = self._widened(text, words, index, len(run))
        identities = tuple(dict.fromkeys(identity for one in nearest for identity in one))
        return [(most - 0.05 * (len(run) - 1), Occurrence(identities, start, end, exact=False))]

    def _at(self, text: str, words: Sequence[Token], index: int) -> tuple[Occurrence, int] | None:
        for variant in self._by_first.get(words[index].text, ()):
            length = len(variant.words)
            run = words[index : index + length]
            if tuple(one.text for one in run) != variant.words:
                continue
            start, end = self._widened(text, words, index, length)
            if variant.needs_honorific and end == run[-1].end and start == run[0].start:
                continue
            honoured = (start, end) != (run[0].start, run[-1].end)
            articled = not honoured and has_article(text, words, index, self._language)
            if articled:
                start = words[index - 1].start
            ordinary = variant.ordinary and not honoured
            return Occurrence(variant.identities, start, end, ordinary, full=variant.full, articled=articled), length
        return None

    def _widened(self, text: str, words: Sequence[Token], index: int, length: int) -> tuple[int, int]:
        """Returns where the name begins and ends with the titles before it and what is hung onto it."""
        start, end = words[index].start, words[index + length - 1].end
        before = index - 1
        while (
            before >= 0 and words[before].text in self._language.titles and "," not in text[words[before].end : start]
        ):
            start = words[before].start
            before -= 1
        for honorific in sorted(self._language.honorifics, key=len, reverse=True):
            if text.startswith(honorific, end):
                end += len(honorific)
                break
        return start, end


def has_article(text: str, words: Sequence[Token], index: int, spoken: Language) -> bool:
    """Returns whether an article stands right before the word at that index."""
    if not index or words[index - 1].text not in spoken.articles:
        return False
    return not text[words[index - 1].end : words[index].start].strip()


@lru_cache(maxsize=16)
def names_of(parties: tuple[Party, ...], spoken: Language) -> Names:
    """Returns the names of those present; made once for as long as nobody comes or goes."""
    return Names(parties, spoken)


def _spellings(party: Party, spoken: Language) -> Iterable[tuple[tuple[str, ...], bool, bool]]:
    """Yields the ways the name is written: its words, whether that is all of it, whether it needs an honorific."""
    for name in (party.name, party.name.translate(UMLAUTS), *party.also_called):
        words = _words(name)
        if not words:
            continue
        yield words, True, False
        core = tuple(word for word in words if word not in spoken.titles and word not in spoken.articles)
        if core and core != words:
            yield core, True, False
        parts = core or words
        if len(parts) > 1 and not HAN.search(parts[0]) and not _is_kana(parts):
            for part in (parts[0], parts[-1]):
                if not _says_nothing((part,), spoken):
                    yield (part,), False, False
        yield from _parts_without_blanks(parts)
    for name in (party.name, *party.also_called):
        read = readings(name, spoken)
        yield from ((_words(reading), True, False) for reading in read)
        # Other characters that are read the same.
        alike = (
            other for other, sounds in spoken.readings.items() if other != name and set(sounds) & set(read or (name,))
        )
        yield from ((_words(other), False, False) for other in alike)


def _parts_without_blanks(words: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], bool, bool]]:
    """Yields surname and given name of a Chinese or Japanese name."""
    if not all(HAN.search(word) for word in words):
        return
    if len(words) == 4:
        yield words[:2], False, False
        yield words[2:], False, False
    elif len(words) == 3:
        yield words[1:], False, False
        yield words[:2], False, True
    if len(words) in (2, 3):
        yield words[:1], False, True


def readings(name: str, spoken: Language) -> tuple[str, ...]:
    """Returns how a name in characters is read, in kana, where the language's file says so."""
    return spoken.readings.get(name, ())


def _is_kana(words: tuple[str, ...]) -> bool:
    return all(len(word) == 1 and "\u3041" <= word <= "\u30ff" for word in words)


def _says_nothing(words: tuple[str, ...], spoken: Language) -> bool:
    return all(
        word in spoken.stop_words or word in spoken.titles or word in spoken.articles or word.isdigit() or len(word) < 2
        for word in words
    )


def _words(name: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens(fold(name)))
