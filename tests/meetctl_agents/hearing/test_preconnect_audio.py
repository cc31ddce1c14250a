"""What is said before the chair can hear it: the page kept it, and it is heard once, in front of the rest."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time

import av
import numpy as np
import pytest
from livekit import rtc
from meetctl_agents.hearing.preconnect_audio import OVERLAP_S, joined
from numpy.typing import NDArray

from meetctl.protocol import PRECONNECT_AUDIO, Ready, Utterance, UtteranceKind
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.human import SAMPLE_RATE, Human, synthesised
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken
from testing.words import word_errors

RATE = 16_000
RECORDED_ON_S = 0.25
"""As the page does."""
ONLY_KEPT_S = 0.6
"""Of the sentence: its first words."""
SENTENCE = "Monday is too early for the launch."


def noise(seconds: float, seed: int = 1) -> NDArray[np.int16]:
    return np.random.default_rng(seed).normal(0, 3000, int(seconds * RATE)).astype(np.int16)


@pytest.mark.parametrize("new_s", [0.0, 0.2, 1.3])
@pytest.mark.parametrize("distorted_s", [0.0, 0.08])
def test_what_is_heard_live_goes_on_where_it_is_found_in_what_was_kept(new_s: float, distorted_s: float) -> None:
    sound, begins = noise(2.0), int(new_s * RATE)
    live = sound[begins:] // 2 + noise(2.0, seed=2)[begins:] // 8  # another gain, and what the way here adds
    live[: int(distorted_s * RATE)] = noise(distorted_s, seed=3)
    whole = joined(sound[: begins + int(0.4 * RATE)], live, RATE)
    assert abs(len(whole) - len(sound)) <= 2
    assert np.corrcoef(whole[: len(sound) - 2], sound[: len(whole)][: len(sound) - 2])[0, 1] > 0.9


@pytest.mark.parametrize("live", [np.zeros(RATE, np.int16), noise(1.0, seed=3), noise(0.05)])
def test_where_it_is_not_found_the_usual_overlap_is_left_out(live: NDArray[np.int16]) -> None:
    assert len(joined(noise(1.0), live, RATE)) == int((1.0 - OVERLAP_S) * RATE) + len(live)
    assert len(joined(noise(0.1), live, RATE)) == len(live)


def recording(samples: bytes) -> bytes:
    """Returns them as a browser's MediaRecorder makes them: Opus in WebM."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000, bit_rate=24_000)
        frame = av.AudioFrame.from_ndarray(np.frombuffer(samples, "<i2").reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for resampled in (*av.AudioResampler("s16", "mono", 48_000).resample(frame), None):
            container.mux(stream.encode(resampled))
    return file.getvalue()


async def test_a_word_said_before_the_chair_could_hear_it_is_not_lost(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    samples = await synthesised(model_server, SENTENCE)
    token = mint_token(CHAIR, role="chair")
    given = assignment(livekit_server, room_name, token, CHAIR, models_url=model_server, cast=())
    asked: list[tuple[str, str]] = []
    async with Child("meetctl_agents.chair", given) as chair:
        await chair.wait_said(Ready)
        async with Human(livekit_server.url, mint_token("sam").get_secret_value()) as sam:
            began = time.monotonic()

            async def kept(call: rtc.RpcInvocationData) -> str:
                asked.append((call.caller_identity, json.loads(call.payload)["track_sid"]))
                await asyncio.sleep(RECORDED_ON_S)
                so_far = ONLY_KEPT_S + time.monotonic() - began
                return base64.b64encode(recording(samples[: 2 * int(so_far * SAMPLE_RATE)])).decode()

            sam.room.local_participant.register_rpc_method(PRECONNECT_AUDIO, kept)
            await sam.say(samples[2 * int(ONLY_KEPT_S * SAMPLE_RATE) :])
            said = await chair.wait_said(Utterance, lambda event: event.line.kind is UtteranceKind.SPEECH)
            assert word_errors(SENTENCE, said.line.text)[0] == 0
            assert asked == [(CHAIR, sam.publication.sid)]
        # Another client keeps what is no sound: its person is heard all the same.
        async with Human(livekit_server.url, mint_token("eve").get_secret_value()) as eve:

            async def nonsense(call: rtc.RpcInvocationData) -> str:
                return base64.b64encode(b"\x1a\x45\xdf\xa3 no sound").decode()

            eve.room.local_participant.register_rpc_method(PRECONNECT_AUDIO, nonsense)
            await eve.wait_listened_to()
            await eve.say(samples)
            await chair.wait_said(
                Utterance, lambda event: event.line.identity == "eve" and "launch" in event.line.text.lower()
            )
