"""From live state to the document of `status --json`. Pure; prints nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from meetctl.status.document import (
    SCHEMA_VERSION,
    AgentStatus,
    LegStatus,
    MeetingStatus,
    SeatStatus,
    ServiceStatus,
)
from meetctl.supervisor.avatars import runs_on
from meetctl.supervisor.events import SeatKind
from meetctl.supervisor.seat import ProcessState, shortened
from meetctl.supervisor.state import MeetingState, SeatState, as_of


def status_document(meetings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the whole document; its meetings are those of `meeting_document`."""
    return {"schema_version": SCHEMA_VERSION, "meetings": [dict(meeting) for meeting in meetings]}


def meeting_document(
    state: MeetingState,
    *,
    now: float,
    pid: int,
    join_link: str | None,
    livekit_url: str,
    uptime_s: float,
    muted: Collection[str] = (),
    latencies: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    unix_now: float = 0.0,
    last_lines: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Returns one meeting as of `now` (monotonic seconds).

    Args:
        muted: identities.
        latencies: of each agent's last answered turn, milliseconds by stage.
        unix_now: the time of day; avatar sessions that have run out by then are not warned of any more.
        last_lines: of each seat's process.
    """
    state = as_of(state, now)
    seats = state.seats.values()
    status = MeetingStatus(
        room=state.room,
        state=state.state.value,
        pid=pid,
        join_link=join_link,
        livekit_url=livekit_url,
        uptime_s=round(uptime_s, 1),
        floor=state.floor_holder,
        services=tuple(
            _service(seat, _common(seat, now, unix_now, last_lines)) for seat in seats if seat.kind is SeatKind.SERVICE
        ),
        agents=tuple(
            _agent(
                seat, _common(seat, now, unix_now, last_lines), seat.seat in muted, latencies.get(seat.seat), unix_now
            )
            for seat in seats
            if seat.kind is SeatKind.AGENT
        ),
    )
    return status.model_dump(mode="json")


def _common(seat: SeatState, now: float, unix_now: float, last_lines: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    is_well = seat.ready or seat.state in (ProcessState.EXITED, ProcessState.STOPPING)
    common = SeatStatus(
        name=seat.name,
        state=seat.state.value,
        ready=seat.ready,
        pid=seat.pid,
        restarts=seat.restarts,
        uptime_s=None if seat.started_at is None else round(max(0.0, now - seat.started_at), 1),
        cpu_percent=_rounded(seat.cpu_percent),
        memory_mb=_rounded(seat.memory_mb),
        last_error=seat.last_error,
        hint=seat.hint,
        last_error_at=_wall(seat.error_at if seat.last_error else None, now, unix_now),
        warning=seat.warning,
        warning_at=_wall(seat.warned_at, now, unix_now),
        warning_count=seat.warnings,
        missing=tuple(sorted(proof.value for proof in seat.missing)),
        last_lines=() if is_well else tuple(shortened(line) for line in last_lines.get(seat.seat, ())),
    )
    return common.model_dump()


def _wall(at: float | None, now: float, unix_now: float) -> str | None:
    """Returns a monotonic moment as ISO 8601, to the second; None where the time of day is not known."""
    if at is None or not unix_now:
        return None
    return datetime.fromtimestamp(unix_now - (now - at), UTC).isoformat(timespec="seconds")


def _service(seat: SeatState, common: Mapping[str, Any]) -> ServiceStatus:
    return ServiceStatus(**common, url=seat.url)


def _agent(
    seat: SeatState, common: dict[str, Any], muted: bool, latency: Mapping[str, float] | None, unix_now: float
) -> AgentStatus:
    until = seat.avatar.runs_on_until(unix_now)
    if until is not None:
        common["warning"] = "; ".join(filter(None, (seat.warning, runs_on(until))))
    return AgentStatus(
        **common,
        identity=seat.seat,
        program=seat.program,
        agent_state=seat.speech.value if seat.speech else None,
        legs={
            name: LegStatus(
                ice=stats.ice.value,
                video_fps=_rounded(stats.video_fps),
                audio_fps=_rounded(stats.audio_fps),
                width=stats.width,
                height=stats.height,
                kbps=_rounded(stats.kbps),
                loss=_rounded(stats.loss, 4),
                rtt_ms=_rounded(stats.rtt_ms),
            )
            for name, stats in seat.legs.items()
        },
        av_offset_ms=_rounded(seat.av_offset_ms),
        avatar_seconds=_rounded(seat.avatar.seconds),
        degraded_reason=seat.degraded_reason,
        muted=muted,
        repeats=None if seat.repeats is None else seat.repeats.model_dump(exclude={"type"}),
        latency_ms=None if latency is None else {stage: round(ms, 1) for stage, ms in latency.items()},
    )


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
