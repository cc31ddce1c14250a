"""The models behind one port on loopback: loads them side by side, warms them up, routes requests. No more."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from meetctl.catalogue import pair
from meetctl.errors import StandInError
from meetctl.local.data import Located, models_dir
from meetctl.local.models import chat, speech, transcription
from meetctl.local.models.failures import ApiError, openai_errors
from meetctl.local.models.giving_way import CHAT, EARS, giving_way
from meetctl.local.models.llama import Llama
from meetctl.local.models.recognition import Recognizer
from meetctl.local.models.shelf import Shelf
from meetctl.local.models.synthesis import Synthesizer
from meetctl.protocol.steps import STEPS

HOST = "127.0.0.1"

_CLOSING = 1.0
"""Seconds that requests get to end when the server stops; the meeting is over, nobody listens."""
USUAL = next(model for model in pair() if model.part == "llm")
"""Whose sampling a model gets of which nothing is known."""
_CREATED = 1_730_419_200
"""The models' publication, for clients that sort by it."""


class Models:
    """What the server serves. The voice is one; of ears and chats there may be several, each loaded when it is needed.

    Args:
        slots: conversations at a time that each chat has room for.
    """

    def __init__(self, *, slots: int) -> None:
        self._slots = slots
        self._threads = min(2, os.cpu_count() or 1)
        self._speech: speech.SpeechService | None = None
        self.chats: Shelf[chat.ChatService] = Shelf("llm", self._ready_chat)
        self.ears: Shelf[transcription.Transcription] = Shelf("stt", self._ready_ears)

    @property
    def speech(self) -> speech.SpeechService:
        assert self._speech is not None
        return self._speech

    async def load(self, wanted: Sequence[Located]) -> Models:
        """Returns itself once the voice and these are loaded, in parallel, and warm.

        Raises:
            StandInError: if one of them cannot be loaded.
        """
        await asyncio.gather(
            self._ready_speech(),
            *(self.chats.put(each) for each in wanted if each.part == "llm"),
            *(self.ears.put(each) for each in wanted if each.part == "stt"),
        )
        return self

    def statistics(self) -> dict[str, dict[str, int]]:
        """Returns how many requests run and wait, of each part."""
        slots = {
            "speech": [self.speech.slots],
            "transcription": [each.slots for each in self.ears.loaded.values()],
            "chat": [each.slots for each in self.chats.loaded.values()],
        }
        return {
            name: {key: sum(each.statistics()[key] for each in several) for key in ("running", "waiting")}
            for name, several in slots.items()
        }

    async def _ready_speech(self) -> None:
        with STEPS.step("load the voice"), _failing_as("the voice", "pip install --force-reinstall hibari-tts==0.2.1"):
            part = speech.SpeechService(await asyncio.to_thread(Synthesizer))
            await part.warm_up()
        self._speech = part

    async def _ready_ears(self, located: Located) -> transcription.Transcription:
        with STEPS.step("load the recogniser"), _failing_as(str(located.path), _mending(located)):
            recognizer = await giving_way(EARS, lambda: Recognizer(located.path, threads=self._threads))
            part = transcription.Transcription(recognizer, _name_of(located))
            await part.warm_up()
        return part

    async def _ready_chat(self, located: Located) -> chat.ChatService:
        with STEPS.step("load the language model"), _failing_as(str(located.path), _mending(located)):
            llama = await giving_way(CHAT, lambda: Llama(located.path, slots=self._slots, threads=self._threads))
            # Of a file of somebody's own nobody knows; its template may leave tools out.
            tools = located.model is None or located.model.tools
            part = chat.ChatService(llama, _name_of(located), (located.model or USUAL).sampling, tools=tools)
            await part.warm_up()
        return part


def _name_of(located: Located) -> str:
    """Returns what really serves: an answer says by whom it was made."""
    return located.model.name if located.model is not None else located.name


def _mending(located: Located) -> str:
    if located.model is None:
        return "name another file, or write local"
    return f"rm -r {models_dir() / located.model.directory} && meetctl setup {located.model.name}"


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

    async def speak(request: web.Request) -> web.StreamResponse:
        return await (await asyncio.shield(loading)).speech.handle(request)

    async def transcribe(request: web.Request) -> web.StreamResponse:
        return await transcription.handle(request, (await asyncio.shield(loading)).ears.get)

    async def converse(request: web.Request) -> web.StreamResponse:
        return await chat.handle(request, (await asyncio.shield(loading)).chats.get)

    async def healthz(_: web.Request) -> web.Response:
        if not loading.done():
            return web.json_response({"status": "loading"})
        return web.json_response({"status": "ok", **loading.result().statistics()})

    async def names() -> list[str]:
        models = await asyncio.shield(loading)
        return [speech.MODEL, *models.ears.loaded, *models.chats.loaded]

    async def list_models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [_described(name) for name in await names()]})

    async def one_model(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in await names():
            raise ApiError(f"no model {name!r} here", status=404, param="model", code="model_not_found")
        return web.json_response(_described(name))

    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/v1/models", list_models),
            web.get("/v1/models/{name}", one_model),
            web.post("/v1/audio/speech", speak),
            web.post("/v1/audio/transcriptions", transcribe),
            web.post("/v1/chat/completions", converse),
        ]
    )
    return app


@contextmanager
def _failing_as(what: str, hint: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # xllamacpp and CTranslate2 say little; what they wrote of it stands in the log above.
        raise StandInError(f"{what} could not be loaded: {error}", hint=hint) from error


def _described(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "meetctl"}
