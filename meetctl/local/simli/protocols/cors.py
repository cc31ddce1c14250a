"""Who may call from a web page: pages served from this machine, no others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
    "Access-Control-Allow-Headers": "content-type, x-simli-api-key",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "600",
}


def is_local(origin: str) -> bool:
    """Tells whether a page of that origin was served from this machine."""
    return urlsplit(origin).hostname in _LOCAL_HOSTS


@web.middleware
async def local_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers preflights, marks responses for local pages, and refuses other pages."""
    origin = request.headers.get("Origin")
    if origin is not None and not is_local(origin):
        return web.Response(status=403, text="only pages served from this machine may use the local Simli server")
    if origin is not None and request.method == "OPTIONS":
        return web.Response(status=204, headers={"Access-Control-Allow-Origin": origin, **_ALLOWED})
    response = await handler(request)
    if origin is not None and not response.prepared:
        response.headers["Access-Control-Allow-Origin"] = origin
    return response
