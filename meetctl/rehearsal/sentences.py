"""Takes a step's sentence apart: `Sam says`, `Eve leaves`, `wait`, `kill`. Knows words; not who is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from meetctl.protocol.rehearsal import Act
from meetctl.rehearsal.written import LONGEST_TEXT, Duration, ExpectWritten, StepWritten
from meetctl.roster.faults import KeyPath, nearest
from meetctl.roster.reading import Reading
from meetctl.roster.written import Written

VERBS = {
    "says": Act.SAYS,
    "interrupts": Act.SAYS,
    "writes": Act.WRITES,
    "joins": Act.JOINS,
    "leaves": Act.LEAVES,
}
SPOKEN = (Act.SAYS, Act.WRITES)
"""Need a text; the others take none."""
EXAMPLE = 'write - Sam says: "…", - Eve leaves, - wait: 2s or - kill: NAME'

_SENTENCE = re.compile(r"(?P<person>.+?)\s+(?P<verb>\S+)")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A step as far as it can be understood alone."""

    path: KeyPath
    """Of the sentence itself."""
    act: Act
    person: str | None = None
    text: str = ""
    seconds: float = 0.0
    target: str | None = None
    while_speaking: bool = False
    interrupts: bool = False
    expect: ExpectWritten | None = None


class _Wait(Written):
    wait: Duration


class _Kill(Written):
    kill: str


def read_step(reading: Reading, item: object, path: KeyPath) -> Sentence | None:
    """Returns the step at the path, None where its sentence is not understood; the faults are noted."""
    if isinstance(item, str):
        return _sentence(reading, item, None, path, StepWritten())
    if not isinstance(item, Mapping):
        reading.note(path, "must be a step", EXAMPLE)
        return None
    known = set(StepWritten.model_fields)
    sentences = [key for key in item if key not in known and (key in ("wait", "kill") or _SENTENCE.fullmatch(key))]
    for key in item:
        if key not in known and key not in sentences:
            like = nearest(key, [*known, "wait", "kill"])
            reading.note((*path, key), "unknown key", f"did you mean {like}?" if like else EXAMPLE)
    # Apart, so that a fault in it hides none of its other keys.
    expect, _ = reading.read(ExpectWritten, item["expect"], (*path, "expect")) if "expect" in item else (None, None)
    beside, _ = reading.read(StepWritten, {key: item[key] for key in known & set(item) - {"expect"}}, path)
    beside = (beside or StepWritten()).model_copy(update={"expect": expect})
    if not sentences:
        if known >= set(item):
            reading.note(path, "does not say what happens in this step", EXAMPLE)
        return None
    for key in sentences[1:]:
        reading.note((*path, key), f"a second sentence in one step, after {sentences[0]!r}", "begin a new step: - …")
    key = sentences[0]
    here = (*path, key)
    if key == "wait":
        wait, _ = reading.read(_Wait, {"wait": item[key]}, path)
        return None if wait is None else _with(Sentence(here, Act.WAITS, seconds=wait.wait), beside)
    if key == "kill":
        kill, _ = reading.read(_Kill, {"kill": item[key]}, path)
        return None if kill is None else _with(Sentence(here, Act.KILLS, target=kill.kill), beside)
    return _sentence(reading, key, item[key], here, beside)


def _sentence(reading: Reading, words: str, text: object, path: KeyPath, beside: StepWritten) -> Sentence | None:
    match = _SENTENCE.fullmatch(words)
    verb = match["verb"] if match else words
    act = VERBS.get(verb) if match else None
    if match is None or act is None:
        like = nearest(verb, VERBS)
        who = match["person"] if match else "Sam"
        hint = f"did you mean {who} {like}?" if match and like else EXAMPLE
        reading.note(path, f"not understood: {words!r} (people do: {', '.join(VERBS)})", hint)
        return None
    if act in SPOKEN and not (isinstance(text, str) and text.strip()):
        got = "nothing" if text is None or text == "" else f"{text!r}"
        reading.note(path, f"must be a text, got {got}", f'write {words}: "Ada, what do you think?"')
        return None
    if act in SPOKEN and isinstance(text, str) and len(text) > LONGEST_TEXT:
        reading.note(path, f"at most {LONGEST_TEXT} characters, this has {len(text)}", "make two steps of it")
    if act not in SPOKEN and text is not None:
        reading.note(path, f"takes no text, got {text!r}", f"write - {words}")
    said = text.strip() if isinstance(text, str) else ""
    interrupts = verb == "interrupts"
    sentence = Sentence(path, act, match["person"], said, while_speaking=interrupts, interrupts=interrupts)
    return _with(sentence, beside)


def _with(sentence: Sentence, beside: StepWritten) -> Sentence:
    speaking = sentence.while_speaking or beside.when == "speaking"
    return replace(sentence, while_speaking=speaking, expect=beside.expect)
