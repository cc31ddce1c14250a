"""Why a LiveKit server did not do as it was asked, in words that say what to do about it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meetctl.errors import LiveKitError
from meetctl.rooms.http import session_for
from meetctl.rooms.tokens import api_token
from meetctl.settings import LiveKitCredentials

if TYPE_CHECKING:
    from livekit import api

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
"""The server repeats the whole token when it refuses one."""

CHECK_SERVER = "check that LIVEKIT_URL is the address of a LiveKit server"


@asynccontextmanager
async def translated(doing: str, credentials: LiveKitCredentials, timeout: float) -> AsyncIterator[None]:
    """Turns whatever livekit-api raises inside into a LiveKitError that begins with what was being done."""
    import aiohttp
    from google.protobuf.message import DecodeError
    from livekit import api

    try:
        async with asyncio.timeout(timeout):  # livekit-api asks aiohttp for no timeout, whatever its session was given
            yield
    except api.ServerError as error:
        message, hint = await _refused(credentials, error, timeout)
        raise LiveKitError(f"{doing}: {credentials.url} {message}", hint=hint) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        message, hint = _unreachable(error, timeout)
        raise LiveKitError(f"{doing}: {credentials.url}: {message}", hint=hint) from error
    except DecodeError as error:
        raise LiveKitError(
            f"{doing}: {credentials.url} answered, but not as LiveKit does", hint=CHECK_SERVER
        ) from error


async def _refused(credentials: LiveKitCredentials, error: api.ServerError, timeout: float) -> tuple[str, str | None]:
    if error.status == 401:
        words = await _words_of_401(credentials, timeout)
        return f"refused the credentials: HTTP 401 {words}".rstrip(), _hint_for_401(words, credentials.api_key)
    if error.status in (404, 405) and error.code in ("unknown", "bad_route"):
        return f"answered HTTP {error.status}: no LiveKit server there", CHECK_SERVER
    code = "" if error.code == "unknown" else f" {error.code}"
    return f"refused: HTTP {error.status}{code} {error.message}".rstrip(), None


async def _words_of_401(credentials: LiveKitCredentials, timeout: float) -> str:
    """Asks again to hear why: the reason comes as plain text, which livekit-api throws away."""
    import aiohttp

    base = urlsplit(credentials.url)
    url = base._replace(scheme=base.scheme.replace("ws", "http")).geturl().rstrip("/")
    headers = {"Authorization": f"Bearer {api_token(credentials).get_secret_value()}"}
    try:
        async with (
            session_for(credentials.url, timeout) as session,
            session.post(f"{url}/twirp/livekit.RoomService/ListRooms", json={}, headers=headers) as response,
        ):
            text = await response.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError):
        return ""
    return JWT.sub("…", text).strip()[:200]


def _hint_for_401(words: str, api_key: str) -> str:
    if "not valid yet" in words or "expired" in words:
        return "this machine's clock and the server's disagree: compare `date -u` on both"
    if "API key" in words:
        return f"the server knows no key {api_key!r}: check LIVEKIT_API_KEY"
    if "signature" in words or "verification" in words:
        return f"the secret does not belong to key {api_key!r}: check LIVEKIT_API_SECRET"
    return "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET"


def _unreachable(error: BaseException, timeout: float) -> tuple[str, str]:
    import aiohttp

    match error:
        case TimeoutError():
            return f"no answer within {timeout:g} s", "check that the server runs and no firewall is in between"
        case aiohttp.ClientConnectorDNSError():
            return "no such host", "check the host name in LIVEKIT_URL, and this machine's network"
        case aiohttp.ClientSSLError():
            return f"TLS failed: {error.os_error}", "use ws:// for a server without TLS, or mend its certificate"
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return (
                f"cannot connect: {os.strerror(number) if number else error.os_error}",
                "start the server, or check host and port in LIVEKIT_URL",
            )
        case _:
            return str(error) or type(error).__name__, CHECK_SERVER
