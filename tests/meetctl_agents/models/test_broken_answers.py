"""A service that answers wrongly costs one answer, says so, and the next answer is taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, utils
from meetctl_agents.face.signaling import compose, legacy
from meetctl_agents.face.signaling import exchange as conversation_module
from meetctl_agents.face.signaling.compose import ComposeSignaling
from meetctl_agents.face.signaling.legacy import LegacySignaling
from meetctl_agents.face.signaling.refusal import FaceRefused
from meetctl_agents.floor.moderator import Moderator
from meetctl_agents.hearing import listener
from meetctl_agents.hearing.listener import Transcriber
from meetctl_agents.models.prompt import Message
from meetctl_agents.models.providers import llm_from_endpoint, stt_from_endpoint, tts_from_endpoint
from meetctl_agents.models.speech_faults import SpeechFaults
from meetctl_agents.speaking import speech as speech_module
from meetctl_agents.speaking.replay_agent import answer
from meetctl_agents.speaking.speech import SynthesisedSpeech, verbatim
from meetctl_agents.text.answer_text import AnswerText, ThinkingHabit
from meetctl_agents.text.clauses import ClauseTokenizer
from pydantic import SecretStr

from meetctl.protocol import CastMember, Endpoint, Face, Line, Model, Voice, Warn
from testing.agents.broken_answers import Reply, ScriptedServer, broken_replies, http, scripted_server
from testing.agents.provider_servers import SOUND, WORDS

SHORT_S = 0.25
"""For those that never answer."""
PATIENT_S = 10.0
"""For those that do, on any machine."""
BOUND_S = 20.0


@pytest.fixture(autouse=True)
async def http_session() -> AsyncIterator[None]:
    """Opens what the programs open around their plugins."""
    async with utils.http_context.open():
        yield


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as scripted:
        yield scripted


def endpoint(server: ScriptedServer, model: str) -> Endpoint:
    return Endpoint(base_url=f"{server.url}/v1", api_key=SecretStr("key-1"), model=model)


def once(seconds: float) -> APIConnectOptions:
    return APIConnectOptions(max_retry=0, timeout=seconds)


def silence() -> list[rtc.AudioFrame]:
    return [rtc.AudioFrame(bytes(6400), 16_000, 1, 3200)]


async def survive(
    server: ScriptedServer,
    replies: list[Reply],
    good: Reply,
    ask: Callable[[float], Awaitable[Any]],
    right: Callable[[Any], bool],
    broken: Callable[[Reply, Any], bool],
) -> None:
    """Asks for each broken reply and then for a good one; `ask` takes the patience, seconds, and never raises."""
    wrong: list[str] = []
    assert len(replies) >= 50
    for reply in replies:
        server.reply = reply
        async with asyncio.timeout(BOUND_S):
            got = await ask(SHORT_S if reply.takes_patience else PATIENT_S)
        if not broken(reply, got):
            wrong.append(f"{reply.name}: {got!r:.200}")
        server.reply = good
        async with asyncio.timeout(BOUND_S):
            got = await ask(PATIENT_S)
        if not right(got):
            wrong.append(f"after {reply.name}: {got!r:.200}")
    assert not wrong, "\n".join(wrong)


async def test_after_fifty_broken_transcriptions_the_next_words_are_heard_each_time(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Model] = []
    ears = stt_from_endpoint(endpoint(server, "whisper-x"), "en", ())
    good = json.dumps({"text": WORDS}).encode()

    async def ask(seconds: float) -> tuple[str, int]:
        monkeypatch.setattr(listener, "PATIENCE_S", seconds)
        said.clear()
        text = await Transcriber(ears, SpeechFaults(said.append)).words(silence())
        return text, len([event for event in said if isinstance(event, Warn)])

    replies = [
        *broken_replies(good, "text"),
        Reply("only segments", http(json.dumps({"segments": [{"text": WORDS}]}).encode())),
    ]
    await survive(
        server,
        replies,
        Reply("good", http(good)),
        ask,
        right=lambda got: got == (WORDS, 0),
        broken=lambda reply, got: got == HEARD.get(reply.name, ("", 1)),
    )
    await ears._client.close()  # type: ignore[attr-defined]  # its plugin leaves that open


NOTHING = ("204 Odd", "an unknown charset", "not utf-8", "body b''", "body b'[]'")
"""Nothing was said, by what came."""
HEARD = {
    **dict.fromkeys(NOTHING, ("", 0)),
    "body b'\"text\"'": ("text", 0),
    "only segments": (WORDS, 0),
}
"""What can be read of it, and how many warnings."""
HARMLESS = ("content that is a list",)
"""Nothing is wrong with what comes."""
READABLE = "not utf-8"
"""What can be read of it is taken."""


def _answer_text() -> AnswerText:
    return AnswerText((), "Ada", ThinkingHabit(is_known_plain=True))


def chat_events(*deltas: Any) -> bytes:
    chunks = [
        {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        for choice in ({"index": 0, "delta": delta, "finish_reason": None} for delta in deltas)
    ]
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks) + b"data: [DONE]\n\n"


CHAT = "text/event-stream"


def broken_chats() -> list[Reply]:
    lines = {
        "no json": b"data: {broken\n\ndata: [DONE]\n\n",
        "null": b"data: null\n\ndata: [DONE]\n\n",
        "a list": b"data: []\n\ndata: [DONE]\n\n",
        "no choices": b'data: {"id": "c1"}\n\ndata: [DONE]\n\n',
        "choices are null": b'data: {"id": "c1", "choices": null}\n\ndata: [DONE]\n\n',
        "choices are text": b'data: {"id": "c1", "choices": "no"}\n\ndata: [DONE]\n\n',
        "an error": b'data: {"error": {"message": "overloaded"}}\n\ndata: [DONE]\n\n',
        "a delta of null": chat_events(None),
        "a delta that is text": chat_events("no"),
        "content of null": chat_events({"content": None}),
        "content that is a number": chat_events({"content": 3}),
        "content that is a list": chat_events({"content": [{"type": "text", "text": "no"}]}),
        "a tool call of null": chat_events({"tool_calls": [None]}),
        "a tool call without a function": chat_events({"tool_calls": [{"index": 0}]}),
        "no end": chat_events({"content": ""}).removesuffix(b"data: [DONE]\n\n"),
    }
    return [Reply(name, http(content, kind=CHAT)) for name, content in lines.items()]


async def test_after_fifty_broken_answers_of_the_language_model_the_next_one_is_said_each_time(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = llm_from_endpoint(endpoint(server, "chat-x"))
    voice = tts_from_endpoint(endpoint(server, "tts-x"), Voice(), ClauseTokenizer())
    good = chat_events({"role": "assistant", "content": "We ship "}, {"content": "on Friday."})

    async def ask(seconds: float) -> str | Exception:
        monkeypatch.setattr(speech_module, "STALL_S", seconds)
        words = answer(model, [Message("user", "When?")], _answer_text(), once(seconds), lambda *_: None)
        speech = SynthesisedSpeech(words, voice, once(seconds))
        try:
            return await speech.wait_written()
        except Exception as error:
            return error
        finally:
            await speech.aclose()

    await survive(
        server,
        [*broken_replies(good, "choices", kind=CHAT), *broken_chats()],
        Reply("good", http(good, kind=CHAT)),
        ask,
        right=lambda got: got == WORDS,
        broken=lambda reply, got: isinstance(got, Exception) or reply.name in HARMLESS,
    )
    await model.aclose()


async def test_after_fifty_broken_decisions_the_moderators_next_one_is_taken_each_time(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = llm_from_endpoint(endpoint(server, "chat-x"))
    moderator = Moderator(model, "Friday")
    candidates = [CastMember(identity="ada", name="Ada"), CastMember(identity="max", name="Max")]
    line = Line(id="u1", at=0, speaker="Sam", identity="sam", text="When?")
    good = chat_events({"role": "assistant", "content": "Max"})

    async def ask(seconds: float) -> str | Exception | None:
        monkeypatch.setattr("meetctl_agents.floor.moderator.PATIENCE_S", seconds)
        try:
            async with asyncio.timeout(seconds):
                return await moderator.pick([line], candidates)
        except Exception as error:
            return error

    await survive(
        server,
        [*broken_replies(good, "choices", kind=CHAT), *broken_chats()],
        Reply("good", http(good, kind=CHAT)),
        ask,
        right=lambda got: got == "max",
        broken=lambda reply, got: isinstance(got, Exception),
    )
    await model.aclose()


async def test_after_fifty_broken_sounds_the_next_one_is_played_each_time(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = tts_from_endpoint(endpoint(server, "tts-x"), Voice(), ClauseTokenizer())

    async def ask(seconds: float) -> bytes | Exception:
        monkeypatch.setattr(speech_module, "STALL_S", seconds)
        speech = SynthesisedSpeech(verbatim("Hello."), voice, once(seconds))
        speech.grant()
        try:
            return b"".join([bytes(frame.data) async for frame in speech.sound.replay()])
        except Exception as error:
            return error
        finally:
            await speech.aclose()

    await survive(
        server,
        broken_replies(SOUND, "audio", kind="audio/pcm"),
        Reply("good", http(SOUND, kind="audio/pcm")),
        ask,
        right=lambda got: isinstance(got, bytes) and got.startswith(SOUND),
        broken=lambda reply, got: True,
    )
    await voice.aclose()


@pytest.mark.parametrize("api", ["compose", "legacy"])
async def test_after_fifty_broken_tokens_the_faces_next_one_is_taken_each_time(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    face = Face(url=server.url, api_key=SecretStr("key-1"), face_id="ada")
    kind = {"compose": ComposeSignaling, "legacy": LegacySignaling}[api]
    good = json.dumps({"session_token": "token-1"}).encode()

    async def ask(seconds: float) -> str | Exception:
        monkeypatch.setattr(compose, "TOKEN_S", seconds)
        monkeypatch.setattr(legacy, "TOKEN_S", seconds)
        async with kind(face, lambda said: None) as signaling:
            try:
                await signaling.ice_servers()
            except Exception as error:
                return error
            return str(signaling._token)  # type: ignore[attr-defined]

    replies = [
        *broken_replies(good, "session_token"),
        Reply("warnings are a number", http(json.dumps({"session_token": 3, "warnings": 3}).encode())),
    ]
    await survive(
        server,
        replies,
        Reply("good", http(good)),
        ask,
        right=lambda got: got == "token-1",
        broken=lambda reply, got: isinstance(got, FaceRefused) or reply.name == READABLE,
    )
    server.reply = Reply("odd warnings", http(json.dumps({"session_token": "token-1", "warnings": 3}).encode()))
    assert await ask(PATIENT_S) == "token-1"


@pytest.mark.parametrize("api", ["compose", "legacy"])
async def test_after_fifty_broken_lists_of_ice_servers_there_is_a_default_and_the_next_list_is_taken(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    monkeypatch.setattr(conversation_module, "is_loopback", lambda url: False)
    good = json.dumps([{"urls": ["stun:example.org:3478"]}]).encode()
    face = Face(url=server.url, api_key=SecretStr("key-1"), face_id="ada")
    method, path = {"compose": ("GET", "/compose/ice"), "legacy": ("POST", "/getIceServers")}[api]

    async def ask(seconds: float) -> Any:
        monkeypatch.setattr(conversation_module, "ICE_S", seconds)
        talk = conversation_module.Exchange(face, lambda said: None)
        try:
            return [server.urls for server in await talk.ice_servers(method, path)]
        except Exception as error:
            return error
        finally:
            await talk.http.close()

    await survive(
        server,
        broken_replies(good, "urls"),
        Reply("good", http(good)),
        ask,
        right=lambda got: got == [["stun:example.org:3478"]],
        broken=lambda reply, got: got == [conversation_module.DEFAULT_ICE],
    )


async def test_after_fifty_broken_sdp_answers_the_next_one_is_taken_each_time(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = Face(url=server.url, api_key=SecretStr("key-1"), face_id="ada")
    good = json.dumps({"sdp": "v=0", "type": "answer"}).encode()

    async def ask(seconds: float) -> str | Exception:
        monkeypatch.setattr(legacy, "ANSWER_S", seconds)
        async with LegacySignaling(face, lambda said: None) as signaling:
            try:
                return await signaling.negotiate("v=0")
            except Exception as error:
                return error

    await survive(
        server,
        broken_replies(good, "sdp"),
        Reply("good", http(good)),
        ask,
        right=lambda got: got == "v=0",
        broken=lambda reply, got: isinstance(got, FaceRefused) or reply.name == READABLE,
    )
