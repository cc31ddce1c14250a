"""A stream of one microphone's sound. The library hands each stream the frames of all; here it gets its own alone."""

from __future__ import annotations

from livekit import rtc
from livekit.rtc._ffi_client import FfiClient

from .voice_activity import FRAME_MS, SAMPLE_RATE


def open_microphone(track: rtc.Track) -> rtc.AudioStream:
    """Returns a stream of the track, mono, at the detector's rate; to be closed."""
    stream = rtc.AudioStream.from_track(track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS)
    _narrow(stream)
    return stream


def _narrow(stream: rtc.AudioStream) -> None:
    """Spares the loop what is none of this stream's: with ten microphones, nine frames of ten."""
    events = FfiClient.instance.queue
    handle = stream._ffi_handle.handle
    events.unsubscribe(stream._ffi_queue)
    stream._ffi_queue = events.subscribe(
        stream._loop, filter_fn=lambda event: event.audio_stream_event.stream_handle == handle
    )
