"""The local Simli server: every generation of the protocol on one loopback port. It wires; the rooms beside it do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import web

from meetctl.errors import StandInError
from meetctl.local.simli.config import ServerConfig
from meetctl.local.simli.faults import FaultBox
from meetctl.local.simli.media.peer import prepare_process
from meetctl.local.simli.media.price import picture_ms
from meetctl.local.simli.protocols.compose import ComposeP2P, SocketHandler
from meetctl.local.simli.protocols.cors import local_pages
from meetctl.local.simli.protocols.legacy import LegacyHandler
from meetctl.local.simli.protocols.roommode import ComposeLiveKit
from meetctl.local.simli.protocols.socket2 import SecondGeneration
from meetctl.local.simli.protocols.stun import StunResponder
from meetctl.local.simli.protocols.token_routes import TokenRoutes
from meetctl.local.simli.protocols.worker import WorkerHandler
from meetctl.local.simli.sessions.giving_way import Manner
from meetctl.local.simli.sessions.stage import Stage
from meetctl.local.simli.sessions.tokens import SessionTokens

HOST = "127.0.0.1"

_LEGACY_PATHS = ("/StartWebRTCSession", "/startWebRTCSession")
_SHUTDOWN_SECONDS = 1.0
"""For clients that do not read their goodbye."""
_MAX_BODY_BYTES = 1024 * 1024


class SimliServer:
    """Serves while its block runs; leaving it ends every session.

    Args:
        tell: told how faces are drawn whenever that changes; None = they are drawn as well as ever, whatever the load.
    """

    def __init__(self, config: ServerConfig, tell: Callable[[Manner], None] | None = None) -> None:
        self.url = ""
        self._config = config
        self._tell = tell
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        prepare_process()
        config, faults, tokens = self._config, FaultBox(self._config.faults), SessionTokens()
        async with contextlib.AsyncExitStack() as opening:
            stage = Stage(size=config.size, fps=config.fps)
            opening.callback(stage.close)
            stun = await opening.enter_async_context(StunResponder())
            token_routes = TokenRoutes(config, stage, tokens, faults, ice_servers=[{"urls": stun.url}])
            legacy = LegacyHandler(config, stage, tokens, faults)
            workers = WorkerHandler(stage, tokens, faults)
            app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[local_pages])
            app.add_routes(token_routes.routes())
            app.add_routes(_session_routes(SocketHandler(config, stage, tokens, faults), legacy, workers))
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
            await runner.setup()
            opening.push_async_callback(runner.cleanup)
            for room in (token_routes, legacy, workers):
                opening.push_async_callback(room.close)
            opening.callback(stage.end_all)
            listener = _listen(config.port)
            await web.SockSite(runner, listener).start()
            if self._tell is not None:
                giving_way = asyncio.create_task(stage.give_way(self._tell), name="give-way")
                opening.push_async_callback(_ended, giving_way)
            self.url = f"http://{HOST}:{listener.getsockname()[1]}"
            for face_id in config.prepared:
                token_routes.prepare(face_id)
            self._open = opening.pop_all()
        return self

    async def picture_ms(self) -> float:
        """Measures what one picture costs here, milliseconds of a core, beside everything else."""
        face_id = self._config.prepared[0] if self._config.prepared else ""
        work = partial(picture_ms, face_id, self._config.size)
        return await asyncio.get_running_loop().run_in_executor(None, work)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _session_routes(socket_handler: SocketHandler, legacy: LegacyHandler, workers: WorkerHandler) -> list[web.RouteDef]:
    shared = (socket_handler.config, socket_handler.stage, socket_handler.tokens, socket_handler.faults)
    p2p, second, livekit = ComposeP2P(*shared), SecondGeneration(*shared), ComposeLiveKit(*shared)
    return [
        web.get("/compose/webrtc/p2p", p2p.handle),
        web.get("/compose/webrtc/peer_to_peer", p2p.handle),
        web.get("/compose/webrtc/livekit", livekit.handle),
        web.post("/integrations/livekit/agents", workers.handle),
        web.post("/StartLivekitAgentsSession", workers.handle),
        web.get("/StartWebRTCSessionLivekit", livekit.handle_second_generation),
        *(web.post(path, legacy.handle) for path in _LEGACY_PATHS),
        *(web.get(path, second.handle) for path in _LEGACY_PATHS),
    ]


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise StandInError(f"port {port} of {HOST} is not free: {error.strerror}", hint="--port 0") from None
    listener.setblocking(False)
    return listener
