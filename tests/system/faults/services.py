"""The models of a meeting under attack: a language model, a voice and a recogniser that answer at once and as they are
told, also wrongly, and that may go away and come back at the same address.
"""

from __future__ import annotations

import array
import asyncio
import json
import math
import re
from typing import Any, Self

from testing.agents.broken_answers import Reply, http, read_request, write_reply

RATE = 24_000
"""Of the sound that the voice answers with: 16-bit samples, mono."""
CHARACTER_S = 0.05
"""How long the voice takes for one: a probe's answer is short, and what is to be cut off is long."""
CHAT, SPEECH, WORDS = "/chat/completions", "/audio/speech", "/audio/transcriptions"
PARTS = (CHAT, SPEECH, WORDS)
_NUMBER = re.compile(r"number (\d+)")


class Services:
    """Async context manager around a server; whoever asks for a number is answered with it."""

    def __init__(self) -> None:
        self.broken: dict[str, Reply] = {}
        """By the end of the path: what to answer instead."""
        self.words = "Nothing."
        """What the recogniser hears, whatever it is sent."""
        self.asked: dict[str, int] = dict.fromkeys(PARTS, 0)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> Self:
        await self.come()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go()

    async def come(self) -> None:
        """Serves, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=2**24)
        self._port = self._server.sockets[0].getsockname()[1]

    async def go(self) -> None:
        """Refuses everybody, and hangs up on whoever waits."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.hang_up()

    async def hang_up(self) -> None:
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def mend(self) -> None:
        """Answers well from now on; whoever still waits for a wrong answer is hung up on."""
        self.broken.clear()
        await self.hang_up()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            path, body = await read_request(reader)
            part = next((each for each in PARTS if path.endswith(each)), None)
            if part is not None:
                self.asked[part] += 1
            if part is not None and (reply := self.broken.get(part)) is not None:
                await write_reply(reply, reader, writer)
            else:
                writer.write(self._good(part, body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whoever asked has had enough, or the test has
        finally:
            self._connections.discard(task)
            writer.close()

    def _good(self, part: str | None, body: bytes) -> bytes:
        match part:
            case "/chat/completions":
                return http(_chat(json.loads(body)), kind="text/event-stream")
            case "/audio/speech":
                return http(tone(json.loads(body)["input"]), kind="audio/pcm")
            case "/audio/transcriptions":
                return http(json.dumps({"text": self.words}).encode())
            case _:
                return http(b'{"data": []}')


def tone(text: str) -> bytes:
    """Returns a sound as long as the text takes."""
    count = int(RATE * CHARACTER_S * max(6, len(text)))
    return array.array("h", [int(8000 * math.sin(i * 0.06)) for i in range(count)]).tobytes()


def _chat(asked: dict[str, Any]) -> bytes:
    found = _NUMBER.findall(json.dumps(asked["messages"]))
    words = f"Yes, number {found[-1]}." if found else "Yes."
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": asked["model"]}
    delta = {"role": "assistant", "content": words}
    events = [chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}]
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events) + b"data: [DONE]\n\n"
