"""Calls of tools that a model writes as text are left out of its answer: nobody is to hear brackets and quotes.

Models without a parser on their server write calls in the markers that they were trained with, or as bare JSON
(https://github.com/vllm-project/vllm/tree/main/vllm/tool_parsers has most forms). Pure; no I/O.
"""

from __future__ import annotations

import json
import re

from .filter import TextFilter

_FLAGS = re.IGNORECASE | re.DOTALL
_TAGS = "tool_calls?|function_calls?|tool_code|tool_use|tool_response|tool_result|tools?_outputs?|invoke"
_PAIRS = tuple(
    (re.compile(opening, _FLAGS), re.compile(close, _FLAGS))
    for opening, close in (
        (rf"<(?:\w+:)?(?P<tag>{_TAGS})(?:\s[^<>]*)?>", rf"</(?:\w+:)?(?:{_TAGS})\s*>"),
        (r"<function\s?=\s?[^<>]*>", r"</function\s*>"),
        (r"<\|tool_calls?\|>", r"<\|/tool_calls?\|>|</\|tool_calls?\|>|\n\n"),
        (r"<\|tool_calls?_(?:section_)?begin\|>", r"<\|tool_calls?_(?:section_)?end\|>"),
        (r"<｜tool▁calls▁begin｜>", r"<｜tool▁calls▁end｜>"),
        (r"<\|python_tag\|>", r"<\|(?:eom|eot)_id\|>"),
        (r"<\|START_ACTION\|>", r"<\|END_ACTION\|>"),
    )
)
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(?:[\w.]+\s*(?:\[ARGS\]\s*)?)?(?=[\[{])")
_PYTHONIC = re.compile(r"\[\s*[A-Za-z_][\w.]*\((?:\s*\)|\s*\w+\s*=)")
_PYTHONIC_END = re.compile(r"\)\s*\]")
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?")
_JSON = re.compile(r"(?:(?<=\s)|\A)(?:\[\s*)?\{\{?\s*\"")
_STRAY = re.compile(rf"</(?:\w+:)?(?:{_TAGS}|function)\s*>|<｜tool▁[^｜]*｜>", _FLAGS)
_BEGUN = re.compile(
    r"(?:<[/|｜]?[^<>\n]{0,60}|\[TOOL_CALLS\][^\n{\[]{0,60}|\[[^\]\n]{0,60}|`{1,3}[\w-]*|(?:(?<=\s)|\A)(?:\[\s*)?\{[{\s]*)\Z"
)
LONGEST_CALL = 8000
"""Characters of what may be a call; what never ends is given up after them."""

_ARGUMENTS = ("arguments", "parameters", "args", "input", "kwargs", "action_input", "tool_input", "params")
_NAMES = ("name", "function", "tool", "tool_name", "action", "function_name", "tool_calls", "function_call")


class ToolText(TextFilter):
    """Feeds on a model's text and gives what is no call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        """What was left out, as it was written."""

    def _take(self, *, ended: bool) -> str:
        given = ""
        while True:
            start, end, is_call = self._found(ended=ended)
            if start is None:
                held = 0 if ended or not (match := _BEGUN.search(self._pending)) else len(match[0])
                ready = len(self._pending) - held
                given, self._pending = given + self._pending[:ready], self._pending[ready:]
                return _STRAY.sub("", given)
            given += self._pending[:start]
            if end is None:
                self._pending = self._pending[start:]
                return _STRAY.sub("", given)
            whole, self._pending = self._pending[start:end], self._pending[end:]
            if is_call:
                self.calls.append(whole.strip())
            else:
                given += whole

    def _found(self, *, ended: bool) -> tuple[int | None, int | None, bool]:
        """Returns where the first that may be a call starts and ends (None: not yet), and whether it is one."""
        text = self._pending
        candidates: list[tuple[int, int | None, bool]] = []
        for opening, close in _PAIRS:
            if match := opening.search(text):
                over = close.search(text, match.end())
                candidates.append((match.start(), over.end() if over else None, True))
        if match := _MISTRAL.search(text):
            candidates.append((match.start(), _balanced_end(text, match.end()), True))
        if match := _PYTHONIC.search(text):
            over = _PYTHONIC_END.search(text, match.start())
            candidates.append((match.start(), over.end() if over else None, True))
        if match := _FENCE.search(text):
            close_at = text.find("```", match.end())
            body = text[match.end() : close_at if close_at >= 0 else None]
            candidates.append((match.start(), close_at + 3 if close_at >= 0 else None, _is_call(body)))
        if match := _JSON.search(text):
            json_end = _balanced_end(text, match.start())
            candidates.append((match.start(), json_end, _is_call(text[match.start() : json_end])))
        if not candidates:
            return None, None, False
        start, end, is_call = min(candidates, key=lambda found: found[0])
        if end is None and (ended or len(text) - start > LONGEST_CALL):
            return start, len(text), is_call
        return start, end, is_call


def _balanced_end(text: str, start: int) -> int | None:
    """Returns where the JSON that starts there ends; None = not yet."""
    depth, quoted, escaped = 0, False, False
    for index in range(start, len(text)):
        character = text[index]
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
            if depth == 0:
                return index + 1
    return None


def _is_call(text: str) -> bool:
    """Whether the text is one call, or several, as JSON; one that breaks off counts by its beginning."""
    body = text.strip()
    for attempt in (body, body.replace("{{", "{").replace("}}", "}")):
        try:
            return _has_shape_of_call(json.loads(attempt))
        except ValueError:
            continue
    names, arguments = "|".join(_NAMES), "|".join(_ARGUMENTS)
    return bool(
        re.match(rf"[\[{{\s]*\"(?:{names})\"\s*:\s*\"[\w.:-]+\"\s*[,}}]", body)
        and re.search(rf"\"(?:{arguments})\"\s*:", body)
    )


def _has_shape_of_call(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_has_shape_of_call(each) for each in value)
    if not isinstance(value, dict):
        return False
    named = next((value[key] for key in _NAMES if key in value), None)
    if isinstance(named, (dict, list)):
        return _has_shape_of_call(named) or "tool_calls" in value
    return isinstance(named, str) and any(key in value for key in _ARGUMENTS)
