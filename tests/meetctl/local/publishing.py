"""A web server on loopback that publishes files, and misbehaves where asked to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from meetctl.local.ports import free_tcp_port

CUT = "cut/"
"""A path below this promises the whole file, sends half of it and drops the connection; text files arrive."""


@asynccontextmanager
async def published(files: Mapping[str, bytes]) -> AsyncIterator[str]:
    """Yields the base URL; paths that are not in `files` answer 404."""

    async def respond(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path not in files:
            raise web.HTTPNotFound
        if not path.startswith(CUT) or path.endswith(".txt"):
            return web.Response(body=files[path])
        response = web.StreamResponse(headers={"Content-Length": str(len(files[path]))})
        await response.prepare(request)
        await response.write(files[path][: len(files[path]) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
