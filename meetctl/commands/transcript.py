"""`meetctl transcript`: what was said in a meeting, running or over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from meetctl.commands._records import find_records
from meetctl.display import console
from meetctl.display.log_lines import spoken_line
from meetctl.errors import MeetctlError
from meetctl.meeting.transcript import FILE_NAME
from meetctl.meeting.transcript_forms import TranscriptRecord
from meetctl.protocol import UtteranceKind
from meetctl.supervisor.log_reading import Tail

POLL_S = 0.2


def transcript(room: str | None, *, follow: bool, as_json: bool) -> None:
    """Prints the transcript; with `follow` goes on until the meeting ends.

    Raises:
        MeetctlError: if none was kept.
    """
    records = find_records(room)
    path = records.directory / FILE_NAME
    if not path.exists():
        raise MeetctlError(
            f"{records.room} keeps no transcript: {path} is not there", hint=f"meetctl logs --room {records.room}"
        )
    shown: dict[str, TranscriptRecord] = {}
    with Tail(path) as tail:
        while True:
            over = not follow or not records.is_running  # asked first: then nothing is written after the last look
            for record in news(parsed(tail.read()), shown, words_alone=not as_json):
                _print(record, as_json)
                shown[record.id] = record
            if over:
                return
            time.sleep(POLL_S)


def parsed(lines: Iterable[str]) -> list[TranscriptRecord]:
    """Returns the records of these lines; one that is none is left out, the disk may have been full."""
    records = []
    for line in lines:
        with contextlib.suppress(ValidationError):
            records.append(TranscriptRecord.model_validate_json(line))
    return records


def news(
    records: Iterable[TranscriptRecord], shown: Mapping[str, TranscriptRecord], *, words_alone: bool
) -> list[TranscriptRecord]:
    """Returns what is to be shown, in the order in which it was said.

    A later record replaces an earlier one of the same id. It is shown again where it differs; with `words_alone` only
    where the words do, not when merely an answer's latency came to be known.
    """
    latest = {record.id: record for record in records}
    fresh = [
        record
        for record in latest.values()
        if (old := shown.get(record.id)) is None or (_words(record) != _words(old) if words_alone else record != old)
    ]
    return sorted(fresh, key=lambda record: record.time)


def _words(record: TranscriptRecord) -> tuple[str, bool]:
    return record.text, record.interrupted


def _print(record: TranscriptRecord, as_json: bool) -> None:
    if as_json:
        console.print_json_line(record.model_dump(mode="json"))
        return
    speaker = None if record.kind is UtteranceKind.FACT else record.speaker
    console.print_data(spoken_line(record.time, speaker, record.text, interrupted=record.interrupted))
