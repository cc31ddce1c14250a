"""The one place that changes how aiortc works: its audio buffer, which holds back 80 ms and stalls at a lost packet.

aiortc makes its buffers by the module-level name `JitterBuffer` of `aiortc.rtcrtpreceiver`; it is replaced for the
whole process, before the first peer connection. A test fails if that seam moves; the dependency is pinned to a minor.
"""

from __future__ import annotations

import logging

from aiortc import rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

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


def install() -> None:
    """Makes every later peer connection of this process use the lean buffer, and no line a candidate; idempotent."""
    logging.getLogger("aioice").setLevel(logging.WARNING)
    rtcrtpreceiver.JitterBuffer = LeanJitterBuffer  # type: ignore[attr-defined]
