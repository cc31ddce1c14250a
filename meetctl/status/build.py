"""From live state to the status of a meeting. Pure; prints nothing."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from meetctl.protocol import Usage, UsageKind, amount_of
from meetctl.status.document import (
    AgentStatus,
    LegStatus,
    MeetingStatus,
    PersonStatus,
    RequestStatus,
    ServiceStatus,
    ToolStatus,
    UsageStatus,
)
from meetctl.supervisor.events import SeatKind
from meetctl.supervisor.seat import ProcessState, shortened
from meetctl.supervisor.state import MeetingState, SeatState, as_of
from meetctl.supervisor.tool_count import ToolCount


def meeting_status(
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
    used: Mapping[str, Sequence[Usage]] = MappingProxyType({}),
    avatars_run_on: Mapping[str, float] = MappingProxyType({}),
    people: tuple[PersonStatus, ...] = (),
    locked: bool = False,
    requests: Iterable[Mapping[str, Any]] = (),
    transports: Mapping[str, tuple[str, str | None]] = MappingProxyType({}),
) -> MeetingStatus:
    """Returns one meeting as of `now` (monotonic seconds).

    Args:
        muted: identities.
        latencies: of each agent's last answered turn, milliseconds by stage.
        unix_now: the time of day.
        last_lines: of each seat's process.
        used: by each seat, over all its processes.
        avatars_run_on: until when sessions run that nobody closes any more, Unix time by agent.
        requests: what waits for a host's word.
        transports: of each avatar, how its face takes, and why.
    """
    state = as_of(state, now)
    seats = state.seats.values()
    common = {seat.seat: _common(seat, now, unix_now, last_lines, used) for seat in seats}
    return MeetingStatus(
        room=state.room,
        state=state.state.value,
        pid=pid,
        join_link=join_link,
        livekit_url=livekit_url,
        uptime_s=round(uptime_s, 1),
        floor=state.floor_holder,
        requests=tuple(RequestStatus.model_validate(request) for request in requests),
        services=tuple(
            ServiceStatus(**common[seat.seat], url=seat.url) for seat in seats if seat.kind is SeatKind.SERVICE
        ),
        agents=tuple(
            _agent(
                seat,
                common[seat.seat],
                seat.seat in muted,
                latencies.get(seat.seat),
                used.get(seat.seat, ()),
                avatars_run_on.get(seat.seat),
                transports.get(seat.seat, (None, None)),
            )
            for seat in seats
            if seat.kind is SeatKind.AGENT
        ),
        people=people,
        locked=locked,
    )


def runs_on(until: float) -> str:
    """Returns the warning of an avatar session that nobody closes, in local time."""
    return f"an avatar session runs on until {time.strftime('%H:%M', time.localtime(until))}"


def _common(
    seat: SeatState,
    now: float,
    unix_now: float,
    last_lines: Mapping[str, Sequence[str]],
    used: Mapping[str, Sequence[Usage]],
) -> dict[str, Any]:
    is_well = seat.ready or seat.state in (ProcessState.EXITED, ProcessState.STOPPING)
    return {
        "name": seat.name,
        "state": seat.state.value,
        "ready": seat.ready,
        "pid": seat.pid,
        "restarts": seat.restarts,
        "uptime_s": None if seat.started_at is None else round(max(0.0, now - seat.started_at), 1),
        "cpu_percent": _rounded(seat.cpu_percent),
        "memory_mb": _rounded(seat.memory_mb),
        "last_error": seat.last_error,
        "hint": seat.hint,
        "last_error_at": _wall(seat.error_at if seat.last_error else None, now, unix_now),
        "warning": seat.warning,
        "warning_at": _wall(seat.warned_at, now, unix_now),
        "warning_count": seat.warnings,
        "missing": tuple(sorted(str(proof) for proof in seat.missing)),
        "usage": tuple(_usage(one) for one in used.get(seat.seat, ())),
        "last_lines": () if is_well else tuple(shortened(line) for line in last_lines.get(seat.seat, ())),
    }


def _wall(at: float | None, now: float, unix_now: float) -> str | None:
    """Returns a monotonic moment as ISO 8601, to the second; None where the time of day is not known."""
    if at is None or not unix_now:
        return None
    return datetime.fromtimestamp(unix_now - (now - at), UTC).isoformat(timespec="seconds")


def _usage(used: Usage) -> UsageStatus:
    amount = round(used.amount, 1)
    return UsageStatus(
        kind=used.kind.value, amount=amount, purpose=used.purpose, provider=used.provider, model=used.model
    )


def _agent(
    seat: SeatState,
    common: dict[str, Any],
    muted: bool,
    latency: Mapping[str, float] | None,
    used: Sequence[Usage],
    runs_on_until: float | None,
    transport: tuple[str | None, str | None],
) -> AgentStatus:
    if runs_on_until is not None:
        common = {**common, "warning": "; ".join(filter(None, (seat.warning, runs_on(runs_on_until))))}
    face = [one for one in used if one.kind is UsageKind.AVATAR_SECONDS]
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
        avatar_seconds=_rounded(amount_of(face, UsageKind.AVATAR_SECONDS)) if face else None,
        degraded_reason=seat.degraded_reason,
        muted=muted,
        tools=None if seat.tools is None else _tools(seat.tools),
        transport=transport[0],
        transport_reason=transport[1],
        repeats=None if seat.repeats is None else seat.repeats.model_dump(exclude={"type"}),
        latency_ms=None if latency is None else {stage: round(ms, 1) for stage, ms in latency.items()},
    )


def _tools(count: ToolCount) -> ToolStatus:
    return ToolStatus(
        calls=count.calls,
        failed=count.failed,
        refused=count.refused,
        cancelled=count.cancelled,
        seconds=round(count.seconds, 3),
        open=tuple(name for _, name in count.open),
    )


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
