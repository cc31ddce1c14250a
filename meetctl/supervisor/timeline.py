"""A file of what each process of a meeting did when, one JSON object a line; only where somebody asks for one.

`{"process", "step", "began", "ended"}`, monotonic seconds of this machine: steps as the processes themselves tell them,
and moments (`began` = `ended`) as the supervisor learns of them.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from meetctl.protocol import MediaReceived, Ready, Serving, Step
from meetctl.protocol.steps import STEPS
from meetctl.settings import environment
from meetctl.supervisor.events import ChildMessage, Proven, SeatEvent, Started

FILE = "MEETCTL_TIMELINE"
"""Names the file, which several processes add to."""
SUPERVISOR = "supervisor"


class Timeline:
    """Adds lines to the file."""

    def __init__(self, file: int) -> None:
        self._file = file

    def told_by(self, process: str) -> Callable[[Step], None]:
        """Returns what takes down that process's steps."""
        return lambda step: self._add(process, step.name, step.began, step.ended)

    def observe(self, event: SeatEvent) -> None:
        """Takes down what the supervisor's events tell of a start."""
        match event:
            case Started(seat=seat, at=at):
                self._add(seat, "started", at, at)
            case Proven(seat=seat, proof=proof, at=at):
                self._add(seat, proof, at, at)
            case ChildMessage(seat=seat, event=Step() as step):
                self.told_by(seat)(step)
            case ChildMessage(seat=seat, event=Ready() | Serving(), at=at):
                self._add(seat, "ready", at, at)
            case ChildMessage(event=MediaReceived(identity=identity, kind=kind), at=at):
                self._add(identity, f"{kind} received", at, at)
            case _:
                pass

    def _add(self, process: str, step: str, began: float, ended: float) -> None:
        line = {"process": process, "step": step, "began": round(began, 4), "ended": round(ended, 4)}
        with contextlib.suppress(OSError):  # a full disk costs the line, never the seat that it tells of
            os.write(self._file, json.dumps(line).encode() + b"\n")  # appended whole, whoever else writes


@contextmanager
def timeline() -> Iterator[Timeline | None]:
    """Yields the timeline, where one is asked for."""
    path = environment().get(FILE)
    if not path:
        yield None
        return
    file = os.open(Path(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield Timeline(file)
    finally:
        STEPS.tell(None)
        os.close(file)


def tell_steps(process: str) -> None:
    """Adds what this process has done so far, where somebody asks."""
    with timeline() as asked:
        STEPS.tell(asked.told_by(process) if asked is not None else None)
