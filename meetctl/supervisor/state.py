"""What a meeting is, folded from what happened to it: `state = apply(state, event)`. Pure: no clock, no I/O.

A seat's `state` is never assigned by an event; it is derived from the seat's parts by `seat.py: derived_state`. What
only time brings about (a leg gone silent) shows through `as_of`.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from meetctl.protocol import (
    AvOffset,
    BadLine,
    Degraded,
    Failed,
    FloorChanged,
    IceState,
    LegStats,
    MediaKind,
    MediaReceived,
    Ready,
    Recovered,
    Repeats,
    Serving,
    SpeechState,
    ToolCall,
    Unanswered,
    Warn,
)
from meetctl.protocol.lines import printable
from meetctl.supervisor.events import (
    Answered,
    BackingOff,
    ChildMessage,
    Exited,
    GaveUp,
    ProcessEvent,
    Proof,
    Proven,
    Sampled,
    SeatAdded,
    SeatEvent,
    SeatKind,
    SeatRemoved,
    Started,
    Stopping,
    Unhealthy,
    Warned,
    WireEvent,
)
from meetctl.supervisor.seat import Phase, ProcessState, SeatState, derived_state, forgetting, same_warning
from meetctl.supervisor.tool_count import ToolCount

__all__ = ["MeetingState", "Phase", "ProcessState", "SeatState", "apply", "as_of", "derived_meeting_state"]

ROOM_LEG = "room"
"""The leg by which a seat sends; what comes to it by others is its own business."""
CHAIR = "chair"
"""The program whose word counts for other seats; what anybody else says of them is ignored."""
DID_NOT_ANSWER = "did not answer what it was asked"


@dataclass(frozen=True, slots=True)
class MeetingState:
    """All seats, in the order they were added."""

    room: str
    seats: Mapping[str, SeatState] = field(default_factory=dict)
    floor_holder: str | None = None
    """Identity; None = nobody."""

    @property
    def state(self) -> ProcessState:
        return derived_meeting_state(self.seats)


def apply(state: MeetingState, event: SeatEvent) -> MeetingState:
    """Returns the state after the event; what concerns no seat, or a process that is gone, changes nothing."""
    if isinstance(event, SeatAdded):
        added = SeatState(event.seat, event.name, event.kind, event.program, event.proofs, event.proofs, event.sends)
        return replace(state, seats={**state.seats, event.seat: added})
    seat = state.seats.get(event.seat)
    if seat is None:
        return state
    if isinstance(event, SeatRemoved):
        left = {key: other for key, other in state.seats.items() if key != event.seat}
        return _without_floor(replace(state, seats=left), seat)
    if isinstance(event, ChildMessage) and isinstance(event.event, MediaReceived | FloorChanged | Unanswered):
        return _heard_of_others(state, seat, event.event, event.at)
    after = _with_seat(state, _after(seat, event), event.at)
    return _without_floor(after, seat) if isinstance(event, Exited) else after


def as_of(state: MeetingState, now: float) -> MeetingState:
    """Returns the same state with what time alone has changed by now."""
    return replace(state, seats={key: _derived(seat, now) for key, seat in state.seats.items()})


def derived_meeting_state(seats: Mapping[str, SeatState]) -> ProcessState:
    """Returns what to call the meeting's condition: its services carry it, its agents can only degrade it."""
    states = {seat.state for seat in seats.values()}
    ended = {ProcessState.EXITED, ProcessState.FATAL}
    if not states:
        return ProcessState.STARTING
    if any(seat.kind is SeatKind.SERVICE and seat.state is ProcessState.FATAL for seat in seats.values()):
        return ProcessState.FATAL
    if states <= ended:
        return ProcessState.EXITED
    if states <= {ProcessState.STOPPING, *ended}:
        return ProcessState.STOPPING
    coming = (ProcessState.WAITING, ProcessState.STARTING)
    if any(seat.state in coming and not seat.restarts for seat in seats.values()):
        return ProcessState.STARTING
    well = {ProcessState.RUNNING, ProcessState.STOPPING, ProcessState.EXITED}
    return ProcessState.RUNNING if states <= well else ProcessState.DEGRADED


# --- one event, one seat -------------------------------------------------------------------------------------------


def _after(seat: SeatState, event: ProcessEvent) -> SeatState:
    match event:
        case Started():
            fresh = _emptied(seat, Phase.UP)
            return replace(
                fresh, pid=event.pid, started_at=event.at, ready_at=None, returncode=None, starts=seat.starts + 1
            )
        case Exited():
            return _exited(seat, event)
        case BackingOff():
            return replace(seat, phase=Phase.BACKOFF)
        case GaveUp():
            gone = _emptied(seat, Phase.FATAL)
            return replace(gone, last_error=printable(event.message), hint=event.hint, error_at=event.at)
        case Stopping():
            return replace(seat, phase=Phase.STOPPING) if seat.pid is not None else _emptied(seat, Phase.EXITED)
        case Sampled() if seat.pid is not None:
            return replace(seat, cpu_percent=event.cpu_percent, memory_mb=event.memory_mb)
        case Proven() if seat.pid is not None:
            return _with_proof(seat, event.proof)
        case ChildMessage() if seat.pid is not None:
            return _said(replace(seat, missing=seat.missing - event.proofs), event.event, event.at)
        case Warned() if seat.pid is not None:
            return replace(_warned(seat, event.message, event.at, lasts=event.lasts), warning_about=None)
        case Answered() if seat.pid is not None:
            return replace(seat, last_stats_at=event.at)
        case Unhealthy() if seat.pid is not None:
            return replace(seat, failed=True, last_error=printable(event.why), hint=event.hint, error_at=event.at)
        case Sampled() | Proven() | ChildMessage() | Answered() | Unhealthy() | Warned():
            return seat  # a late word of a process that is gone
        case _ as never:
            assert_never(never)


def _said(seat: SeatState, event: WireEvent, at: float) -> SeatState:
    match event:
        case Ready():
            return _with_proof(seat, Proof.READY)
        case Serving():
            return replace(_with_proof(seat, Proof.READY), url=event.url)
        case LegStats():
            return _measured(seat, event, at)
        case SpeechState():
            return replace(seat, speech=event.state)
        case AvOffset():
            return replace(seat, av_offset_ms=event.ms)
        case Repeats():
            return replace(seat, repeats=event)
        case ToolCall():
            return replace(seat, tools=(seat.tools or ToolCount()).told(event))
        case Degraded(reason=None):
            whole = seat.last_error == seat.degraded_reason
            return replace(seat, degraded_reason=None, last_error=None if whole else seat.last_error)
        case Degraded():
            reason = printable(event.reason or "")
            return replace(seat, degraded_reason=reason, last_error=reason, error_at=at)
        case Failed():
            return replace(seat, failed=True, last_error=printable(event.message), hint=event.hint, error_at=at)
        case Warn():
            return replace(_warned(seat, event.message, at), warning_about=event.about)
        case Recovered(about=about):
            is_over = seat.warning is not None and seat.warning_about == about
            return _warned(seat, "", at) if is_over else seat
        case BadLine():
            return _warned(seat, f"wrote a line that is no message: {event.start or event.why}", at)
        case _:
            return seat  # what is said, and what it costs, is others' business


def _measured(seat: SeatState, stats: LegStats, at: float) -> SeatState:
    seat = replace(seat, legs={**seat.legs, stats.leg: stats}, last_stats_at=at)
    if stats.leg != ROOM_LEG:
        return seat
    broken = stats.ice in (IceState.DISCONNECTED, IceState.FAILED, IceState.CLOSED)
    rates = {MediaKind.AUDIO: stats.audio_fps, MediaKind.VIDEO: stats.video_fps}
    silent = broken or any(rates[kind] == 0 for kind in seat.sends)
    return replace(seat, silent_since=(seat.silent_since or at) if silent else None)


def _exited(seat: SeatState, event: Exited) -> SeatState:
    gone = replace(_emptied(seat, Phase.EXITED), returncode=event.returncode)
    if seat.failed or seat.phase is Phase.STOPPING or event.returncode == 0:
        return gone
    last = next((line for line in reversed(event.last_lines) if line.strip()), "")
    words = _exit_words(event.returncode) + (f": {printable(last)}" if last else "")
    return replace(gone, last_error=words, hint=None, error_at=event.at)


def _emptied(seat: SeatState, phase: Phase) -> SeatState:
    """Returns the seat without anything that only its process had."""
    return replace(
        seat,
        phase=phase,
        missing=seat.proofs,
        pid=None,
        started_at=None,
        speech=None,
        legs={},
        tools=None,
        last_stats_at=None,
        silent_since=None,
        av_offset_ms=None,
        cpu_percent=None,
        memory_mb=None,
        warning=None,
        warned_at=None,
        warnings=0,
        warning_lasts=False,
        degraded_reason=None,
        failed=False,
        url=None,
    )


def _warned(seat: SeatState, message: str, at: float, *, lasts: bool = False) -> SeatState:
    """Returns the seat with this warning; an empty one takes the last back."""
    text = printable(message)
    if not text:
        return replace(seat, warning=None, warned_at=None, warnings=0, warning_lasts=False)
    count = seat.warnings + 1 if same_warning(seat.warning, text) else 1
    return replace(seat, warning=text, warned_at=at, warnings=count, warning_lasts=lasts)


def _with_proof(seat: SeatState, proof: str) -> SeatState:
    return replace(seat, missing=seat.missing - {proof})


def _heard_of_others(
    state: MeetingState, speaker: SeatState, event: MediaReceived | FloorChanged | Unanswered, at: float
) -> MeetingState:
    if speaker.program != CHAIR or speaker.pid is None:
        return state
    if isinstance(event, FloorChanged):
        return replace(state, floor_holder=event.holder)
    seat = state.seats.get(event.identity)
    if seat is None or seat.pid is None:
        return state
    if isinstance(event, Unanswered):
        # What lasts is taken back by its very words.
        return state if seat.warning_lasts else _with_seat(state, _warned(seat, _unanswered(seat), at), at)
    proof = Proof.AUDIO if event.kind is MediaKind.AUDIO else Proof.VIDEO
    return _with_seat(state, _with_proof(seat, proof), at)


def _unanswered(seat: SeatState) -> str:
    """Returns that it did not answer, with what it warned of itself."""
    why = (seat.warning or "").removeprefix(DID_NOT_ANSWER).removeprefix(": ")
    return f"{DID_NOT_ANSWER}: {why}" if why else DID_NOT_ANSWER


def _without_floor(state: MeetingState, gone: SeatState) -> MeetingState:
    if state.floor_holder is not None and (gone.seat == state.floor_holder or gone.program == CHAIR):
        return replace(state, floor_holder=None)
    return state


def _with_seat(state: MeetingState, seat: SeatState, at: float) -> MeetingState:
    return replace(state, seats={**state.seats, seat.seat: _derived(seat, at)})


def _derived(seat: SeatState, now: float) -> SeatState:
    seat = forgetting(seat, now)
    ready_at = now if seat.ready and seat.ready_at is None else seat.ready_at
    state = derived_state(seat, now)
    if (ready_at, state) == (seat.ready_at, seat.state):
        return seat
    return replace(seat, ready_at=ready_at, state=state)


def _exit_words(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"ended by signal {-returncode}"
