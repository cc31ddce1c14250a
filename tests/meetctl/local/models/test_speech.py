from __future__ import annotations

import io
import json
import wave

import aiohttp
import numpy as np
import openai
import pytest

from meetctl.local.models.voices import VOICES
from tests.meetctl.local.models.sound import RATE, formant_ratio, fundamental, samples_from_pcm, silence_around

SENTENCE = "Everybody in the room knows where the yellow umbrella was."


async def spoken(client: openai.AsyncOpenAI, text: str, voice: str = "alto", **more: float) -> bytes:
    answer = await client.audio.speech.create(input=text, model="tts-1", voice=voice, response_format="pcm", **more)  # type: ignore[arg-type]
    assert answer.response.headers["content-type"] == "audio/pcm"
    return answer.content


async def test_every_voice_is_loud_enough_and_not_clipped(client: openai.AsyncOpenAI) -> None:
    for voice in VOICES:
        samples = samples_from_pcm(await spoken(client, SENTENCE, voice))
        assert 2.0 < len(samples) / RATE < 6.0
        assert 0.03 < np.sqrt(np.mean((samples / 32768) ** 2)) < 0.15
        assert np.abs(samples.astype(np.int32)).max() < 31_700


async def test_voices_differ_in_fundamental_frequency_as_their_pitch_says(client: openai.AsyncOpenAI) -> None:
    measured = {
        voice: fundamental(samples_from_pcm(await spoken(client, SENTENCE, voice)))
        for voice in ("baritone", "tenor", "contralto", "alto", "soprano", "treble")
    }
    for voice, hertz in measured.items():
        assert hertz / measured["alto"] == pytest.approx(VOICES[voice].pitch, rel=0.12), measured


async def test_formants_move_the_resonances_and_leave_the_pitch(client: openai.AsyncOpenAI) -> None:
    plain = samples_from_pcm(await spoken(client, SENTENCE, "pitch=0.6"))  # dense harmonics show the envelope
    for formant in (0.85, 1.2):
        moved = samples_from_pcm(await spoken(client, SENTENCE, f"pitch=0.6,formant={formant}"))
        assert formant_ratio(moved, plain) == pytest.approx(formant, rel=0.08)
        assert fundamental(moved) == pytest.approx(fundamental(plain), rel=0.15)


async def test_the_silence_around_the_words_is_cut(client: openai.AsyncOpenAI) -> None:
    for voice in ("alto", "bass", "treble"):
        before, after = silence_around(samples_from_pcm(await spoken(client, "Good morning, everybody.", voice)))
        assert before < 0.1 and after < 0.15, voice


async def test_speed_shortens_the_sentence(client: openai.AsyncOpenAI) -> None:
    normal, fast = len(await spoken(client, SENTENCE)), len(await spoken(client, SENTENCE, speed=1.5))
    assert 0.55 < fast / normal < 0.8


async def test_the_first_sentence_leaves_before_the_last_is_made(http: aiohttp.ClientSession) -> None:
    text = " ".join(f"This is sentence number {index} of a rather long answer." for index in range(60))
    body = {"input": text, "model": "tts-1", "voice": "alto", "response_format": "pcm"}
    async with http.post("/v1/audio/speech", json=body) as answer:
        assert len(await answer.content.readany()) > 0
        async with http.get("/healthz") as health:
            busy = (await health.json())["speech"]
        rest = await answer.content.read()
    assert busy["running"] + busy["waiting"] == 1
    assert len(rest) / 2 / RATE > 100


async def test_a_client_that_leaves_stops_the_speech(http: aiohttp.ClientSession) -> None:
    body = {"input": "One more sentence to be spoken. " * 120, "model": "tts-1", "response_format": "pcm"}
    async with http.post("/v1/audio/speech", json=body) as whole:
        made = len(await whole.content.read())
    async with http.post("/v1/audio/speech", json=body) as answer:
        await answer.content.readany()
        answer.close()
    while True:  # bounded by the client's own timeout
        async with http.get("/healthz") as health:
            if (await health.json())["speech"] == {"running": 0, "waiting": 0}:
                break
    assert made / 2 / RATE > 100


async def test_wav_is_a_whole_file(client: openai.AsyncOpenAI) -> None:
    answer = await client.audio.speech.create(input="Yes. No.", model="m", voice="alto", response_format="wav")
    with wave.open(io.BytesIO(answer.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert 0.3 < file.getnframes() / RATE < 3


async def test_events_carry_the_same_amount_of_audio(http: aiohttp.ClientSession) -> None:
    body = {"input": "One. Two.", "model": "m", "response_format": "pcm", "stream_format": "sse"}
    async with http.post("/v1/audio/speech", json=body) as answer:
        assert answer.content_type == "text/event-stream"
        events = [json.loads(line[6:]) async for line in answer.content if line.startswith(b"data: ")]
    assert [event["type"] for event in events] == ["speech.audio.delta"] * (len(events) - 1) + ["speech.audio.done"]
    assert events[-1]["usage"]["output_tokens"] > RATE / 2


async def test_a_text_without_words_is_a_short_silence(client: openai.AsyncOpenAI) -> None:
    samples = samples_from_pcm(await spoken(client, "…!"))
    assert 0 < len(samples) < RATE / 2 and not samples.any()


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"voice": "robot"}, "voice"),
        ({"voice": "pitch=9"}, "voice"),
        ({"response_format": "mp3"}, "response_format"),
        ({"input": ""}, "input"),
        ({"input": "a" * 5000}, "input"),
        ({"speed": 9}, "speed"),
    ],
)
async def test_a_bad_request_is_refused_in_openais_shape(
    client: openai.AsyncOpenAI, wrong: dict[str, object], param: str
) -> None:
    body = {"input": "Hello.", "model": "tts-1", "voice": "alto", "response_format": "pcm", **wrong}
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.speech.create(**body)  # type: ignore[arg-type]
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")
