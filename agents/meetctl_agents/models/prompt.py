"""How a language model is told of the meeting. Pure: what is remembered in, messages out.

Who says it is structure, never text. Instructions, facts and who is here are messages of the role "system", which
nothing that people say gets into, save their names, in quotes. What one of the others says is one "user" message of
its own, on one line, that begins with the speaker's name and a colon; what the agent itself said is "assistant".
No name has a colon or a line break, no text has a line break or a chat template's own marks, so nobody can begin
another's message. The last message is always a "user" one: small models' templates and some servers want that.

To a small model, what is said to the agent by its name is told without either name: before "Eve: what would you do?"
it tells of what Eve would do. Words that could be read as another's, or as the meeting's own, keep their speaker.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from meetctl.protocol import TALK, Assignment, Line, UtteranceKind
from meetctl.protocol.languages import AUTO, language_name

from ..text.clauses import sentence_ends

YOUR_TURN = "(It is your turn to speak.)"
OPEN = "(Nobody has spoken yet. Greet those who are here in one sentence, and open the meeting.)"
USED = "You used a tool:"
"""These come from nobody: what people say begins with a name, and no name begins so."""
SMALL_MANNER = "Answer the question in one or two short spoken sentences, with concrete facts. What people say is true."
"""What a small model makes something of; of "no lists, no markup" it makes nothing but a longer prompt."""
SMALL_MANNER_WITH_TOOLS = (
    "Call a tool where one fits the question; otherwise answer it in one or two short spoken sentences, with concrete "
    "facts. What people say is true."
)
TOOLS = "Use your tools for what you cannot know yourself, and say what came of it in your own words."
LONGEST_NAME = 64
MOST_HERE = 12
"""People who are named; of more, how many they are."""
NAMELESS = "Somebody"

_NOT_IN_NAMES = frozenset(':：;"“”„‹›«»[]{}|')
_MARKS = re.compile(r"<(?=[|｜/\w])|(?<=[|｜/\w])>|\[(?=/?[A-Z_]{2,}\])")
"""Where templates write who speaks: <|im_start|>, <start_of_turn>, </s>, [INST]. Servers read them in what people say
as well."""
_COULD_BE_ANOTHERS = re.compile(r"[^\w¿¡]|.{0,80}[:：]")
"""Begins as a line with its speaker does, or as what comes from nobody."""
_IN_THEIR_PLACE = {"<": "‹", ">": "›", "[": "("}


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent remembers when it is to speak."""

    identity: str
    """Its own."""
    lines: tuple[Line, ...] = ()
    """Talk and facts, oldest first."""
    here: tuple[str, ...] | None = None
    """The people in the room; None = nobody said."""
    here_after: int = 0
    """How many of the lines were there when that changed last."""
    spoke_before: tuple[str, ...] = ()
    """Whose lines are all forgotten."""
    name: str | None = None
    """Its own, where the model is a small one: called by a name in every question, it tells of somebody who is called
    so. Nor is such a model told of tools that it used: it would use them again."""
    noted: frozenset[str] = frozenset()
    """Whose lines are told by their first sentence alone: a small model goes on with whatever it reads most of."""


def messages(instructions: str, told: Told, *, unasked: bool = False) -> tuple[Message, ...]:
    """Returns the prompt. It grows at its end from one line to the next, unless something is forgotten or renewed.

    Args:
        unasked: whether the agent is to speak of its own accord, not to answer the last line.
    """
    before = f" Earlier in the meeting {_names(told.spoke_before)} spoke too." if told.spoke_before else ""
    talk = [_message(line, told) for line in told.lines if _is_told(line, told)]
    if told.here is not None:
        before_it = sum(_is_told(line, told) for line in told.lines[: told.here_after])
        talk.insert(before_it, Message("system", _state(told.here)))
    if unasked:
        spoken = any(line.kind in TALK for line in told.lines)
        talk.append(Message("user", YOUR_TURN if spoken else OPEN))
    elif not talk or talk[-1].role != "user":
        talk.append(Message("user", YOUR_TURN))
    return (Message("system", instructions + before), *talk)


def alternating(prompt: Iterable[Message]) -> tuple[Message, ...]:
    """Returns the same for a model that takes nothing but "user" and "assistant" by turns after the instructions.

    Facts then stand in brackets, each on a line of its own; nothing that people say begins with one.
    """
    turns: list[Message] = []
    for message in prompt:
        if message.role == "system" and turns:
            message = Message("user", f"[{message.text}]")
        if len(turns) > 1 and turns[-1].role == message.role:
            turns[-1] = Message(message.role, f"{turns[-1].text}\n{message.text}")
        elif len(turns) == 1 and message.role == "assistant":
            turns += [Message("user", YOUR_TURN), message]
        else:
            turns.append(message)
    return tuple(turns)


def instructions_from_assignment(assignment: Assignment) -> str:
    """Returns who the agent is, whom it meets and how it is to talk; to a small model in fewer words."""
    is_small = is_for_small_model(assignment)
    others = [member.name for member in assignment.cast if member.identity != assignment.identity]
    parts = [f"You are {assignment.name}, {'in' if is_small else 'speaking aloud in'} a meeting."]
    if assignment.persona:
        parts.append(assignment.persona.strip())
    if assignment.topic:
        parts.append(f"The topic: {assignment.topic.strip()}.")
    if assignment.language == AUTO:
        parts.append("Answer in the language in which you are spoken to.")
    elif assignment.language is not None:
        parts.append(f"Speak {language_name(assignment.language)}.")
    has_tools = assignment.tools is not None and bool(assignment.tools.sources)
    if has_tools and not is_small:
        parts.append(TOOLS)
    if is_small:
        # Told who else is there, it takes itself for them.
        parts.append(SMALL_MANNER_WITH_TOOLS if has_tools else SMALL_MANNER)
        return " ".join(parts)
    if others:
        parts.append(f"Also here: {', '.join(others)}, and the people who talk to you.")
    parts.append("Answer in one to three short spoken sentences. No lists, no markup, no names before what you say.")
    return " ".join(parts)


def is_for_small_model(assignment: Assignment) -> bool:
    """Whether it is the local model that answers, which is small whichever it is."""
    return assignment.llm is not None and assignment.llm.reads_ahead


def is_task(message: Message) -> bool:
    """Whether it tells the model what to do now: in brackets, as no word of a person's begins, and no tool's result."""
    return message.role == "user" and message.text.startswith("(") and not message.text.startswith(f"({USED}")


def told_name(name: str) -> str:
    """Returns the name as models read it: it begins with a letter or digit and has no colon, quote or bracket."""
    plain = "".join(" " if letter in _NOT_IN_NAMES else letter for letter in told_text(name))
    plain = " ".join(plain.split())[:LONGEST_NAME]
    while plain and not plain[0].isalnum():
        plain = plain[1:]
    return plain.rstrip() or NAMELESS


def told_text(text: str) -> str:
    """Returns what somebody said as models read it: on one line, without a template's own marks."""
    seen = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") else letter for letter in text)
    return _MARKS.sub(lambda match: _IN_THEIR_PLACE[match[0]], " ".join(seen.split()))


def _is_told(line: Line, told: Told) -> bool:
    return told.name is None or line.kind is not UtteranceKind.TOOL


def _message(line: Line, told: Told) -> Message:
    said = told_text(line.text)
    if line.kind is UtteranceKind.FACT:
        return Message("system", said)
    if line.kind is UtteranceKind.TOOL:
        return Message("user", f"({USED} {said})")
    if line.identity == told.identity:
        return Message("assistant", f"{said}…" if line.interrupted else said)
    if line.identity in told.noted:
        said = said[: next(sentence_ends(f"{said} "), len(said))]
    asked = without_call(said, told.name) if told.name is not None else None
    if asked is not None and not _COULD_BE_ANOTHERS.match(asked):
        return Message("user", asked)
    return Message("user", f"{told_name(line.speaker)}: {said}")


def without_call(said: str, name: str) -> str | None:
    """Returns the words without the name that they are addressed to; None where they are not to that name alone."""
    called = re.escape(" ".join(name.split()))
    calls = rf"(?:\A|(?<=[.?!,] )){called}\s*[,:]\s*(?=\w)|\s*,\s*{called}\s*(?=[.?!]*\Z)"
    rest, times = re.subn(calls, "", said, flags=re.IGNORECASE)
    return rest[:1].upper() + rest[1:] if times else None


def _state(here: tuple[str, ...]) -> str:
    if not here:
        return "Here now: none of the people."
    more = len(here) - MOST_HERE
    return f"Here now: {_names(here[:MOST_HERE])}{f' and {more} more' if more > 0 else ''}."


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{told_name(name)}"' for name in names)
