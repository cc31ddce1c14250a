"""What the doctor finds of a proxy in front, by real ones, and what it says of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from meetctl.doctor import proxy
from meetctl.doctor.findings import Level
from meetctl.doctor.proxy import Passed, ask_through, judge_proxy
from meetctl.local.ports import LOOPBACK, free_tcp_port
from meetctl.reach import opening
from meetctl.reach.opening import Reach, open_reach
from meetctl.roster import PublicUrl, ReachChoice
from tests.meetctl.reach.conftest import HERE

WELL = Passed(status=200, is_ours=True, host="meet.example.org", names_visitor=True, echoes=True)


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    public = PublicUrl("meet.example.org", "/team")
    with open_reach(ReachChoice(host="auto", port=free_tcp_port(), public_url=public), tmp_path) as reach:
        assert reach is not None
        yield reach


Change = Callable[[bytes], bytes]
"""What a proxy makes of a line of a request's head; empty = it is left out."""


@asynccontextmanager
async def proxy_before(reach: Reach, monkeypatch: pytest.MonkeyPatch, change: Change) -> AsyncIterator[int]:
    """Yields the port of a proxy, in the clear, that serves the public address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *head = (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n").split(b"\r\n")
        kept = [line for line in map(change, head) if line]
        if not any(line.lower().startswith(b"upgrade:") for line in kept):
            kept = [*(line for line in kept if not line.lower().startswith(b"connection:")), b"Connection: close"]
        answers, asks = await asyncio.open_connection(LOOPBACK, reach.port)
        asks.write(b"\r\n".join([first, *kept, b"", b""]))
        there = asyncio.ensure_future(pass_on(reader, asks))
        await pass_on(answers, writer)
        there.cancel()
        asks.close()

    async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                sink.write(data)
            sink.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(Reach, "url", property(lambda self: f"http://{LOOPBACK}:{port}/team"))
    yield port
    server.close()


def changes(named: bytes, into: bytes = b"") -> Change:
    return lambda line: into if line.lower().startswith(named + b":") else line


def names_visitor(line: bytes) -> bytes:
    return line + b"\r\nX-Forwarded-For: 192.0.2.9" if line.lower().startswith(b"host:") else line


async def test_what_arrives_through_a_proxy_is_seen_header_by_header(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "ECHO_S", 5.0)
    async with proxy_before(reach, monkeypatch, names_visitor) as port:
        whole = Passed(None, 200, True, f"{LOOPBACK}:{port}", names_visitor=True, echoes=True)
        assert await ask_through(reach) == whole


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        (lambda line: line, {"names_visitor": False}),
        (
            lambda line: changes(b"host", b"Host: inner.example")(names_visitor(line)),
            {"host": "inner.example", "names_visitor": False},
        ),
        (lambda line: changes(b"upgrade")(names_visitor(line)), {"echoes": False}),
    ],
    ids=["who-asks", "host", "upgrade"],
)
async def test_what_a_proxy_takes_away_is_missed(
    reach: Reach, monkeypatch: pytest.MonkeyPatch, change: Change, lacking: dict[str, object]
) -> None:
    async with proxy_before(reach, monkeypatch, change) as port:
        whole = Passed(None, 200, True, f"{LOOPBACK}:{port}", names_visitor=True, echoes=True)
        assert await ask_through(reach) == replace(whole, **lacking)  # type: ignore[arg-type]


async def test_where_another_program_answers_or_nobody_that_is_known(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def other(request: web.Request) -> web.Response:
        return web.Response(status=503, text="no upstream")

    app = web.Application()
    app.router.add_get("/team/healthz", other)
    async with TestServer(app) as server:
        monkeypatch.setattr(Reach, "url", property(lambda self: str(server.make_url("/team"))))
        assert await ask_through(reach) == Passed(status=503)


async def test_where_nobody_answers_the_reason_is_known(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_tcp_port()
    monkeypatch.setattr(Reach, "url", property(lambda self: f"http://{LOOPBACK}:{port}/team"))
    passed = await ask_through(reach)
    assert not passed.is_ours and f"{LOOPBACK}:{port}" in str(passed.error)


def test_one_that_passes_everything_on_is_good(reach: Reach) -> None:
    (finding,) = judge_proxy(reach, WELL)
    assert (finding.level, "https://meet.example.org/team/ arrives here" in finding.message) == (Level.OK, True)


@pytest.mark.parametrize(
    ("passed", "level", "told", "hint"),
    [
        (Passed("Name or service not known"), Level.FAILURE, "cannot be asked from here: Name or", "let the name lead"),
        (Passed(status=502), Level.FAILURE, "answers 502, and not from here", "pass it on to http://127.0.0.1:"),
        (
            replace(WELL, host="127.0.0.1:7444"),
            Level.FAILURE,
            "passes on Host: 127.0.0.1:7444, not meet.example.org",
            "proxy_set_header Host $http_host",
        ),
        (replace(WELL, echoes=False), Level.FAILURE, "lets no WebSocket through", "proxy_http_version 1.1"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    reach: Reach, passed: Passed, level: Level, told: str, hint: str
) -> None:
    (finding,) = judge_proxy(reach, passed)
    assert finding.level is level
    assert told in finding.message and hint in str(finding.hint)


def test_one_that_does_not_say_who_asks_is_warned_of(reach: Reach) -> None:
    warning, well = judge_proxy(reach, replace(WELL, names_visitor=False))
    assert (warning.level, well.level) == (Level.WARNING, Level.OK)
    assert "does not say who asks" in warning.message and "X-Forwarded-For" in str(warning.hint)
