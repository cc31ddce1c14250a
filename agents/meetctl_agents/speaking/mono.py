"""One channel of sound: what every track of an agent has, whatever its voice's server sends."""

from __future__ import annotations

import numpy as np
from livekit import rtc


def mono(frame: rtc.AudioFrame) -> rtc.AudioFrame:
    """Returns the frame with its channels mixed into one; one that has one, as it is. int16, at its own rate."""
    if frame.num_channels == 1:
        return frame
    samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)
    mixed = np.rint(samples.mean(axis=1, dtype=np.float32)).astype(np.int16)
    return rtc.AudioFrame(mixed.tobytes(), frame.sample_rate, 1, len(mixed))
