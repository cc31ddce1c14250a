"""How each language says who is meant: `languages/CODE.toml`, read and checked once. Adding one needs no code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

from .text import CJK, NAME, OTHER, fold

AUTO = "auto"
FALLBACK = "en"
NOTHING = re.compile(r"(?!)")


class BadLanguage(Exception):
    """A language's file has a key that is not known, lacks one, or holds a pattern that is none."""


@dataclass(frozen=True, eq=False)
class Language:
    """The words and patterns of one language; `README.md` beside the files says what each is for."""

    code: str
    stop_words: frozenset[str]
    articles: frozenset[str]
    titles: frozenset[str]
    honorifics: frozenset[str]
    ordinary: frozenset[str]
    joins: re.Pattern[str]
    openers: re.Pattern[str]
    order: frozenset[str]
    dismissals: re.Pattern[str]
    before_mention: frozenset[str]
    subject: re.Pattern[str]
    question: re.Pattern[str]
    inverted: re.Pattern[str]
    question_sure: re.Pattern[str]
    request: re.Pattern[str]
    request_plain: re.Pattern[str]
    you: re.Pattern[str]
    you_statement: re.Pattern[str]
    called_surely: re.Pattern[str]
    called: re.Pattern[str]
    called_after: re.Pattern[str]
    asked: re.Pattern[str]
    mentioned: re.Pattern[str]
    excluded: re.Pattern[str]
    meant: re.Pattern[str]
    everybody_but: re.Pattern[str]
    repair: re.Pattern[str]
    correction_only: re.Pattern[str]
    other_one: re.Pattern[str]
    everybody: re.Pattern[str]
    everybody_mentioned: re.Pattern[str]
    both: re.Pattern[str]
    thanks: re.Pattern[str]
    hums: frozenset[str]
    affirmations: frozenset[str]
    nods: frozenset[str]
    """Said over somebody who talks, they mean: go on. Said in silence, they may be an answer."""
    nod_phrases: re.Pattern[str]
    """The same; among them what recognisers write for noises."""
    backchannel_words: frozenset[str]
    backchannel: re.Pattern[str]
    self_talk: re.Pattern[str]
    noise: re.Pattern[str]
    anyone: re.Pattern[str]
    anyone_strict: re.Pattern[str]
    people_only: re.Pattern[str]
    fragment: re.Pattern[str]
    fragment_unmarked: re.Pattern[str]
    kin: re.Pattern[str]
    relatives: re.Pattern[str]
    pronouns_feminine: frozenset[str]
    pronouns_masculine: frozenset[str]
    pronouns_any: frozenset[str]
    pronoun_asked: re.Pattern[str]
    pronoun_told: re.Pattern[str]
    role_leads: re.Pattern[str]
    role_ends: frozenset[str]
    role_fillers: frozenset[str]
    role_words: frozenset[str]
    inflections: frozenset[str]
    role_heads: str
    """`last`, or `first`."""
    male: frozenset[str]
    female: frozenset[str]
    readings: Mapping[str, tuple[str, ...]]
    """How names in characters are read, in kana."""

    @property
    def heads_last(self) -> bool:
        """Whether a noun stands behind what describes it: "payroll clerk", and not "guía de viajes"."""
        return self.role_heads == "last"

    @property
    def without_blanks(self) -> bool:
        """Whether words are written without blanks between them."""
        return self.code in ("zh", "ja")


_JOINED = frozenset({"excluded", "mentioned"})
"""Where only names that a word joins are taken together: "not Grace, Frank" excludes one."""
_LISTS = frozenset({"joins", "openers", "dismissals", "kin"})
"""Words, of which the pattern is made."""


@cache
def known() -> tuple[str, ...]:
    """Returns the codes of the languages there are files for."""
    folder = resources.files(__package__) / "languages"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


@cache
def language(code: str) -> Language:
    """Returns the language of that code.

    Raises:
        BadLanguage: if its file is wrong.
    """
    return parsed(code, _written(code))


def _written(code: str) -> dict[str, object]:
    file = resources.files(__package__) / "languages" / f"{code}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def parsed(code: str, written: dict[str, object]) -> Language:
    """Returns the language that a file's content describes.

    Raises:
        BadLanguage: if a key is unknown or missing, or a pattern is none.
    """
    names = {field.name: field.type for field in fields(Language)}
    if unknown := sorted(set(written) - set(names)):
        raise BadLanguage(f"{code}: no key is called {', '.join(unknown)}")
    if missing := sorted(set(names) - set(written) - {"readings"}):
        raise BadLanguage(f"{code}: has no {', '.join(missing)}")
    values: dict[str, object] = {}
    pronouns = "|".join(
        sorted(
            (
                re.escape(word)
                for key in ("feminine", "masculine", "any")
                for word in _text(code, written, f"pronouns_{key}").split()
            ),
            key=len,
            reverse=True,
        )
    )
    for name, kind in names.items():
        if name == "readings":
            values[name] = _readings(code, written.get(name, {}))
            continue
        text = _text(code, written, name)
        if name in ("code", "role_heads"):
            values[name] = text
        elif "frozenset" in str(kind):
            values[name] = frozenset(fold(text).split())
        else:
            values[name] = _pattern(code, name, text, pronouns, spaced=code not in ("zh", "ja"))
    return Language(**values)  # type: ignore[arg-type]


def chosen(code: str | None, text: str) -> Language:
    """Returns the language of a folded line: the meeting's, or where that is not known the line's own."""
    wanted = (code or AUTO).partition("-")[0].lower()
    return language(wanted) if wanted in known() else language(_guessed(text))


def make_ready(code: str | None) -> None:
    """Reads the meeting's language, and where that is not known the usual one: a tenth of a second, once."""
    chosen(code, "")


def _guessed(text: str) -> str:
    if re.search("[\u3041-\u30ff]", text):
        return "ja"
    if re.search("[\u3400-\u9fff]", text):
        return "zh"
    words = set(text.replace("'", " ").replace(",", " ").rstrip(".?!").split())
    return max(_common_words(), key=lambda code: (len(words & _common_words()[code]), code == FALLBACK))


@cache
def _common_words() -> dict[str, frozenset[str]]:
    """Returns the commonest words of each language that writes blanks between them."""
    written = {code: _written(code) for code in known()}
    return {code: frozenset(fold(str(one["stop_words"])).split()) for code, one in written.items() if one["articles"]}


def _text(code: str, written: dict[str, object], name: str) -> str:
    text = written[name]
    if not isinstance(text, str):
        raise BadLanguage(f"{code}: {name} is no text")
    return text


def _readings(code: str, written: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(written, dict) or not all(isinstance(text, str) for text in written.values()):
        raise BadLanguage(f"{code}: readings is no table of names")
    return {str(name): tuple(text.split()) for name, text in written.items()}


def _pattern(code: str, name: str, text: str, pronouns: str, *, spaced: bool) -> re.Pattern[str]:
    if name in _LISTS:
        words = "|".join(sorted((re.escape(fold(word)) for word in text.split()), key=len, reverse=True))
        edge = r"\b" if spaced else ""
        return re.compile(rf"(?:[\s,]*{edge}(?:{words}){edge}[\s,]*)+" if words else "(?!)")
    lines = [line for line in text.strip("\n").split("\n") if line.strip()]
    if not lines:
        return NOTHING
    blank = " " if spaced else " ?"
    listed = f"(?:[{NAME}{OTHER}]{blank}(?:[^\\W{CJK}]{{1,3}} |[{CJK}] ?)?){{0,3}}{NAME}"
    joined = f"(?:[{NAME}{OTHER}]{blank}(?:[^\\W{CJK}]{{1,3}} |[{CJK}] ?)){{0,3}}{NAME}"
    if name in _JOINED:
        listed = joined
    body = "|".join(f"(?:{_folded(line)})" for line in lines)
    for mark, meaning in (
        ("{name}", NAME),
        ("{any}", f"[{NAME}{OTHER}]"),
        ("{list}", listed),
        ("{joined}", joined),
        ("{pronoun}", f"(?P<pronoun>{pronouns or '(?!)'})"),
    ):
        if mark == "{pronoun}":
            count = 0
            while mark in body:  # a group's name may stand in a pattern once
                body = body.replace(mark, f"(?P<pronoun{count}>{pronouns or '(?!)'})", 1)
                count += 1
            continue
        body = body.replace(mark, meaning)
    try:
        return re.compile(body)
    except re.error as error:
        raise BadLanguage(f"{code}: {name} is no pattern: {error}") from None


def _folded(pattern: str) -> str:
    """Returns the pattern as it fits folded text: its letters folded, its signs as they are."""
    return "".join(letter if letter.isascii() else fold(letter) or letter for letter in pattern)
