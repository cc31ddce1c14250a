"""Meters: what a leg does, told from two snapshots of its own WebRTC statistics, once a second over two seconds.

The figures are the W3C's (https://www.w3.org/TR/webrtc-stats/). Nothing here is configured or assumed: what cannot be
measured is None. It never touches media.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from livekit import rtc
from livekit.rtc._proto import stats_pb2 as proto

from meetctl.protocol import IceState, LegStats

from ..process.wire import Report

INTERVAL = 1.0
"""Seconds between two reports; the board draws once a second."""
FIRST_INTERVAL = 0.1
"""Seconds, until media flows: a meeting waits to hear that it does."""
FIRST_LOOKS = 50
"""So often at most; a leg that carries nothing is no news."""
WINDOW = 3
"""Snapshots a report spans, two seconds: long enough that 25 frames a second do not read as 24 and 26."""
LISTENING_S = 5.0
"""Seconds between two looks at a leg that only listens: there is little to be seen, and a look costs a millisecond for
each track that is received."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One leg's counters at one moment. Counters rise for the life of a leg; None = there is no such stream."""

    at: float
    """Monotonic seconds."""
    ice: IceState
    video_frames: int | None = None
    audio_packets: int | None = None
    octets: int | None = None
    packets: int | None = None
    packets_lost: int | None = None
    width: int | None = None
    height: int | None = None
    rtt_ms: float | None = None


def leg_stats(leg: Literal["room", "simli"], before: Snapshot, after: Snapshot) -> LegStats:
    """Returns the leg's rates between two snapshots; a counter that fell (a new connection began) gives None."""
    seconds = after.at - before.at
    octets = _rate(before.octets, after.octets, seconds)
    return LegStats(
        leg=leg,
        ice=after.ice,
        video_fps=_rounded(_rate(before.video_frames, after.video_frames, seconds), 1),
        audio_fps=_rounded(_rate(before.audio_packets, after.audio_packets, seconds), 1),
        width=after.width,
        height=after.height,
        kbps=None if octets is None else round(octets * 8 / 1000, 1),
        loss=_loss(before, after),
        rtt_ms=_rounded(after.rtt_ms, 1),
    )


def snapshot_from_room_stats(stats: rtc.RtcStats, at: float) -> Snapshot:
    """Returns the sending side of a room leg. Server 1.13 uses one connection, older ones two: both lists are read."""
    entries = [*stats.publisher_stats, *stats.subscriber_stats]
    outbound = [entry.outbound_rtp for entry in entries if entry.WhichOneof("stats") == "outbound_rtp"]
    remote = [entry.remote_inbound_rtp for entry in entries if entry.WhichOneof("stats") == "remote_inbound_rtp"]
    transports = [entry.transport.transport for entry in entries if entry.WhichOneof("stats") == "transport"]
    # With two connections the publishing one is the leg; without outbound streams any that is there.
    transport = max(transports, key=lambda each: each.packets_sent, default=None)
    video = [each for each in outbound if each.stream.kind == "video"]
    audio = [each for each in outbound if each.stream.kind == "audio"]
    picture = max(video, key=lambda each: each.outbound.frame_width, default=None)
    return Snapshot(
        at=at,
        ice=IceState.NEW if transport is None else _ice_from_proto(transport.ice_state),
        video_frames=sum(each.outbound.frames_sent for each in video) if video else None,
        audio_packets=sum(each.sent.packets_sent for each in audio) if audio else None,
        octets=sum(each.sent.bytes_sent for each in outbound) if outbound else None,
        packets=sum(each.sent.packets_sent for each in outbound) if outbound else None,
        packets_lost=sum(each.received.packets_lost for each in remote) if remote else None,
        width=(picture.outbound.frame_width or None) if picture else None,
        height=(picture.outbound.frame_height or None) if picture else None,
        rtt_ms=_room_rtt_ms(entries, remote, transport),
    )


async def report_room_leg(room: rtc.Room, report: Report, *, look_s: float = 0.0) -> None:
    """Reports the room leg once a second until cancelled; silent while the room is not connected.

    Args:
        look_s: how long what was seen is repeated before the next look; it says that we are there, and costs nothing.
    """
    seen: Snapshot | None = None
    look_at = 0.0

    async def take() -> Snapshot | None:
        nonlocal seen, look_at
        now = time.monotonic()
        if not room.isconnected():
            seen = None
        elif seen is not None and now < look_at:
            seen = replace(seen, at=now)
        else:
            look_at = now + look_s
            seen = await _look(room)
        return seen

    await report_leg("room", take, report)


async def _look(room: rtc.Room) -> Snapshot | None:
    try:
        stats = await room.get_rtc_stats()
    except RuntimeError:  # the room went away just now
        return None
    return snapshot_from_room_stats(stats, time.monotonic())


async def report_leg(
    leg: Literal["room", "simli"],
    take: Callable[[], Awaitable[Snapshot | None]],
    report: Report,
    *,
    interval: float = INTERVAL,
) -> None:
    """Reports a leg once a second until cancelled, from what `take` sees; None = there is nothing to see now."""
    kept: deque[Snapshot] = deque(maxlen=WINDOW)
    looks = 0
    while True:
        snapshot = await take()
        looks += 1
        if snapshot is None:
            kept.clear()
            looks = 0
        else:
            if snapshot.octets is not None:  # media began: what was before would only hide the first rates
                kept = deque((each for each in kept if each.octets is not None), maxlen=WINDOW)
            kept.append(snapshot)
        if len(kept) > 1:
            report(leg_stats(leg, kept[0], kept[-1]))
        flows = len(kept) > 1 and kept[0].octets is not None
        await asyncio.sleep(interval if flows or looks > FIRST_LOOKS else min(interval, FIRST_INTERVAL))


def _rate(before: int | None, after: int | None, seconds: float) -> float | None:
    if before is None or after is None or after < before or seconds <= 0:
        return None
    return (after - before) / seconds


def _loss(before: Snapshot, after: Snapshot) -> float | None:
    if None in (before.packets, after.packets, before.packets_lost, after.packets_lost):
        return None
    packets = (after.packets or 0) - (before.packets or 0)
    lost = (after.packets_lost or 0) - (before.packets_lost or 0)
    if packets <= 0 or lost < 0:
        return None
    return round(min(1.0, lost / packets), 4)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _room_rtt_ms(
    entries: list[proto.RtcStats],
    remote: list[proto.RtcStats.RemoteInboundRtp],
    transport: proto.TransportStats | None,
) -> float | None:
    measured = [
        each.remote_inbound.round_trip_time for each in remote if each.remote_inbound.round_trip_time_measurements
    ]
    if measured:
        return max(measured) * 1000
    if transport is None:
        return None
    for entry in entries:
        if entry.WhichOneof("stats") != "candidate_pair":
            continue
        pair = entry.candidate_pair
        if pair.rtc.id == transport.selected_candidate_pair_id and pair.candidate_pair.responses_received:
            return pair.candidate_pair.current_round_trip_time * 1000
    return None


_ICE_FROM_PROTO = {
    proto.IceTransportState.ICE_TRANSPORT_NEW: IceState.NEW,
    proto.IceTransportState.ICE_TRANSPORT_CHECKING: IceState.CHECKING,
    proto.IceTransportState.ICE_TRANSPORT_CONNECTED: IceState.CONNECTED,
    proto.IceTransportState.ICE_TRANSPORT_COMPLETED: IceState.COMPLETED,
    proto.IceTransportState.ICE_TRANSPORT_DISCONNECTED: IceState.DISCONNECTED,
    proto.IceTransportState.ICE_TRANSPORT_FAILED: IceState.FAILED,
    proto.IceTransportState.ICE_TRANSPORT_CLOSED: IceState.CLOSED,
}


def _ice_from_proto(state: proto.IceTransportState.ValueType) -> IceState:
    return _ICE_FROM_PROTO[state]
