"""What a session is to hold: the meeting as it is remembered, as items that are known again. Pure; no I/O.

A session keeps a conversation of its own; what is remembered changes at its beginning, at its end and in between. So
each remembered message has an id made of its words, and what the agent said itself stays the item that it is there,
with its sound. Telling a session then takes only what is new, and what it need not hold any more.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from livekit.agents import llm

from ..models.prompt import Message

ID_CHARACTERS = 24
"""With its beginning below the 32 that OpenAI allows."""


def items_of(
    prompt: Iterable[Message],
    own: Mapping[str, Sequence[Sequence[str]]],
    held: llm.ChatContext,
    done: Iterable[Any] = (),
    said: Sequence[str] = (),
) -> list[llm.ChatItem]:
    """Returns the items that a session is to hold.

    Args:
        prompt: what is remembered, without the instructions.
        own: by what the agent said in a turn, the ids of the items that the session made of it, each time it did.
        held: what the session holds now.
        done: what was said and used in the present turn, after the prompt.
        said: the ids of the items of the present turn's words.
    """
    there = {item.id: item for item in held.items}
    wanted: list[llm.ChatItem] = []
    times: Counter[Message] = Counter()
    prompt = list(prompt)
    in_all = Counter(prompt)
    for message in prompt:
        times[message] += 1
        known = own.get(message.text, ()) if message.role == "assistant" else ()
        nth = len(known) - in_all[message] + times[message] - 1  # the oldest may not be known any more
        ids = known[nth] if 0 <= nth < len(known) else ()
        if ids and all(one in there for one in ids):
            wanted += [there[one] for one in ids]
        else:
            wanted.append(_item(message, times[message], there))
    return list({item.id: item for item in (*wanted, *_of_turn(held, done, said))}.values())


def _of_turn(held: llm.ChatContext, done: Iterable[Any], said: Sequence[str]) -> list[llm.ChatItem]:
    """Returns what belongs to the present turn: in the session's order as far as it is there."""
    done = list(done)
    wanted = {key for item in done if (key := _call_key(item)) is not None}
    present = [item for item in held.items if item.id in said or _call_key(item) in wanted]
    known = {_call_key(item) for item in present}
    has_words = any(item.id in said for item in present)
    return present + [
        item for item in done if (not has_words if _call_key(item) is None else _call_key(item) not in known)
    ]


def _item(message: Message, time: int, there: Mapping[str, llm.ChatItem]) -> llm.ChatItem:
    digest = hashlib.sha256(f"{time}\n{message.role}\n{message.text}".encode()).hexdigest()
    name = f"mc_{digest[:ID_CHARACTERS]}"
    return there.get(name) or llm.ChatMessage(id=name, role=message.role, content=[message.text])


def _call_key(item: Any) -> tuple[str, str] | None:
    """Returns what a call, or what came of one, is known by; its id is the session's or our own."""
    return (item.type, item.call_id) if isinstance(item, llm.FunctionCall | llm.FunctionCallOutput) else None
