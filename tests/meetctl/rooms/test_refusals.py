from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import jwt
import pytest
from aiohttp import web
from livekit import api
from pydantic import SecretStr

from meetctl.errors import ExitCode, LiveKitError
from meetctl.local.ports import free_tcp_port
from meetctl.rooms import Rooms
from meetctl.settings import LiveKitCredentials

SECRET = "never-shown-" * 4


async def failure(credentials: LiveKitCredentials, *, timeout: float = 5.0) -> LiveKitError:
    with pytest.raises(LiveKitError) as caught:
        async with Rooms(credentials, timeout=timeout) as rooms:
            await rooms.exists("standup")
    error = caught.value
    assert SECRET not in f"{error.message} {error.hint}"
    assert "eyJ" not in error.message
    assert error.exit_code == ExitCode.LIVEKIT
    return error


def nowhere(url: str) -> LiveKitCredentials:
    return LiveKitCredentials(url, "APIkey", SecretStr(SECRET))


@asynccontextmanager
async def web_server(answer: web.Response) -> AsyncIterator[str]:
    async def respond(request: web.Request) -> web.Response:
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def test_a_wrong_key_is_named(livekit_server: LiveKitCredentials) -> None:
    error = await failure(replace(livekit_server, api_key="APIwrong"))
    assert error.message == (
        f"looking for room 'standup': {livekit_server.url} refused the credentials: HTTP 401 invalid API key: APIwrong"
    )
    assert error.hint == "the server knows no key 'APIwrong': check LIVEKIT_API_KEY"


async def test_a_wrong_secret_is_told_from_a_wrong_key_and_not_shown(livekit_server: LiveKitCredentials) -> None:
    error = await failure(replace(livekit_server, api_secret=SecretStr(SECRET)))
    assert error.hint == f"the secret does not belong to key {livekit_server.api_key!r}: check LIVEKIT_API_SECRET"


@pytest.mark.parametrize("hours_off", [-7, 1])
async def test_a_clock_that_is_wrong_is_told_from_wrong_credentials(
    livekit_server: LiveKitCredentials, monkeypatch: pytest.MonkeyPatch, hours_off: int
) -> None:
    def minted_by_a_wrong_clock(token: api.AccessToken) -> str:
        payload = token_as_minted(token)
        decoded = jwt.decode(payload, options={"verify_signature": False})
        decoded |= {"nbf": decoded["nbf"] + hours_off * 3600, "exp": decoded["exp"] + hours_off * 3600}
        return jwt.encode(decoded, livekit_server.api_secret.get_secret_value(), algorithm="HS256")

    token_as_minted = api.AccessToken.to_jwt
    monkeypatch.setattr(api.AccessToken, "to_jwt", minted_by_a_wrong_clock)
    error = await failure(livekit_server)
    assert error.hint == "this machine's clock and the server's disagree: compare `date -u` on both"


async def test_a_server_that_is_not_there_is_named_with_its_address() -> None:
    url = f"ws://127.0.0.1:{free_tcp_port()}"
    error = await failure(nowhere(url))
    assert error.message == f"looking for room 'standup': {url}: cannot connect: Connection refused"
    assert error.hint == "start the server, or check host and port in LIVEKIT_URL"


async def test_a_host_that_does_not_exist_is_named() -> None:
    error = await failure(nowhere("wss://no-such-host.invalid"))
    assert error.message == "looking for room 'standup': wss://no-such-host.invalid: no such host"


async def test_tls_towards_a_server_without_it_says_so(livekit_server: LiveKitCredentials) -> None:
    error = await failure(replace(livekit_server, url=livekit_server.url.replace("ws://", "wss://")))
    assert "TLS failed" in error.message
    assert error.hint == "use ws:// for a server without TLS, or mend its certificate"


async def test_a_server_that_says_nothing_runs_out_of_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # the kernel accepts; nobody reads
        error = await failure(nowhere(f"ws://127.0.0.1:{server.getsockname()[1]}"), timeout=0.2)
    assert error.message.endswith("no answer within 0.2 s")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (web.Response(status=404, text="nothing here"), "answered HTTP 404: no LiveKit server there"),
        (web.Response(status=200, text="<html>hello</html>"), "answered, but not as LiveKit does"),
    ],
)
async def test_another_web_server_is_not_taken_for_livekit(answer: web.Response, message: str) -> None:
    async with web_server(answer) as url:
        error = await failure(nowhere(url))
    assert error.message.endswith(message)
    assert error.hint == "check that LIVEKIT_URL is the address of a LiveKit server"


async def test_a_server_in_trouble_is_quoted() -> None:
    body = b'{"code": "unavailable", "msg": "no nodes"}'
    async with web_server(web.Response(status=503, body=body, content_type="application/json")) as url:
        error = await failure(nowhere(url))
    assert error.message.endswith("refused: HTTP 503 unavailable no nodes")


@pytest.mark.parametrize("url", ["", "127.0.0.1:7880", "ftp://host", "ws://"])
async def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    error = await failure(nowhere(url))
    assert error.hint == "write it as wss://HOST or ws://HOST:PORT"
