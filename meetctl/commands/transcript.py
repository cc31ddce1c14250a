"""`meetctl transcript`: what was said in a meeting, running or over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from meetctl.commands._records import find_records
from meetctl.display import console
from meetctl.display.log_lines import spoken_line
from meetctl.errors import MeetctlError
from meetctl.meeting.transcript import FILE_NAME
from meetctl.meeting.transcript_forms import Record
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
    with Tail(path) as tail:
        shown: dict[str, tuple[str, bool]] = {}
        while True:
            over = not follow or not records.is_running  # asked first: then nothing is written after the last look
            # A later record takes the place of an earlier one of its id; what is printed already is printed again.
            for record in {record.id: record for record in _records(tail.read())}.values():
                if as_json or shown.get(record.id) != (record.text, record.interrupted):
                    _print(record, as_json)
                shown[record.id] = (record.text, record.interrupted)
            if over:
                return
            time.sleep(POLL_S)


def _records(lines: Iterable[str]) -> Iterator[Record]:
    for line in lines:
        with contextlib.suppress(ValidationError):  # somebody else wrote into the file
            yield Record.model_validate_json(line)


def _print(record: Record, as_json: bool) -> None:
    if as_json:
        console.print_json_line(record.model_dump(mode="json"))
    else:
        at = record.time.timestamp()
        console.print_data(spoken_line(at, record.speaker, record.text, interrupted=record.interrupted))
