"""The contract with aiortc: its buffer is ours, sound is released at once, a lost packet does not stop it."""

from __future__ import annotations

import asyncio

from aiortc import RTCPeerConnection, rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import AudioStreamTrack
from aiortc.rtp import RtpPacket
from meetctl_agents.face.media import aiortc_patch as aiortc_seams
from meetctl_agents.face.media.aiortc_patch import LeanJitterBuffer


def packet(number: int, frame: int | None = None) -> RtpPacket:
    made = RtpPacket(sequence_number=number % 65536, timestamp=960 * (number if frame is None else frame))
    made._data = bytes([number % 256])  # type: ignore[attr-defined]
    return made


def released(buffer: LeanJitterBuffer, numbers: list[int]) -> list[int | None]:
    """Returns which packet each arriving one released."""
    frames = [buffer.add(packet(number))[1] for number in numbers]
    return [frame.data[0] if frame else None for frame in frames]


async def test_receivers_made_after_installing_use_our_buffer() -> None:
    aiortc_seams.install()
    sender, receiver = RTCPeerConnection(), RTCPeerConnection()
    try:
        sender.addTrack(AudioStreamTrack())
        receiver.addTransceiver("audio", direction="recvonly")
        receiver.addTransceiver("video", direction="recvonly")
        for transceiver, held in zip(receiver.getTransceivers(), (1, 0), strict=True):
            buffer = transceiver.receiver._RTCRtpReceiver__jitter_buffer  # type: ignore[attr-defined]
            assert isinstance(buffer, LeanJitterBuffer)
            assert buffer._prefetch == held
    finally:
        await asyncio.gather(sender.close(), receiver.close())


def test_the_name_that_aiortc_looks_its_buffer_up_by_is_still_there() -> None:
    assert issubclass(rtcrtpreceiver.__dict__["JitterBuffer"], JitterBuffer)


def test_a_frame_of_sound_is_released_when_the_next_one_comes() -> None:
    assert released(LeanJitterBuffer(16, 4), [0, 1, 2, 3]) == [None, 0, 1, 2]


def test_a_lost_packet_is_given_up_after_two_later_ones() -> None:
    assert released(LeanJitterBuffer(16, 4), [0, 1, 3, 4, 5, 6]) == [None, 0, None, 1, 3, 4]


def test_several_losses_do_not_add_up_to_delay() -> None:
    numbers = [number for number in range(200) if number % 7]
    gone = released(LeanJitterBuffer(16, 4), numbers)
    last = [number for number in gone if number is not None][-1]
    assert last >= 196
    assert set(numbers) - {number for number in gone if number is not None} <= set(range(196, 200))


def test_a_packet_that_overtook_another_waits_for_it() -> None:
    assert released(LeanJitterBuffer(16, 4), [0, 2, 1, 3]) == [None, None, 0, 1]


def test_numbers_that_wrap_around_are_no_gap() -> None:
    numbers = [65534, 65535, 65536, 65537]
    assert released(LeanJitterBuffer(16, 4), numbers) == [None, 254, 255, 0]


def test_pictures_are_buffered_as_before() -> None:
    buffer = LeanJitterBuffer(128, is_video=True)
    frames = [buffer.add(packet(number, frame=number // 3))[1] for number in range(6)]
    assert [frame.data if frame else None for frame in frames] == [None, None, None, bytes([0, 1, 2]), None, None]
    lost = [buffer.add(packet(number, frame=number // 3))[1] for number in (6, 7, 9, 10, 11, 12, 13)]
    assert [frame.data for frame in lost if frame] == [bytes([3, 4, 5])]
