"""One seat: what is known of it, and the one place that says what to call that. Values and pure functions only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

from meetctl.protocol import AgentSpeech, LegStats, MediaKind, Repeats
from meetctl.protocol.lines import printable
from meetctl.supervisor.events import SeatKind
from meetctl.supervisor.tool_count import ToolCount

STALLED_AFTER_S = 4.0
"""Sinks publish silence without pause, five packets a second of it, so a leg without packets for two measuring windows
is broken, not quiet."""
STATS_OVERDUE_S = 8.0
"""Statistics come every second or two; a child that sends none for so long hangs."""


MAX_SHOWN = 240
"""Characters of a child's line: programs that log JSON write kilobytes."""
WARNING_S = 120.0
"""A warning that was not repeated for so long is over: what fails, fails at every turn."""
RECOVERED_S = 60.0
"""A process that was ready for so long has recovered; why the one before it went is in its log."""
_FIGURES = re.compile(r"\d+(?:[.,]\d+)*")


class ProcessState(StrEnum):
    WAITING = "waiting"
    """Nothing was started yet."""
    STARTING = "starting"
    """A process runs, proofs are missing."""
    RUNNING = "running"
    DEGRADED = "degraded"
    """Ready, with less than it should have; `degraded_reason` says what."""
    STALLED = "stalled"
    """Was ready, and its media no longer flows."""
    BACKOFF = "backoff"
    """Will be started again."""
    STOPPING = "stopping"
    EXITED = "exited"
    """Ended and not to be started again, as it should be."""
    FATAL = "fatal"
    """Ended and not to be started again, because it cannot help."""


class Phase(StrEnum):
    """Where the seat's process is in its life: what events say, before anything is derived."""

    WAITING = "waiting"
    UP = "up"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    EXITED = "exited"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class SeatState:
    """One seat. Times are monotonic seconds; what is not known is None."""

    seat: str
    name: str
    kind: SeatKind
    program: str
    proofs: frozenset[str]
    """What it needs to be ready."""
    missing: frozenset[str]
    """What of it is still to be seen of this process."""
    sends: frozenset[MediaKind] = frozenset()
    phase: Phase = Phase.WAITING
    state: ProcessState = ProcessState.WAITING
    pid: int | None = None
    started_at: float | None = None
    ready_at: float | None = None
    """When this process, or the last one, first had all its proofs."""
    returncode: int | None = None
    """Of the last process; None while one runs."""
    starts: int = 0
    speech: AgentSpeech | None = None
    legs: Mapping[str, LegStats] = field(default_factory=dict)
    last_stats_at: float | None = None
    silent_since: float | None = None
    """Since when the room leg sends nothing."""
    av_offset_ms: float | None = None
    repeats: Repeats | None = None
    tools: ToolCount | None = None
    """Of its present process; None = it has used none."""
    cpu_percent: float | None = None
    memory_mb: float | None = None
    last_error: str | None = None
    """Stays when the process comes back: people want to know why it went."""
    hint: str | None = None
    error_at: float | None = field(default=None, compare=False)
    warning: str | None = None
    warned_at: float | None = field(default=None, compare=False)
    """When it was last said."""
    warnings: int = field(default=0, compare=False)
    """How often it was said in a row, figures in it aside."""
    warning_lasts: bool = field(default=False, compare=False)
    """It holds until it is taken back, or the process ends; others are over when they are no longer said."""
    warning_about: str | None = field(default=None, compare=False)
    """What the child calls it when it says that it is over."""
    degraded_reason: str | None = None
    failed: bool = False
    """This process said itself why it gives up, so its exit needs no other words."""
    url: str | None = None
    """Of a stand-in: where it answers."""

    @property
    def ready(self) -> bool:
        return self.phase is Phase.UP and not self.missing

    @property
    def restarts(self) -> int:
        return max(0, self.starts - 1)


def same_warning(one: str | None, other: str) -> bool:
    """Returns whether both say the same, figures aside: how long something took this time makes no new warning."""
    return one is not None and _FIGURES.sub("#", one) == _FIGURES.sub("#", other)


def forgetting(seat: SeatState, now: float) -> SeatState:
    """Returns the seat without what is over by now: a warning that is no longer said, why an earlier process went."""
    if seat.warned_at is not None and not seat.warning_lasts and now - seat.warned_at >= WARNING_S:
        seat = replace(seat, warning=None, warned_at=None, warnings=0)
    well = seat.ready and seat.ready_at is not None and now - seat.ready_at >= RECOVERED_S
    if well and not seat.failed and seat.last_error not in (None, seat.degraded_reason):
        since = seat.ready_at if seat.error_at is None else max(seat.error_at, seat.ready_at or 0.0)
        if since is not None and now - since >= RECOVERED_S:
            seat = replace(seat, last_error=None, hint=None, error_at=None)
    return seat


def derived_state(seat: SeatState, now: float) -> ProcessState:
    """Returns what to call the seat's condition; the first that holds, worst first."""
    match seat.phase:
        case Phase.UP:
            if seat.missing:
                return ProcessState.STARTING
            if _is_stalled(seat, now):
                return ProcessState.STALLED
            return ProcessState.DEGRADED if seat.degraded_reason is not None else ProcessState.RUNNING
        case Phase.WAITING | Phase.BACKOFF | Phase.STOPPING | Phase.EXITED | Phase.FATAL:
            return ProcessState(seat.phase.value)
        case _ as never:
            assert_never(never)


def with_last_lines(text: str, lines: Sequence[str]) -> str:
    """Returns the text with the child's own last lines after it, where it wrote any."""
    said = " | ".join(shortened(line) for line in lines)
    return f"{text}; its last lines: {said}" if said else text


def shortened(line: str) -> str:
    """Returns one line of a child's as people are shown it."""
    line = printable(line)
    return line if len(line) <= MAX_SHOWN else f"{line[: MAX_SHOWN - 1]}…"


def _is_stalled(seat: SeatState, now: float) -> bool:
    silent = seat.silent_since is not None and now - seat.silent_since >= STALLED_AFTER_S
    overdue = seat.last_stats_at is not None and now - seat.last_stats_at >= STATS_OVERDUE_S
    return silent or overdue
