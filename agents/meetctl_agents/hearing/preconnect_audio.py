"""What a person said before the chair could hear them: their page kept it, is asked once, and it is put in front.

The server needs some 0.2 s from the publication of a microphone until its first sound arrives here. The page goes on
recording for a moment after it is asked, so that what it kept and what is heard overlap and can be joined without a
gap and without a word twice. A client that keeps nothing says so at once, and is heard as it always was.
"""

from __future__ import annotations

import asyncio
import base64
import io
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine

import av
import numpy as np
from livekit import rtc
from livekit.agents import utils
from numpy.typing import NDArray

from meetctl.protocol import PRECONNECT_AUDIO, KeptFor

from ..room.methods import call

PATIENCE_S = 1.0
"""The page needs 0.3 s; until then the person is not heard at all, and could interrupt nobody."""
LARGEST = 16_000
"""Characters of an answer; LiveKit's RPC carries no more."""
LONGEST_S = 4.0
"""Of sound that is taken out of an answer, whatever it says it holds."""
MATCH_S = 0.15
"""Of live sound that is looked for in what was kept."""
STARTS_S = (0.0, 0.05, 0.1)
"""Where that begins: a connection's very first packets may arrive distorted."""
HELD_S = STARTS_S[-1] + MATCH_S
"""Of live sound that is held back at least."""
ALIKE = 0.5
"""Correlation from which two pieces of sound are the same one; other speech and noise stay below 0.3."""
QUIET = 40.0
"""Root mean square of 16-bit samples below which there is nothing to look for."""
OVERLAP_S = 0.35
"""By how much the two overlap, where it cannot be heard: the page's 0.25 s and the way of the sound."""
FORMATS = ((b"\x1a\x45\xdf\xa3", "matroska"), (b"OggS", "ogg"), (b"", "mp4"))
"""How a recording of a browser begins: WebM, Firefox's Ogg, and what Safari makes."""

Samples = NDArray[np.int16]
Ask = Callable[[], Coroutine[None, None, Samples]]

logger = logging.getLogger(__name__)


async def ask_for_preconnect_audio(
    room: rtc.Room, participant: rtc.RemoteParticipant, track_sid: str, sample_rate: int
) -> Samples:
    """Returns what the person's page kept of that microphone, mono; nothing where there is nothing, in time."""
    if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD:
        return _NOTHING  # a telephone answers nothing, not even that
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await call(room, participant.identity, PRECONNECT_AUDIO, KeptFor(track_sid=track_sid))
            if not answer or len(answer) > LARGEST:
                return _NOTHING
            return await asyncio.to_thread(_decoded, base64.b64decode(answer, validate=True), sample_rate)
    except (rtc.RpcError, TimeoutError):
        return _NOTHING
    except Exception as error:  # whatever a page answers, the person is heard
        logger.warning("what the page of %r kept cannot be heard: %r", participant.identity, error)
        return _NOTHING


async def with_preconnect_audio(
    live: AsyncIterable[rtc.AudioFrameEvent], ask: Ask
) -> AsyncIterator[rtc.AudioFrameEvent]:
    """Yields what the page kept and then the live sound, whose beginning is held back until the page has answered."""
    held: list[rtc.AudioFrame] = []
    asking: asyncio.Task[Samples] | None = None
    open_ = False
    try:
        async for event in live:
            if open_:
                yield event
                continue
            if asking is None:
                asking = asyncio.create_task(ask(), name="preconnect-audio")
            held.append(event.frame)
            if not asking.done():
                continue
            kept = asking.result()
            if len(kept) and sum(frame.duration for frame in held) < HELD_S:
                continue
            open_ = True
            for frame in _in_frames(kept, held):
                yield rtc.AudioFrameEvent(frame)
            held.clear()
        for frame in held:
            yield rtc.AudioFrameEvent(frame)
    finally:
        if asking is not None:
            await utils.aio.cancel_and_wait(asking)


def joined(kept: Samples, live: Samples, sample_rate: int) -> Samples:
    """Returns what was kept and then the live sound, without what is in both; each mono, of any length."""
    span = int(MATCH_S * sample_rate)
    for start_s in STARTS_S:
        start = int(start_s * sample_rate)
        place = _place(kept, live[start : start + span], span)
        if place is not None:
            return np.concatenate([kept[:place], live[start:]])
    return np.concatenate([kept[: max(0, len(kept) - int(OVERLAP_S * sample_rate))], live])


def _place(kept: Samples, piece: Samples, span: int) -> int | None:
    """Returns where the piece begins in what was kept; None = it is not there."""
    sought = piece.astype(np.float64)
    if len(sought) < span or len(kept) < span or np.sqrt(np.mean(sought**2)) < QUIET:
        return None
    within = kept.astype(np.float64)
    size = len(kept) + span
    spectrum = np.fft.rfft(within, size) * np.conj(np.fft.rfft(sought, size))
    products = np.fft.irfft(spectrum, size)[: len(kept) - span + 1]
    sums = np.concatenate([[0.0], np.cumsum(within**2)])
    powers = sums[span:] - sums[: len(sums) - span]
    likeness = products / np.sqrt(np.maximum(powers, 1.0) * np.sum(sought**2))
    best = int(np.argmax(likeness))
    return best if likeness[best] >= ALIKE else None


def _in_frames(kept: Samples, held: list[rtc.AudioFrame]) -> list[rtc.AudioFrame]:
    if not len(kept):
        return held
    rate, size = held[0].sample_rate, held[0].samples_per_channel
    live = np.concatenate([np.frombuffer(frame.data, np.int16) for frame in held])
    sounding = np.flatnonzero(live)
    live = live[sounding[0] :] if len(sounding) else live  # silence from before the first packet
    whole = joined(kept, live, rate)
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    return [rtc.AudioFrame(piece.tobytes(), rate, 1, len(piece)) for piece in pieces]


def _decoded(recording: bytes, sample_rate: int) -> Samples:
    name = next(name for start, name in FORMATS if recording.startswith(start))
    resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate)
    pieces: list[Samples] = []
    most = int(LONGEST_S * sample_rate)
    with av.open(io.BytesIO(recording), mode="r", format=name) as container:
        for frame in container.decode(container.streams.audio[0]):
            pieces += [piece.to_ndarray().reshape(-1).astype(np.int16) for piece in resampler.resample(frame)]
            if sum(len(piece) for piece in pieces) >= most:
                break
    return np.concatenate(pieces)[:most] if pieces else _NOTHING


_NOTHING: Samples = np.zeros(0, np.int16)
