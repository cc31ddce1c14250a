"""A small model's calls of tools: it names the right one, but writes it as text. Pure: texts in, calls out.

Qwen's Coder models leave out the tags that their own template asks for, copy its doubled braces, and put the JSON into
a code fence. So the first JSON object that names one of the given tools is the call, whatever stands around it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

_BEGINNING = re.compile(r"\s*(?:<tool_call>|```|`|\{|\[)")
"""How an answer begins that may be a call; any other is spoken as it comes."""
_FIRST = re.compile(r"\s*(?:<(?:t(?:o(?:o(?:l(?:_(?:c(?:a(?:l(?:l>?)?)?)?)?)?)?)?)?)?|`{1,3}|\{|\[)?\Z")
"""A beginning that is too short to tell."""
_INSIDE = re.compile(r"<tool_call>|```(?:json)?\s*\{|\{\{?\s*\"name\"")
"""Where a call begins in the middle of an answer."""
_BEGUN = re.compile(r"(?:<[a-z_]*|`{1,3}[a-z]*\s*|\{{1,2}\s*(?:\"[a-z]*\"?)?)\Z")
_ARGUMENTS = ("arguments", "parameters", "args", "input")


@dataclass(frozen=True, slots=True)
class WrittenCall:
    name: str
    arguments: str
    """JSON."""

    def as_delta(self, index: int = 0) -> dict[str, Any]:
        """Returns it as OpenAI's API tells of one."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"index": index, "id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


class ToolReader:
    """Feeds on what a model writes and gives what is no call; what may be one is held back until the end.

    Args:
        names: of the tools that were given.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._has_given = False
        self._held = ""

    def feed(self, text: str) -> str:
        """Returns what is certainly to be read or spoken."""
        self._held += text
        if not self._names:
            return self._release(len(self._held))
        if not self._has_given and (_BEGINNING.match(self._held) or _FIRST.match(self._held)):
            return ""
        if found := _INSIDE.search(self._held):
            return self._release(found.start())
        begun = _BEGUN.search(self._held)
        return self._release(begun.start() if begun else len(self._held))

    def finish(self) -> tuple[str, WrittenCall | None]:
        """Returns the rest, and the call that was written; of an answer with a call, nothing after it is given."""
        call = first_call(self._held, self._names)
        return ("", call) if call is not None else (self._release(len(self._held)), None)

    def _release(self, end: int) -> str:
        given, self._held = self._held[:end], self._held[end:]
        self._has_given = self._has_given or bool(given.strip())
        return given


def first_call(text: str, names: Collection[str]) -> WrittenCall | None:
    """Returns the first call of one of these tools in a text, None where there is none."""
    for candidate in (text, text.replace("{{", "{").replace("}}", "}")):
        for value in _objects(candidate):
            if (call := _as_call(value, names)) is not None:
                return call
    return None


def _objects(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, _ = decoder.raw_decode(text, at)
            yield value
        except (ValueError, RecursionError):
            pass
        at = text.find("{", at + 1)


def _as_call(value: Any, names: Collection[str]) -> WrittenCall | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("function"), dict):
        value = value["function"]
    name = value.get("name")
    if name not in names:
        return None
    given: Any = next((value[key] for key in _ARGUMENTS if key in value), {})
    if isinstance(given, str):
        return WrittenCall(str(name), given)
    return WrittenCall(str(name), json.dumps(given, ensure_ascii=False))
