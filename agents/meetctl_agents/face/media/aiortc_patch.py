"""The one place that changes how aiortc works: its audio buffer, which holds back 80 ms and stalls at a lost packet;
and the one that reads what aiortc keeps to itself, the sender's own clock.

aiortc makes its buffers by the module-level name `JitterBuffer` of `aiortc.rtcrtpreceiver`; it is replaced for the
whole process, before the first peer connection. A test fails if that seam moves; the dependency is pinned to a minor.
"""

from __future__ import annotations

import logging

import av
from aiortc import RTCRtpReceiver, rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket, RtpPacket

AUDIO_PREFETCH = 1
"""Frames held before one is released; aiortc's 4 make audio 80 ms later than video."""
GAP_PACKETS = 2
"""Packets that may overtake a missing one; after that it is lost. aiortc alone waits for 16, 320 ms of silence."""


class LeanJitterBuffer(JitterBuffer):
    """aiortc's buffer, but audio is released at once and a lost audio packet is given up soon. Video is unchanged."""

    def __init__(self, capacity: int, prefetch: int = 0, is_video: bool = False) -> None:
        super().__init__(capacity, prefetch if is_video else AUDIO_PREFETCH, is_video)

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        pli, frame = super().add(packet)
        if frame is None and not self._is_video:
            frame = self._give_up_gap()
        return pli, frame

    def _give_up_gap(self) -> JitterFrame | None:
        """Moves on to the first packet after a gap when enough came after it; returns what was held before the gap."""
        origin = self._origin or 0
        ahead = [self._packets[(origin + offset) % self._capacity] for offset in range(self._capacity)]
        held = next((offset for offset, packet in enumerate(ahead) if packet is None), self._capacity)
        later = [offset for offset, packet in enumerate(ahead) if packet is not None and offset > held]
        if len(later) < GAP_PACKETS:
            return None
        before = [packet for packet in ahead[:held] if packet is not None]
        self.remove(later[0])
        if not before:
            return None
        data = b"".join(packet._data for packet in before)  # type: ignore[attr-defined]
        return JitterFrame(data, before[0].timestamp)


class SenderClock:
    """Tells when a received frame left its sender, by the sender's reports (RTCP SR), on the sender's clock."""

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        self._mapper = receiver._RTCRtpReceiver__timestamp_mapper  # type: ignore[attr-defined]
        self._report: tuple[float, int] | None = None
        handle = receiver._handle_rtcp_packet

        async def listen(packet: AnyRtcpPacket) -> None:
            if isinstance(packet, RtcpSrPacket) and packet.sender_info.ntp_timestamp:
                self._report = packet.sender_info.ntp_timestamp / (1 << 32), packet.sender_info.rtp_timestamp
            await handle(packet)

        receiver._handle_rtcp_packet = listen  # type: ignore[method-assign]

    def left_at(self, frame: av.VideoFrame | av.AudioFrame) -> float | None:
        """Returns seconds, None before the first report."""
        if self._report is None or self._mapper._origin is None or frame.pts is None or frame.time_base is None:
            return None
        seconds, timestamp = self._report
        ticks = (self._mapper._origin + frame.pts - timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        return float(seconds + ticks * frame.time_base)


def install() -> None:
    """Makes every later peer connection of this process use the lean buffer, and no line a candidate; idempotent."""
    logging.getLogger("aioice").setLevel(logging.WARNING)
    rtcrtpreceiver.JitterBuffer = LeanJitterBuffer  # type: ignore[attr-defined]
