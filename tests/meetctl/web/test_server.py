"""The join page's server over real sockets: who gets in, who does not, and what is never said."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from meetctl.errors import ConflictError, LiveKitError, StandInError
from meetctl.web import gate
from meetctl.web.coming_in import JOINS_AT_ONCE
from meetctl.web.invites import Invites, Role
from meetctl.web.server import MAX_BODY_BYTES, PageServer
from tests.meetctl.web.conftest import LIVEKIT_URL, Door


async def join(client: aiohttp.ClientSession, invite: str, name: str = "Bob") -> tuple[int, dict[str, object]]:
    async with client.post("/api/join", json={"invite": invite, "name": name}) as response:
        return response.status, await response.json()


async def test_whoever_has_the_guest_invite_gets_connection_details_of_their_own(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    assert await join(client, invites.guest.get_secret_value(), "  Zoë \t K. ") == (
        200,
        {"livekit_url": LIVEKIT_URL, "token": "token-of-bob", "identity": "bob-1", "name": "Zoë K.", "room": "standup"},
    )
    assert door.admitted == [("Zoë K.", Role.GUEST)]


async def test_who_floods_by_one_invite_is_told_when_to_try_again_and_the_host_still_comes_in(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    guest, host = invites.guest.get_secret_value(), invites.host.get_secret_value()
    answers = [await join(client, guest) for _ in range(JOINS_AT_ONCE + 60)]
    refused = [answer for status, answer in answers if status == 429]
    assert len(door.admitted) >= JOINS_AT_ONCE and len(refused) >= 10
    assert refused[0]["code"] == "too_many" and "Try again in 1 second" in str(refused[0]["message"])
    assert (await join(client, host))[0] == 200


async def test_the_host_invite_makes_a_host(client: aiohttp.ClientSession, invites: Invites, door: Door) -> None:
    await join(client, invites.host.get_secret_value())
    assert door.admitted == [("Bob", Role.HOST)]


@pytest.mark.parametrize("invite", ["", "nobody", "ü" * 22, "\ud800"])
async def test_a_wrong_invite_lets_nobody_in(client: aiohttp.ClientSession, door: Door, invite: str) -> None:
    status, answer = await join(client, invite)
    assert (status, answer["code"]) in {(403, "wrong_invite"), (400, "bad_request")}
    assert door.admitted == []


async def test_a_revoked_invite_is_as_wrong_as_any_other(
    client: aiohttp.ClientSession, server: PageServer, invites: Invites, door: Door
) -> None:
    server.revoke()
    for invite in (invites.guest.get_secret_value(), invites.host.get_secret_value(), "nobody"):
        status, answer = await join(client, invite)
        assert (status, answer["code"]) == (403, "wrong_invite")
    assert door.admitted == []


async def test_a_closing_meeting_says_so_only_to_whoever_was_invited(
    client: aiohttp.ClientSession, server: PageServer, invites: Invites, door: Door
) -> None:
    server.close()
    assert (await join(client, invites.guest.get_secret_value()))[0] == 410
    assert (await join(client, "nobody"))[0] == 403
    assert door.admitted == []


@pytest.mark.parametrize("name", ["", "   ", "\u202e", "\n", "x" * 65])
async def test_an_empty_or_overlong_name_is_refused(
    client: aiohttp.ClientSession, invites: Invites, door: Door, name: str
) -> None:
    status, answer = await join(client, invites.guest.get_secret_value(), name)
    assert (status, answer["code"]) == (400, "bad_name")
    assert door.admitted == []


async def test_before_joining_a_person_learns_what_the_meeting_is_but_only_with_an_invite(
    client: aiohttp.ClientSession, invites: Invites
) -> None:
    async with client.post("/api/info", json={"invite": invites.guest.get_secret_value()}) as response:
        assert await response.json() == {
            "room": "standup",
            "role": "guest",
            "topic": "Friday launch",
            "agents": ["Ada", "Max"],
            "transcript": "files",
        }
    async with client.post("/api/info", json={"invite": "nobody"}) as response:
        assert response.status == 403
        assert "Ada" not in await response.text()


@pytest.mark.parametrize(
    ("name", "alike"), [("Macks", "Max"), ("ada", "Ada"), ("Bob", None), ("", None), ("🦊", None), ("x" * 200, None)]
)
async def test_before_joining_a_person_learns_whose_name_theirs_is_taken_for(
    client: aiohttp.ClientSession, invites: Invites, name: str, alike: str | None
) -> None:
    body = {"invite": invites.guest.get_secret_value(), "name": name}
    async with client.post("/api/info", json=body) as response:
        assert (await response.json())["sounds_like"] == alike


async def test_an_oversized_body_is_refused(client: aiohttp.ClientSession, invites: Invites, door: Door) -> None:
    status, answer = await join(client, invites.guest.get_secret_value(), "x" * MAX_BODY_BYTES)
    assert (status, answer["code"]) == (413, "request_entity_too_large")
    assert door.admitted == []


async def test_who_does_not_send_what_they_announced_is_not_waited_for(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BODY_S", 0.05)
    address = urlsplit(server.url)
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = f"POST /api/info HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        assert (await reader.readline()).split()[1] == b"408"
        writer.close()
        await writer.wait_closed()


async def test_a_connection_on_which_nobody_asks_any_more_is_closed(
    static: Path, invites: Invites, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetctl.web.server.KEEP_ALIVE_S", 0.05)
    admit, info = door.admit, door.info
    page = PageServer(room="standup", livekit_url=LIVEKIT_URL, invites=invites, admit=admit, info=info, static=static)
    async with asyncio.timeout(30), page:
        address = urlsplit(page.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(f"GET /favicon.ico HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        assert b"204" in await reader.read()
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"invite": 1, "name": "Bob"}', b"\xff"])
async def test_a_malformed_body_is_refused_without_repeating_it(client: aiohttp.ClientSession, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with client.post("/api/join", data=body, headers=headers) as response:
        assert response.status == 400
        assert await response.json() == {"code": "bad_request", "message": "Bad Request"}


async def test_a_form_of_another_site_cannot_post(client: aiohttp.ClientSession, invites: Invites, door: Door) -> None:
    form = {"invite": invites.guest.get_secret_value(), "name": "Bob"}
    async with client.post("/api/join", data=form) as response:
        assert response.status == 415
    assert door.admitted == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1"])
async def test_a_foreign_origin_is_refused(
    client: aiohttp.ClientSession, invites: Invites, door: Door, origin: str
) -> None:
    body = {"invite": invites.guest.get_secret_value(), "name": "Bob"}
    async with client.post("/api/join", json=body, headers={"Origin": origin}) as response:
        assert (response.status, (await response.json())["code"]) == (403, "foreign_origin")
    assert door.admitted == []


async def test_the_pages_own_origin_is_let_in_under_each_name_of_the_loopback(
    client: aiohttp.ClientSession, server: PageServer, invites: Invites
) -> None:
    body = {"invite": invites.guest.get_secret_value(), "name": "Bob"}
    port = urlsplit(server.url).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        headers = {"Host": host, "Origin": f"http://{host}"}
        async with client.post("/api/join", json=body, headers=headers) as response:
            assert response.status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", ""])
@pytest.mark.parametrize("path", ["/standup", "/healthz", "/assets/index-abc123.js"])
async def test_a_foreign_host_is_refused_everywhere(client: aiohttp.ClientSession, host: str, path: str) -> None:
    async with client.get(path, headers={"Host": host}) as response:
        assert (response.status, (await response.json())["code"]) == (403, "foreign_host")


async def test_every_answer_carries_the_policy(client: aiohttp.ClientSession) -> None:
    for path in ("/", "/standup", "/assets/index-abc123.js", "/nowhere/at/all", "/healthz"):
        async with client.get(path) as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert f"connect-src 'self' {LIVEKIT_URL} http://127.0.0.1:7880" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["X-Frame-Options"] == "DENY"


async def test_assets_are_kept_for_ever_and_the_page_and_tokens_never(
    client: aiohttp.ClientSession, invites: Invites
) -> None:
    async with client.get("/assets/index-abc123.js") as response:
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert response.content_type in {"text/javascript", "application/javascript"}
    async with client.get("/standup") as response:
        assert (response.status, response.headers["Cache-Control"]) == (200, "no-cache")
    async with client.post("/api/join", json={"invite": invites.guest.get_secret_value(), "name": "Bob"}) as response:
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..\\..\\secret.txt",
        "//etc/passwd",
        "/assets//etc/passwd",
        "/assets/",
        "/assets/../index.html",
        "/sources.sha256",
        "/assets/%00",
        "/another-room",
    ],
)
async def test_no_path_leads_out_of_the_page(server: PageServer, path: str) -> None:
    # By hand: a client would tidy the path up before it sends it.
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    assert answer.split(b" ", 2)[1] in {b"404", b"400"}
    assert b"do not read" not in answer
    assert b"root:" not in answer


async def test_the_join_link_leads_to_the_page_and_keeps_its_invite_in_the_fragment(
    client: aiohttp.ClientSession, server: PageServer, invites: Invites
) -> None:
    link = urlsplit(server.join_link())
    assert link.fragment == f"invite={invites.guest.get_secret_value()}"
    assert urlsplit(server.join_link(Role.HOST)).fragment == f"invite={invites.host.get_secret_value()}"
    assert (link.path, link.query) == ("/standup", "")
    async with client.get(link.path) as response:
        assert "<title>Meeting</title>" in await response.text()


@pytest.mark.parametrize("room", ["healthz", "favicon.ico", "a room/of ours?", "ümläut", "api", "assets"])
async def test_the_link_of_a_room_with_any_name_leads_to_the_page(
    static: Path, invites: Invites, door: Door, room: str
) -> None:
    server = PageServer(
        room=room, livekit_url=LIVEKIT_URL, invites=invites, admit=door.admit, info=door.info, static=static
    )
    async with server, aiohttp.ClientSession() as client, client.get(server.join_link()) as response:
        assert "<title>Meeting</title>" in await response.text()


async def test_what_goes_wrong_inside_is_not_told_to_a_guest(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    door.refusal = LiveKitError("ws://10.0.0.7 refused key APIabc", hint="check the key")
    assert await join(client, invites.guest.get_secret_value()) == (
        503,
        {"code": "cannot_admit", "message": "The meeting could not let you in."},
    )


async def test_no_log_ever_holds_an_invite_or_a_token(
    client: aiohttp.ClientSession, invites: Invites, caplog: pytest.LogCaptureFixture
) -> None:
    guest = invites.guest.get_secret_value()
    with caplog.at_level(logging.DEBUG):
        await join(client, guest)
        await join(client, guest + "x")
        for path in (f"/standup?invite={guest}", f"/standup%23invite={guest}", f"/{guest}", f"/assets/{guest}"):
            async with client.get(path):
                pass
    assert caplog.records
    assert guest not in caplog.text
    assert "token-of-bob" not in caplog.text
    assert guest not in repr(invites)


async def test_health_is_answered_without_an_invite(client: aiohttp.ClientSession, server: PageServer) -> None:
    async with client.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    server.close()
    async with client.get("/healthz") as response:
        assert await response.json() == {"status": "closing"}


async def test_a_page_that_is_not_built_is_an_error_that_says_how_to_build_it(
    tmp_path: Path, invites: Invites, door: Door
) -> None:
    server = PageServer(
        room="standup", livekit_url=LIVEKIT_URL, invites=invites, admit=door.admit, info=door.info, static=tmp_path
    )
    with pytest.raises(StandInError) as raised:
        await server.__aenter__()
    assert raised.value.hint == "make page"


async def test_a_taken_port_is_a_conflict_and_leaves_nothing_open(
    server: PageServer, static: Path, invites: Invites, door: Door
) -> None:
    port = urlsplit(server.url).port
    assert port
    second = PageServer(
        room="standup",
        livekit_url=LIVEKIT_URL,
        invites=invites,
        admit=door.admit,
        info=door.info,
        static=static,
        port=port,
    )
    with pytest.raises(ConflictError, match=str(port)):
        await second.__aenter__()


async def test_after_leaving_nothing_listens(static: Path, invites: Invites, door: Door) -> None:
    server = PageServer(
        room="standup", livekit_url=LIVEKIT_URL, invites=invites, admit=door.admit, info=door.info, static=static
    )
    async with server:
        port = urlsplit(server.url).port
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
