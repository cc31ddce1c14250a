from __future__ import annotations

import asyncio

import aiohttp
import numpy as np
import openai
import pytest

from meetctl.local.models.transcription import PRIORITY_HEADER
from testing.words import word_errors, words_of
from tests.meetctl.local.models.sound import RATE, Samples, samples_from_pcm, wav

SENTENCES = (
    "Ada, what do you think of the launch plan for Friday?",
    "I think we should wait another week before we ship it.",
    "The database is slow because every request opens a new connection.",
    "Could you explain that again in simple words, please?",
    "Good morning everybody, and thank you for coming to this meeting.",
    "Max, do you agree with her?",
)
NAMES = "Ada, Max"


async def said(client: openai.AsyncOpenAI, text: str, voice: str = "alto") -> Samples:
    answer = await client.audio.speech.create(input=text, model="tts-1", voice=voice, response_format="pcm")
    return samples_from_pcm(answer.content)


async def heard(client: openai.AsyncOpenAI, samples: Samples, prompt: str = NAMES) -> str:
    file = ("speech.wav", wav(samples), "audio/wav")
    answer = await client.audio.transcriptions.create(model="whisper", file=file, prompt=prompt, response_format="json")
    return answer.text


@pytest.mark.parametrize("voice", ["alto", "baritone"])
async def test_what_is_spoken_is_heard(client: openai.AsyncOpenAI, voice: str) -> None:
    errors, total = 0, 0
    for sentence in SENTENCES:
        errors += word_errors(sentence, await heard(client, await said(client, sentence, voice)))[0]
        total += len(words_of(sentence))
    assert errors / total <= 0.05


@pytest.mark.parametrize("word", ["Yes.", "Stop.", "Okay."])
async def test_one_short_word_is_heard_once(client: openai.AsyncOpenAI, word: str) -> None:
    assert len(words_of(await heard(client, await said(client, word, "tenor")))) == 1


async def test_unusual_names_are_recognised_where_the_prompt_has_them(client: openai.AsyncOpenAI) -> None:
    samples = await said(client, "Xanthe, please ask Isolde about the report.")
    assert "Xanthe" in await heard(client, samples, "Xanthe, Isolde")


async def test_thirty_seconds_and_more_are_heard_to_the_end(client: openai.AsyncOpenAI) -> None:
    text = " ".join(SENTENCES * 2)
    samples = await said(client, text)
    assert len(samples) / RATE > 33
    assert word_errors(text, await heard(client, samples))[0] <= 0.05 * len(words_of(text))


async def test_speech_between_long_silences_is_heard_and_timed(client: openai.AsyncOpenAI) -> None:
    quiet = np.zeros(3 * RATE, np.int16)
    samples = await said(client, SENTENCES[0])
    file = ("speech.wav", wav(np.concatenate((quiet, samples, quiet))), "audio/wav")
    answer = await client.audio.transcriptions.create(
        model="whisper-1", file=file, prompt=NAMES, response_format="verbose_json"
    )
    assert word_errors(SENTENCES[0], answer.text)[0] == 0
    assert answer.segments is not None
    assert answer.segments[0].start == pytest.approx(3, abs=0.6)
    assert answer.segments[-1].end == pytest.approx(3 + len(samples) / RATE, abs=0.6)


def _sounds_without_speech() -> dict[str, Samples]:
    chance = np.random.default_rng(7)
    time = np.arange(3 * RATE) / RATE
    sounds = {
        "silence": np.zeros_like(time),
        "nothing": np.zeros(0),
        "faint noise": chance.standard_normal(len(time)) * 0.005,
        "loud noise": chance.standard_normal(len(time)) * 0.1,
        "mains hum": 0.1 * np.sin(2 * np.pi * 50 * time) + 0.05 * np.sin(2 * np.pi * 150 * time),
        "a tone": 0.3 * np.sin(2 * np.pi * 440 * time),
        "a chord in beats": sum(0.1 * np.sin(2 * np.pi * hertz * time) for hertz in (262, 330, 392))
        * (time % 0.5 < 0.4),
        "typing": chance.standard_normal(len(time)) * 0.3 * (time % 0.2 < 0.01),
    }
    return {name: (sound * 32767).clip(-32768, 32767).astype(np.int16) for name, sound in sounds.items()}


@pytest.mark.parametrize("sound", _sounds_without_speech().items(), ids=lambda sound: sound[0])
async def test_no_words_are_found_where_none_are(client: openai.AsyncOpenAI, sound: tuple[str, Samples]) -> None:
    assert await heard(client, sound[1]) == ""


async def test_words_survive_noise_other_rates_and_stereo(client: openai.AsyncOpenAI) -> None:
    samples = await said(client, SENTENCES[1])
    noisy = (samples + np.random.default_rng(3).standard_normal(len(samples)) * 300).clip(-32768, 32767)
    assert word_errors(SENTENCES[1], await heard(client, noisy.astype(np.int16)))[0] <= 1
    doubled = np.repeat(samples, 2)
    file = ("speech.wav", wav(doubled, 2 * RATE), "audio/wav")
    assert word_errors(SENTENCES[1], (await client.audio.transcriptions.create(model="m", file=file)).text)[0] <= 1


async def test_text_is_plain(client: openai.AsyncOpenAI) -> None:
    file = ("speech.wav", wav(await said(client, SENTENCES[1])), "audio/wav")
    answer = await client.audio.transcriptions.create(model="m", file=file, response_format="text")
    assert word_errors(SENTENCES[1], str(answer))[0] == 0


async def test_final_requests_overtake_speculative_ones(client: openai.AsyncOpenAI) -> None:
    file = ("speech.wav", wav(await said(client, SENTENCES[1])), "audio/wav")
    order: list[str] = []

    async def transcribe(name: str, headers: dict[str, str]) -> None:
        await client.audio.transcriptions.create(model="m", file=file, extra_headers=headers)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for index in range(6):
            group.create_task(transcribe(f"speculative {index}", {PRIORITY_HEADER: "speculative"}))
        group.create_task(transcribe("final", {}))
    # Those that were in before the final one arrived cannot be overtaken: one at work, one or two decoded first.
    assert order.index("final") < 4


@pytest.mark.parametrize(
    ("fields", "file", "param"),
    [
        ({}, b"this is no audio", "file"),
        ({}, b"", "file"),
        ({"language": "de"}, wav(np.zeros(RATE, np.int16)), "language"),
        ({"response_format": "srt"}, wav(np.zeros(RATE, np.int16)), "response_format"),
        ({"stream": "true"}, wav(np.zeros(RATE, np.int16)), "stream"),
    ],
)
async def test_a_bad_request_is_refused_in_openais_shape(
    client: openai.AsyncOpenAI, fields: dict[str, str], file: bytes, param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(model="m", file=("a.wav", file, "audio/wav"), extra_body=fields)
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")


async def test_a_form_without_file_and_a_body_that_is_no_form_are_refused(http: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"model": "m"})
    for body in ({"data": form}, {"json": {"model": "m"}}):
        async with http.post("/v1/audio/transcriptions", **body) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]["param"] == "file"


async def test_a_file_beyond_the_limit_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await client.audio.transcriptions.create(model="m", file=("a.wav", bytes(33 * 1024 * 1024), "audio/wav"))
    assert refused.value.status_code == 413
    assert refused.value.type == "invalid_request_error"
