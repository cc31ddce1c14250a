"""Meters: rates from two snapshots, and a snapshot from WebRTC statistics."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from livekit import rtc
from livekit.rtc._proto import stats_pb2 as proto
from meetctl_agents.room.meters import Snapshot, leg_stats, report_leg, snapshot_from_room_stats

from meetctl.protocol import IceState, LegStats, Model

START = Snapshot(
    at=10.0,
    ice=IceState.CONNECTED,
    video_frames=100,
    audio_packets=200,
    octets=1_000,
    packets=400,
    packets_lost=4,
    width=512,
    height=512,
    rtt_ms=1.26,
)
TWO_SECONDS_ON = replace(
    START, at=12.0, video_frames=150, audio_packets=300, octets=176_000, packets=600, packets_lost=14
)


def test_rates_are_differences_over_the_time_between_two_snapshots() -> None:
    assert leg_stats("room", START, TWO_SECONDS_ON) == LegStats(
        leg="room",
        ice=IceState.CONNECTED,
        video_fps=25.0,
        audio_fps=50.0,
        width=512,
        height=512,
        kbps=700.0,
        loss=0.05,
        rtt_ms=1.3,
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            START,
            replace(TWO_SECONDS_ON, video_frames=None, width=None, height=None),
            {"video_fps": None, "width": None, "height": None, "audio_fps": 50.0},
            id="a leg without video has no video figures",
        ),
        pytest.param(
            START,
            replace(TWO_SECONDS_ON, video_frames=7, audio_packets=9, octets=3, packets=1),
            {"video_fps": None, "audio_fps": None, "kbps": None, "loss": None},
            id="counters that fell belong to another connection",
        ),
        pytest.param(
            START,
            replace(START, at=12.0),
            {"video_fps": 0.0, "audio_fps": 0.0, "kbps": 0.0, "loss": None},
            id="a still leg shows zero, and no loss of nothing",
        ),
        pytest.param(
            START,
            replace(TWO_SECONDS_ON, packets_lost=5_000),
            {"loss": 1.0},
            id="loss never exceeds all",
        ),
        pytest.param(START, replace(TWO_SECONDS_ON, at=10.0), {"video_fps": None, "kbps": None}, id="no time passed"),
        pytest.param(
            Snapshot(at=1.0, ice=IceState.NEW),
            Snapshot(at=3.0, ice=IceState.CHECKING),
            {
                "ice": IceState.CHECKING,
                "video_fps": None,
                "audio_fps": None,
                "kbps": None,
                "loss": None,
                "rtt_ms": None,
            },
            id="nothing known is nothing guessed",
        ),
    ],
)
def test_what_cannot_be_measured_is_none(before: Snapshot, after: Snapshot, expected: dict[str, object]) -> None:
    found = leg_stats("simli", before, after).model_dump()
    assert {key: found[key] for key in expected} == expected


def outbound(
    kind: str, *, packets: int, octets: int, frames: int = 0, size: tuple[int, int] = (0, 0)
) -> proto.RtcStats:
    entry = proto.RtcStats()
    entry.outbound_rtp.stream.kind = kind
    entry.outbound_rtp.sent.packets_sent = packets
    entry.outbound_rtp.sent.bytes_sent = octets
    entry.outbound_rtp.outbound.frames_sent = frames
    entry.outbound_rtp.outbound.frame_width, entry.outbound_rtp.outbound.frame_height = size
    return entry


def remote(*, lost: int, rtt: float, measurements: int) -> proto.RtcStats:
    entry = proto.RtcStats()
    entry.remote_inbound_rtp.received.packets_lost = lost
    entry.remote_inbound_rtp.remote_inbound.round_trip_time = rtt
    entry.remote_inbound_rtp.remote_inbound.round_trip_time_measurements = measurements
    return entry


def transport(pair: str = "chosen") -> proto.RtcStats:
    entry = proto.RtcStats()
    entry.transport.transport.packets_sent = 10
    entry.transport.transport.ice_state = proto.IceTransportState.ICE_TRANSPORT_COMPLETED
    entry.transport.transport.selected_candidate_pair_id = pair
    return entry


def pair(name: str, rtt: float) -> proto.RtcStats:
    entry = proto.RtcStats()
    entry.candidate_pair.rtc.id = name
    entry.candidate_pair.candidate_pair.current_round_trip_time = rtt
    entry.candidate_pair.candidate_pair.responses_received = 3
    return entry


def test_a_snapshot_sums_the_sending_streams_of_both_lists() -> None:
    stats = rtc.RtcStats(
        publisher_stats=[outbound("video", packets=5, octets=70, frames=3, size=(512, 384)), transport()],
        subscriber_stats=[
            outbound("audio", packets=7, octets=30),
            remote(lost=1, rtt=0.004, measurements=2),
            remote(lost=2, rtt=0.0, measurements=0),
        ],
    )
    assert snapshot_from_room_stats(stats, 5.0) == Snapshot(
        at=5.0,
        ice=IceState.COMPLETED,
        video_frames=3,
        audio_packets=7,
        octets=100,
        packets=12,
        packets_lost=3,
        width=512,
        height=384,
        rtt_ms=4.0,
    )


def test_round_trip_time_comes_from_the_selected_pair_when_no_receiver_reported_one() -> None:
    stats = rtc.RtcStats(publisher_stats=[transport(), pair("other", 0.5), pair("chosen", 0.012)], subscriber_stats=[])
    assert snapshot_from_room_stats(stats, 0.0) == Snapshot(at=0.0, ice=IceState.COMPLETED, rtt_ms=12.0)


def test_an_empty_report_is_a_new_leg() -> None:
    stats = rtc.RtcStats(publisher_stats=[], subscriber_stats=[])
    assert snapshot_from_room_stats(stats, 0.0) == Snapshot(at=0.0, ice=IceState.NEW)


async def test_a_leg_that_disappears_is_not_reported_until_two_new_snapshots_exist() -> None:
    left: list[Snapshot | None] = [
        START,
        TWO_SECONDS_ON,
        None,
        replace(START, at=20.0),
        replace(START, at=21.0, video_frames=130),
    ]
    over = asyncio.Event()

    async def take() -> Snapshot | None:
        if left:
            return left.pop(0)
        over.set()
        await asyncio.Event().wait()
        return None

    reports: list[Model] = []
    task = asyncio.create_task(report_leg("simli", take, reports.append, interval=0))
    async with asyncio.timeout(5):
        await over.wait()
    task.cancel()
    assert [report.video_fps for report in reports if isinstance(report, LegStats)] == [25.0, 30.0]
