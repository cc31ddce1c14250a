"""The HTTP side: session tokens, ICE servers, usage. What a client may ask before it has a session."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from meetctl.local.simli.config import ServerConfig, parse_faults
from meetctl.local.simli.faults import FaultBox, token_failure, unprocessable
from meetctl.local.simli.sessions.stage import Stage
from meetctl.local.simli.sessions.tokens import SessionRequest, SessionTokens

KEY_HEADER = "x-simli-api-key"


class TokenRoutes:
    """Who may come in, and with what."""

    def __init__(
        self,
        config: ServerConfig,
        stage: Stage,
        tokens: SessionTokens,
        faults: FaultBox,
        *,
        ice_servers: list[dict[str, Any]],
    ) -> None:
        self._ice_servers = ice_servers
        self._config = config
        self._stage = stage
        self._tokens = tokens
        self._faults = faults
        self._preparing: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Returns the endpoints."""
        routes = [
            web.post("/compose/token", self._token),
            web.post("/startAudioToVideoSession", self._legacy_token),
            web.get("/compose/ice", self._ice),
            web.post("/getIceServers", self._ice),
            web.post("/getIceServer", self._ice),
            web.get("/ratelimiter/sessions", self._usage),
            web.get("/history/sessions", self._history),
        ]
        if self._config.injectable:
            routes += [web.put("/local/faults", self._set_faults), web.get("/local/faults", self._get_faults)]
        return routes

    def prepare(self, face_id: str) -> None:
        """Begins to draw a face before its session needs it."""
        task = asyncio.create_task(self._stage.prepare(face_id))
        self._preparing.add(task)
        task.add_done_callback(self._preparing.discard)

    async def close(self) -> None:
        """Stops drawing faces that nobody came for."""
        for task in self._preparing:
            task.cancel()
        await asyncio.gather(*self._preparing, return_exceptions=True)

    async def _token(self, request: web.Request) -> web.Response:
        return await self._issue(request, legacy=False)

    async def _legacy_token(self, request: web.Request) -> web.Response:
        return await self._issue(request, legacy=True)

    async def _issue(self, request: web.Request, *, legacy: bool) -> web.Response:
        faults = self._faults.for_token()
        if faults.token_status is not None:
            status, failure = token_failure(faults)
            return answer(failure, status=status)
        try:
            wanted = SessionRequest.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "body"
            return answer(unprocessable(field, first["msg"], first["type"]), status=422)
        key = request.headers.get(KEY_HEADER) or wanted.api_key
        if legacy and wanted.api_key is None:
            return answer(unprocessable("apiKey", "Field required", "missing"), status=422)
        if not self._accepts(key):
            return _refused("INVALID_API_KEY")
        if self._config.faces is not None and wanted.face not in self._config.faces:
            return _refused("INVALID_FACE_ID")
        self.prepare(wanted.face_id)
        return answer({"session_token": self._tokens.issue(wanted)})

    async def _ice(self, request: web.Request) -> web.Response:
        return answer(self._ice_servers)

    async def _usage(self, request: web.Request) -> web.Response:
        return answer({"currentUsage": self._stage.usage})

    async def _history(self, request: web.Request) -> web.Response:
        return answer({"sessions": self._stage.history()})

    async def _get_faults(self, request: web.Request) -> web.Response:
        return answer(self._faults.faults.model_dump())

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            self._faults.set(parse_faults(await request.text()))
        except ValueError as error:
            return answer({"detail": str(error)}, status=422)
        return await self._get_faults(request)

    def _accepts(self, key: str | None) -> bool:
        return bool(key) if self._config.keys is None else key in self._config.keys


def answer(body: object, *, status: int = 200) -> web.Response:
    """Returns JSON without spaces, as the real server's messages have it."""
    return web.Response(text=compact(body), status=status, content_type="application/json")


def compact(body: object) -> str:
    """Returns JSON without spaces: the JavaScript client sorts messages by their first word."""
    return json.dumps(body, separators=(",", ":"))


def _refused(code: str) -> web.Response:
    return answer({"session_token": "FAIL TOKEN", "detail": code}, status=400)
