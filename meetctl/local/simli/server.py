"""The local Simli server: every generation of the protocol on one loopback port. It wires; the rooms beside it do."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from aiohttp import web

from meetctl.errors import StandInError
from meetctl.local.simli.compose import ComposeP2P
from meetctl.local.simli.config import ServerConfig
from meetctl.local.simli.door import Door
from meetctl.local.simli.faults import FaultBox
from meetctl.local.simli.peer import prepare_process
from meetctl.local.simli.stage import Stage
from meetctl.local.simli.tokens import SessionTokens

HOST = "127.0.0.1"

_SHUTDOWN_SECONDS = 2.0
"""For clients that do not read their goodbye."""
_MAX_BODY_BYTES = 1024 * 1024


class SimliServer:
    """Serves while its block runs; leaving it ends every session."""

    def __init__(self, config: ServerConfig) -> None:
        self.url = ""
        self._config = config
        self._stage = Stage(size=config.size, fps=config.fps)
        self._tokens = SessionTokens()
        self._faults = FaultBox(config.faults)
        self._door = Door(config, self._stage, self._tokens, self._faults)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        prepare_process()
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.add_routes(self._door.routes())
        p2p = ComposeP2P(self._config, self._stage, self._tokens, self._faults)
        app.router.add_get("/compose/webrtc/p2p", p2p.handle)
        app.router.add_get("/compose/webrtc/peer_to_peer", p2p.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        listener = _listen(self._config.port)
        await web.SockSite(self._runner, listener).start()
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stage.end_all()
        await self._door.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._stage.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise StandInError(f"port {port} of {HOST} cannot be had: {error.strerror}", hint="--port 0") from None
    listener.setblocking(False)
    return listener
