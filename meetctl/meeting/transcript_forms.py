"""One line of the transcript as a record, as Markdown and as a WebVTT cue. Pure: values in, texts out.

The record is what programs read: its keys are only ever added to. A later record with the same id replaces the earlier
one: the person had not finished, or how long the answer took came to be known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from meetctl.protocol import FloorDecided, Line, UtteranceKind
from meetctl.protocol.lines import printable

CHARACTERS_PER_S = 15.0
"""Of speech at an ordinary pace: for the cue of a line whose end nobody measured."""
SHORTEST_CUE_S = 1.0
"""A shorter one could not be read."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")


class TranscriptRecord(BaseModel):
    """A line of `transcript.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    time: datetime
    """When the words began."""
    end_time: datetime | None
    """When they ended; null = not known."""
    speaker: str
    identity: str
    kind: UtteranceKind
    text: str
    interrupted: bool
    """Whether a person cut it short: the text is what was really said."""
    latency_ms: dict[str, float] | None
    """From the end of the question to the first sound of this answer, by stage; null = not known, or no answer."""
    decided: dict[str, Any] | None = None
    """Of a person's line: for whom it was taken to be meant, as in `floor_decided`."""


def record_of(
    line: Line, latency_ms: Mapping[str, float] | None, decided: FloorDecided | None = None
) -> dict[str, Any]:
    """Returns the line as plain JSON values; times are RFC 3339 in UTC, with milliseconds."""
    record = {
        "id": line.id,
        "time": _rfc3339(line.at),
        "end_time": None if line.ended_at is None else _rfc3339(line.ended_at),
        "speaker": line.speaker,
        "identity": line.identity,
        "kind": line.kind.value,
        "text": line.text,
        "interrupted": line.interrupted,
        "latency_ms": None if latency_ms is None else dict(latency_ms),
    }
    if decided is not None:
        record["decided"] = decided.model_dump(mode="json", include={"rule", "agents", "candidates", "judge_ms"})
    return record


def markdown_head(room: str, topic: str | None, began_at: float) -> str:
    """Returns what `transcript.md` begins with."""
    began = datetime.fromtimestamp(began_at).astimezone()
    subject = f": {_plain_markdown(topic)}" if topic else ""
    return f"# {_plain_markdown(room)}{subject}\n\n{began:%Y-%m-%d %H:%M %z}\n\n"


def markdown(line: Line) -> str:
    """Returns the line as a paragraph; times are this machine's own."""
    clock = f"{datetime.fromtimestamp(line.at):%H:%M:%S}"
    text = _plain_markdown(_spoken(line))
    match line.kind:
        case UtteranceKind.FACT:
            return f"*{text}* ({clock})\n\n"
        case UtteranceKind.TOOL:
            return f"*{_plain_markdown(line.speaker)} used {text}* ({clock})\n\n"
        case UtteranceKind.CHAT:
            return f"**{_plain_markdown(line.speaker)}** ({clock}, in the chat): {text}\n\n"
        case UtteranceKind.SPEECH:
            return f"**{_plain_markdown(line.speaker)}** ({clock}): {text}\n\n"


def vtt_head(room: str, began_at: float) -> str:
    """Returns what `transcript.vtt` begins with; its zero is the moment the meeting began."""
    return f"WEBVTT\n\nNOTE {_plain_cue(room)}, 00:00:00.000 is {_rfc3339(began_at)}\n\n"


def vtt(line: Line, began_at: float) -> str:
    """Returns the line as a cue."""
    start = max(0.0, line.at - began_at)
    guessed = line.at + len(line.text) / CHARACTERS_PER_S
    end = max(start + SHORTEST_CUE_S, (line.ended_at or guessed) - began_at)
    text = _plain_cue(_spoken(line))
    match line.kind:
        case UtteranceKind.FACT:
            words = f"<i>{text}</i>"
        case UtteranceKind.TOOL:
            words = f"<i>{_plain_cue(line.speaker)} used {text}</i>"
        case UtteranceKind.CHAT:
            words = f"<v {_plain_cue(line.speaker)}>[chat] {text}"
        case UtteranceKind.SPEECH:
            words = f"<v {_plain_cue(line.speaker)}>{text}"
    return f"{_timestamp(start)} --> {_timestamp(end)}\n{words}\n\n"


def _spoken(line: Line) -> str:
    return line.text + (" —" if line.interrupted else "")


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _timestamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _plain_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", printable(text))


def _plain_cue(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
