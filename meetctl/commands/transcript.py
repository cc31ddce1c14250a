"""`meetctl transcript`: what was said in a meeting, running or over."""

from __future__ import annotations

import time

from pydantic import ValidationError

from meetctl.commands._records import find_records
from meetctl.display import console
from meetctl.display.log_lines import spoken_line
from meetctl.errors import MeetctlError
from meetctl.meeting.transcript import FILE_NAME
from meetctl.protocol import Line
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
        while True:
            over = not follow or not records.is_running  # asked first: then nothing is written after the last look
            for line in tail.read():
                _print(line, as_json)
            if over:
                return
            time.sleep(POLL_S)


def _print(written: str, as_json: bool) -> None:
    try:
        line = Line.model_validate_json(written)
    except ValidationError:
        return  # half a line, where the disk was full
    if as_json:
        console.print_json_line(line.model_dump(mode="json"))
    else:
        console.print_data(spoken_line(line.at, line.speaker, line.text, interrupted=line.interrupted))
