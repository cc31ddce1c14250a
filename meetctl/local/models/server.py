"""The three models behind one port on loopback: loads them side by side, warms them up, routes requests. No more."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from meetctl.errors import StandInError
from meetctl.local.models import chat, speech, transcription
from meetctl.local.models.failures import ApiError, openai_errors
from meetctl.local.models.llama import Llama
from meetctl.local.models.recognition import Recognizer
from meetctl.local.models.synthesis import Synthesizer

HOST = "127.0.0.1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CLOSING = 1.0
"""Seconds that requests get to end when the server stops; the meeting is over, nobody listens."""
_CREATED = 1_730_419_200
"""The models' publication, for clients that sort by it."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where the model data lies."""

    whisper: Path
    chat: Path

    def check(self) -> None:
        """Refuses to start without them.

        Raises:
            StandInError: naming every file that is not there.
        """
        needed = [self.whisper / "model.bin", self.whisper / "tokenizer.json", self.chat]
        missing = [str(path) for path in needed if not path.is_file()]
        if missing:
            raise StandInError(f"model data not found: {', '.join(missing)}", hint="meetctl setup")


@dataclass(frozen=True, slots=True)
class Models:
    """What the server serves."""

    speech: speech.Speech
    transcription: transcription.Transcription
    chat: chat.Chat


async def load_models(files: ModelFiles, *, slots: int) -> Models:
    """Returns all three, loaded in parallel and warm.

    Raises:
        StandInError: if one of them cannot be loaded.
    """
    threads = min(2, os.cpu_count() or 1)

    async def ready_speech() -> speech.Speech:
        with _failing_as("the voice", "pip install --force-reinstall hibari-tts==0.2.1"):
            part = speech.Speech(await asyncio.to_thread(Synthesizer))
            await part.warm_up()
        return part

    async def ready_transcription() -> transcription.Transcription:
        with _failing_as(str(files.whisper), f"rm -r {files.whisper} && meetctl setup"):
            part = transcription.Transcription(await asyncio.to_thread(Recognizer, files.whisper, threads=threads))
            await part.warm_up()
        return part

    async def ready_chat() -> chat.Chat:
        with _failing_as(str(files.chat), f"rm {files.chat} && meetctl setup"):
            part = chat.Chat(await asyncio.to_thread(Llama, files.chat, slots=slots, threads=threads))
            await part.warm_up()
        return part

    return Models(*await asyncio.gather(ready_speech(), ready_transcription(), ready_chat()))


def bound_socket(port: int) -> socket.socket:
    """Returns a socket bound to that port of loopback, 0 for any free one.

    Raises:
        StandInError: if the port is taken.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise StandInError(f"port {port} of {HOST}: {os.strerror(error.errno or 0)}", hint="--port 0") from error
    return bound


@asynccontextmanager
async def served(loading: asyncio.Future[Models], bound: socket.socket) -> AsyncIterator[str]:
    """Serves while entered; yields the url, without `/v1`. What is asked while the models load waits for them."""
    runner = web.AppRunner(
        application(loading),
        handler_cancellation=True,  # a client that left must not keep a model busy
        access_log=None,
        shutdown_timeout=_CLOSING,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        yield f"http://{HOST}:{bound.getsockname()[1]}"
    finally:
        await runner.cleanup()


def application(loading: asyncio.Future[Models]) -> web.Application:
    """Returns the routes."""
    app = web.Application(middlewares=[openai_errors], client_max_size=transcription.LARGEST_BYTES)

    def handled_by(part: Callable[[Models], Handler]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await part(await asyncio.shield(loading))(request)

        return handle

    async def healthz(_: web.Request) -> web.Response:
        if not loading.done():
            return web.json_response({"status": "loading"})
        models = loading.result()
        parts = {name: getattr(models, name).places.statistics() for name in ("speech", "transcription", "chat")}
        return web.json_response({"status": "ok", **parts})

    async def list_models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [_described(name) for name in _NAMES]})

    async def one_model(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _NAMES:
            raise ApiError(f"no model {name!r} here", status=404, param="model", code="model_not_found")
        return web.json_response(_described(name))

    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/v1/models", list_models),
            web.get("/v1/models/{name}", one_model),
            web.post("/v1/audio/speech", handled_by(lambda models: models.speech.handle)),
            web.post("/v1/audio/transcriptions", handled_by(lambda models: models.transcription.handle)),
            web.post("/v1/chat/completions", handled_by(lambda models: models.chat.handle)),
        ]
    )
    return app


@contextmanager
def _failing_as(what: str, hint: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise StandInError(f"{what} could not be loaded: {error}", hint=hint) from error


_NAMES = (speech.MODEL, transcription.MODEL, chat.MODEL)


def _described(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "meetctl"}
