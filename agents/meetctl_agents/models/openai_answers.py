"""What servers with OpenAI's API answer, put into the form that OpenAI documents. Pure; no I/O."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from .measures import without_guesses

LONGEST_WORDS = 300
"""Characters of a server's own words that are passed on."""
_REASONING = ("reasoning_content", "reasoning", "thinking")
"""The fields in which servers hand over what a model thought."""


class ServerWords(Exception):
    """An answer that cannot be used; its text says so, with the server's own words."""

    def __init__(self, what: str, answer: str) -> None:
        said = words_of(answer)
        super().__init__(f"{what}: {said}" if said else f"{what}, and it was empty")


def words_of(answer: str) -> str:
    """Returns what an answer says in words: the message in its JSON, the text of its page, or its beginning."""
    try:
        found = _message(json.loads(answer))
    except ValueError:
        found = None
    if found is None:
        title = re.search(r"<title[^>]*>(.*?)</title>", answer, re.I | re.S)
        found = title[1] if title else re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", answer, flags=re.I | re.S)
    line = " ".join(found.split())
    return f"{line[:LONGEST_WORDS]}…" if len(line) > LONGEST_WORDS else line


def _message(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        for key in ("error", "message", "detail", "msg", "error_message"):
            if key in value and (found := _message(value[key])):
                return found
    if isinstance(value, list) and value:
        return _message(value[0])
    return None


def failure_json(words: str, address: str, answer: str = "", retry_after: str | None = None) -> dict[str, Any]:
    """Returns the body of a failure: the server's words and its code, whom it came from, and how long to wait."""
    code = re.search(r'"(?:code|type)"\s*:\s*"(insufficient_quota|[\w.-]+)"', answer)
    seconds = float(retry_after) if retry_after and re.fullmatch(r"\d+(?:\.\d+)?", retry_after.strip()) else None
    error = {"message": words, "code": code[1] if code else None, "address": address, "retry_after_s": seconds}
    return {"error": error}


def mend_event(line: str) -> str:
    """Returns a line of an event stream for OpenAI's library; what it would read anyway, as it was."""
    if not line.startswith("data:"):
        return line
    data = line[5:].strip()
    if not data.startswith("{"):
        return f"data: {data}" if data == "[DONE]" or not data else line
    try:
        chunk = json.loads(data)
    except ValueError:
        return ": a line that is no JSON"
    return f"data: {json.dumps(mended_chunk(chunk))}"


def mended_chunk(chunk: dict[str, Any]) -> dict[str, Any]:
    """Returns one piece of an answer with every field that is relied upon."""
    if chunk.get("error"):
        return {"error": _error_of(chunk["error"])}
    choices = chunk.get("choices")
    chunk["choices"] = [_choice(choice) for choice in choices if isinstance(choice, dict)] if choices else []
    if chunk.get("object") == "error" or (not choices and "message" in chunk and "usage" not in chunk):
        return {"error": _error_of(chunk)}
    chunk["id"] = str(chunk.get("id") or "answer")
    return chunk


def _error_of(error: object) -> dict[str, Any]:
    return {"message": words_of(json.dumps(error)), "code": error.get("code") if isinstance(error, dict) else None}


def _choice(choice: dict[str, Any]) -> dict[str, Any]:
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        message = choice.get("message")
        delta = message if isinstance(message, dict) else {}
        if isinstance(choice.get("text"), str):
            delta = {"content": choice["text"], **delta}
    thought = next((delta[key] for key in _REASONING if isinstance(delta.get(key), str) and delta[key]), None)
    if thought is not None and not delta.get("content"):
        # Handed on in markers, so that what answers knows that there was reasoning, and leaves it out.
        delta = {**delta, "content": f"◁think▷{thought}◁/think▷"}
    calls = delta.get("tool_calls")
    if calls:
        delta = {**delta, "tool_calls": [_call(index, call) for index, call in enumerate(calls)]}
    return {"index": 0, **choice, "delta": delta, "finish_reason": choice.get("finish_reason")}


def _call(index: int, call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    is_first = isinstance(function, dict) and function.get("name")
    named = {"id": f"call-{uuid.uuid4().hex[:12]}"} if is_first and not call.get("id") else {}
    if isinstance(function, dict) and isinstance(function.get("arguments"), dict | list):
        call = {**call, "function": {**function, "arguments": json.dumps(function["arguments"])}}
    return {"index": index, **call, **named}


def chat_events(answer: str, kind: str) -> bytes:
    """Returns an answer in one piece as the stream of events that was asked for.

    Raises:
        ServerWords: if it is no answer.
    """
    if answer.lstrip().startswith("data:"):
        lines = [mend_event(line) for line in answer.splitlines()]
        return "\n".join(lines).encode() + b"\n\n"
    try:
        whole = json.loads(answer)
    except ValueError:
        whole = None
    if not isinstance(whole, dict) or not isinstance(whole.get("choices"), list):
        native = _native(whole)
        if native is None:
            raise ServerWords(f"it answered {kind or 'something'} where a stream of words was asked for", answer)
        whole = native
    chunk = mended_chunk({"id": "whole", "object": "chat.completion.chunk", "created": 0, "model": "", **whole})
    return f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()


def _native(whole: object) -> dict[str, Any] | None:
    """Returns an answer of Ollama's own API (`{"message": {"content": …}}`) in OpenAI's form; None where it is none."""
    message = whole.get("message") if isinstance(whole, dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("content"), str):
        return None
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def transcription_json(answer: str, kind: str = "") -> bytes:
    """Returns a transcription as JSON with a `text`, whatever the form it came in.

    Raises:
        ServerWords: if there are no words in it, and no word that there are none.
    """
    if "\x00" in answer:
        raise ServerWords("it answered something that is no text", repr(answer[:40]))
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        if re.match(r"\s*(<!doctype|<html|\{|\[)", answer, re.I):
            raise ServerWords("it answered a page where words were asked for", answer) from None
        return json.dumps({"text": answer.strip()}).encode()
    if isinstance(value, str):
        return json.dumps({"text": value}).encode()
    if isinstance(value, list):
        value = {"segments": value}
    text = _spoken(value) if isinstance(value, dict) else None
    if text is None:
        raise ServerWords("it answered without words", answer)
    value = without_guesses({**value, "text": text})
    text = value["text"]
    return json.dumps({**value, "text": text}).encode()


def _spoken(value: dict[str, Any]) -> str | None:
    for key in ("text", "transcript", "transcription"):
        if isinstance(value.get(key), str):
            return str(value[key])
        if isinstance(value.get(key), dict) and (found := _spoken(value[key])) is not None:
            return found
    for key in ("segments", "chunks", "words", "results"):
        parts = value.get(key)
        if isinstance(parts, list):
            texts = [part if isinstance(part, str) else _spoken(part) for part in parts if isinstance(part, str | dict)]
            words = [str(part["word"]) for part in parts if isinstance(part, dict) and "word" in part]
            return " ".join(text.strip() for text in (texts if any(texts) else words) if text)
    return None
