"""Whether what a proxy in front serves arrives here whole. Asks the public address and answers itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from meetctl.doctor.findings import Finding, failure, ok, warning
from meetctl.local.ports import LOOPBACK
from meetctl.reach.echo import ECHO_PATH, echo
from meetctl.reach.opening import Reach

CHECK = "reach"
ANSWER_S = 10.0
ECHO_S = 6.0
"""As long as the page waits."""
SEE = "docs/reach.md has what Caddy and nginx need"


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of asking the public address."""

    error: str | None = None
    """Why nobody answered."""
    status: int = 0
    is_ours: bool = False
    """Whether the answer came from here."""
    host: str = ""
    """The `Host` that arrived."""
    names_visitor: bool = False
    """Whether the proxy said who asks."""
    echoes: bool = False


async def ask_through(reach: Reach) -> Passed:
    """Serves at the door for a moment, and asks for that at the public address."""
    nonce = secrets.token_urlsafe(16)
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith(ECHO_PATH):
            return await echo(request)
        seen.append(request)
        return web.Response(text=nonce)

    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, reach.listening).start()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session:
            async with session.get(f"{reach.url}/healthz", allow_redirects=False) as response:
                status, is_ours = response.status, nonce in await response.text(errors="replace")
            if not is_ours or not seen:
                return Passed(status=status)
            names = bool(seen[-1].headers.get("X-Forwarded-For"))
            return Passed(None, status, True, seen[-1].host, names, await _echoes(session, reach.url))
    except TimeoutError:
        return Passed(f"no answer within {ANSWER_S:.0f} s")
    except aiohttp.ClientError as error:
        return Passed(str(error) or type(error).__name__)
    finally:
        await runner.cleanup()


async def _echoes(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with asyncio.timeout(ECHO_S), session.ws_connect(f"{url}{ECHO_PATH}") as socket:
            await socket.send_str("?")
            return bool(await socket.receive_str() == "?")
    except (TimeoutError, TypeError, aiohttp.ClientError):
        return False


def judge_proxy(reach: Reach, passed: Passed) -> Iterator[Finding]:
    """Yields what is wrong between the public address and this machine, or that it is well."""
    url, here = f"{reach.url}/", f"http://{LOOPBACK}:{reach.port}"
    if passed.error is not None:
        hint = "let the name lead to the proxy, and have that serve it with a certificate that is trusted here"
        yield failure(CHECK, f"{url} cannot be asked from here: {passed.error}", hint)
        return
    if not passed.is_ours:
        yield failure(CHECK, f"{url} answers {passed.status}, and not from here", f"pass it on to {here}; {SEE}")
        return
    faults = False
    if reach.public_url is not None and passed.host != reach.public_url.host:
        faults = True
        message = f"the proxy passes on Host: {passed.host}, not {reach.public_url.host}"
        yield failure(CHECK, message, "nginx: proxy_set_header Host $http_host;")
    if not passed.echoes:
        faults = True
        message = "the proxy lets no WebSocket through, or holds back what passes there: nobody could join"
        hint = 'nginx: proxy_http_version 1.1, and proxy_set_header for Upgrade and Connection ("upgrade")'
        yield failure(CHECK, message, hint)
    if not passed.names_visitor:
        message = "the proxy does not say who asks: wrong links of one visitor make all others wait"
        yield warning(CHECK, message, "nginx: proxy_set_header X-Forwarded-For $remote_addr;")
    if not faults:
        yield ok(CHECK, f"{url} arrives here, at {here}")
