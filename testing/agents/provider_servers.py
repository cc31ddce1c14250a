"""Small servers that speak the providers' own protocols and remember what they were asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

SOUND = b"\x10\x20" * 2400
"""A tenth of a second at 24 kHz."""
WORDS = "We ship on Friday."


@dataclass(slots=True)
class Asked:
    """One request."""

    path: str
    key: str
    query: dict[str, str]
    body: Any


@dataclass(slots=True)
class Served:
    """A running server."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def note(self, request: web.Request, body: Any) -> None:
        headers = request.headers
        key = headers.get("Authorization") or headers.get("xi-api-key") or ""
        self.asked.append(Asked(request.path, key, dict(request.query), body))


@asynccontextmanager
async def serving(*routes: web.RouteDef, served: Served) -> AsyncIterator[Served]:
    """Serves the routes on a free port of the loopback."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield served
    finally:
        await runner.cleanup()


def openai_routes(served: Served, *, fingerprint: str = "fp_1") -> list[web.RouteDef]:
    """OpenAI's HTTP API, as Ollama serves its chat part too."""

    async def chat(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        served.note(request, asked)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        pieces = WORDS.split(" ")
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1
            chunk = {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": asked["model"],
                "system_fingerprint": fingerprint,
                "choices": [
                    {
                        "index": 0,
                        "delta": {"role": "assistant", "content": piece if last else f"{piece} "},
                        "finish_reason": "stop" if last else None,
                    }
                ],
            }
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async def speech(request: web.Request) -> web.StreamResponse:
        served.note(request, await request.json())
        return web.Response(body=SOUND, content_type="audio/pcm")

    async def transcription(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        served.note(request, {key: value for key, value in form.items() if isinstance(value, str)})
        return web.json_response({"text": WORDS})

    return [
        web.post("/v1/chat/completions", chat),
        web.post("/v1/audio/speech", speech),
        web.post("/v1/audio/transcriptions", transcription),
    ]


def deepgram_routes(served: Served) -> list[web.RouteDef]:
    """Deepgram's: a whole recording, a stream, and speech."""
    alternatives = [{"transcript": WORDS, "confidence": 0.99, "words": [], "languages": ["en"]}]

    async def listen(request: web.Request) -> web.StreamResponse:
        served.note(request, (await request.read())[:4])
        channels = [{"alternatives": alternatives}]
        return web.json_response({"metadata": {"request_id": "r1"}, "results": {"channels": channels}})

    async def listen_live(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        heard = 0
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                heard += len(message.data)
            elif message.type is WSMsgType.TEXT and json.loads(message.data)["type"] == "CloseStream":
                served.note(request, heard)
                for number, text in enumerate(WORDS.split(" on ")):
                    result = {
                        "type": "Results",
                        "start": float(number),
                        "duration": 1.0,
                        "is_final": True,
                        "speech_final": number == 1,
                        "metadata": {"request_id": "r1"},
                        "channel": {"alternatives": [{**alternatives[0], "transcript": text}]},
                    }
                    await socket.send_json(result)
                await socket.close()
        return socket

    async def speak(request: web.Request) -> web.StreamResponse:
        served.note(request, await request.json())
        return web.Response(body=SOUND, content_type="audio/l16")

    return [
        web.post("/v1/listen", listen),
        web.get("/v1/listen", listen_live),
        web.post("/v1/speak", speak),
    ]


def elevenlabs_routes(served: Served) -> list[web.RouteDef]:
    """ElevenLabs': speech in raw samples, and a whole recording."""

    async def speech(request: web.Request) -> web.StreamResponse:
        served.note(request, await request.json())
        return web.Response(body=SOUND, content_type="audio/pcm")

    async def transcription(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        served.note(request, {key: value for key, value in form.items() if isinstance(value, str)})
        return web.json_response({"language_code": "en", "text": WORDS, "words": []})

    return [web.post("/v1/text-to-speech/{voice}/stream", speech), web.post("/v1/speech-to-text", transcription)]
