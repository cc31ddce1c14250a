"""The way to the LiveKit server's signaling: what passes, what does not, and who is kept out. The server is real."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from aiortc import RTCPeerConnection
from livekit import rtc
from livekit.protocol import models
from livekit.protocol import rtc as signals
from yarl import URL

from meetctl.reach.signaling import PATHS, SignalingProxy, identity_of, room_of, turn_for, with_turn_at
from meetctl.rooms import Rooms
from meetctl.rooms.tokens import api_token
from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken

TURN = "turns:meet.example:7443?transport=tcp"
OTHERS = [
    "/",
    "/twirp/livekit.RoomService/ListRooms",
    "//twirp/livekit.RoomService/ListRooms",
    "/rtc/../twirp/livekit.RoomService/ListRooms",
    "/rtc/v1/../../twirp/livekit.RoomService/ListRooms",
    "/rtc/%2e%2e/twirp/livekit.RoomService/ListRooms",
    "/agent",
    "/whip/v1",
    "/whip/v1/session",
    "/debug/goroutine",
    "/debug/pprof/",
    "/metrics",
    "/rtc/v2",
    "/rtc/",
    "/RTC",
]
"""What livekit-server answers to besides, and ways to write it otherwise."""
METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]


def token_of(claims: object) -> str:
    """Returns a token that nobody signed."""
    return f"x.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.y"


class Door:
    """Who is kept out."""

    def __init__(self) -> None:
        self.kept_out: set[str] = set()


@pytest.fixture
def door() -> Door:
    return Door()


MakeClient = Callable[[str], Any]


@pytest.fixture
async def make_client(door: Door) -> AsyncIterator[MakeClient]:
    """Yields what puts the four paths before a server, as the page's server does."""
    clients: list[tuple[SignalingProxy, TestClient[web.Request, web.Application]]] = []

    async def make(livekit_url: str) -> tuple[SignalingProxy, TestClient[web.Request, web.Application]]:
        signaling = await SignalingProxy(livekit_url, keeps_out=door.kept_out.__contains__).__aenter__()
        app = web.Application()
        app.add_routes([web.get(path, signaling.handle, allow_head=False) for path in PATHS])
        client = TestClient(TestServer(app))
        clients.append((signaling, client))
        await client.start_server()
        return signaling, client

    yield make
    for signaling, client in clients:
        await client.close()
        await signaling.__aexit__(None, None, None)


def test_a_token_says_whose_it_is_and_nonsense_says_nobody() -> None:
    assert identity_of(token_of({"sub": "bob-1"})) == "bob-1"
    wrong_claims: list[object] = [[], {}, {"sub": 1}, {"sub": ""}]
    nobody = [token_of(claims) for claims in wrong_claims]
    for wrong in (None, "", "x", "x.y", "x.!.z", "x.ü.y", *nobody):
        assert identity_of(wrong) is None


def test_a_join_answer_names_turn_where_the_visitor_came_from() -> None:
    join = signals.JoinResponse(
        ice_servers=[signals.ICEServer(urls=["turns:192.0.2.7:443?transport=tcp"], username="u", credential="c")]
    )
    again = signals.ReconnectResponse(ice_servers=join.ice_servers)
    for which, said in (
        ("join", signals.SignalResponse(join=join)),
        ("reconnect", signals.SignalResponse(reconnect=again)),
    ):
        rewritten = signals.SignalResponse.FromString(with_turn_at(said.SerializeToString(), TURN))
        (server,) = getattr(rewritten, which).ice_servers
        assert (list(server.urls), server.username, server.credential) == ([TURN], "u", "c")


@pytest.mark.parametrize(
    ("host", "turn"),
    [
        ("meet.example", "turns:meet.example:443?transport=tcp"),
        ("meet.example:7443", TURN),
        ("192.0.2.7", "turns:192.0.2.7:443?transport=tcp"),
        ("[2001:db8::7]", "turns:[2001:db8::7]:443?transport=tcp"),
        ("[2001:db8::7]:7443", "turns:[2001:db8::7]:7443?transport=tcp"),
    ],
)
def test_turn_is_told_of_with_the_port_that_was_asked_for_also_where_it_is_the_usual_one(host: str, turn: str) -> None:
    request = make_mocked_request("GET", "/rtc/v1", headers={"Host": host})
    assert turn_for(request.clone(scheme="https")) == turn
    assert turn_for(request) is None


async def test_turn_is_told_of_to_people_of_the_meeting_s_room_alone() -> None:
    # A relay reaches every UDP port of this machine: a visitor who only tests their connection gets none.
    servers = [signals.ICEServer(urls=["turns:192.0.2.7:443?transport=tcp"], username="u", credential="c")]
    join = signals.SignalResponse(join=signals.JoinResponse(ice_servers=servers)).SerializeToString()

    async def greet(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_bytes(join)
        await socket.receive()
        return socket

    app, door = web.Application(), web.Application()
    app.router.add_get("/rtc/v1", greet)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).replace("http", "ws")
        async with SignalingProxy(url, room="standup") as signaling:
            door.add_routes([web.get(path, signaling.handle) for path in PATHS])
            async with TestClient(TestServer(door)) as client:
                told = {}
                for room in ("standup", "connection-test", "", None):
                    token = token_of({"sub": "bob", "video": {"room": room}})
                    async with client.ws_connect(f"/rtc/v1?access_token={token}") as socket:
                        greeting = signals.SignalResponse.FromString(await socket.receive_bytes())
                        told[room] = len(greeting.join.ice_servers)
    assert told == {"standup": 1, "connection-test": 0, "": 0, None: 0}
    assert room_of(token_of({"video": {"room": "standup"}})) == "standup" and room_of(token_of({"video": []})) is None


def test_any_other_message_stays_as_it_is() -> None:
    other = signals.SignalResponse(update=signals.ParticipantUpdate(participants=[models.ParticipantInfo(sid="a")]))
    assert with_turn_at(other.SerializeToString(), TURN) == other.SerializeToString()
    assert with_turn_at(b"\xff\xff", TURN) == b"\xff\xff"


async def test_where_no_server_is_it_says_so(make_client: MakeClient) -> None:
    _, client = await make_client("ws://127.0.0.1:9")
    query = {"access_token": token_of({"sub": "bob"})}
    for headers in ({}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
        async with client.get("/rtc/v1", params=query, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (502, "no_server")


async def test_a_visitor_who_goes_while_the_server_is_being_asked_leaves_no_connection(make_client: MakeClient) -> None:
    arrived, go_on, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.WebSocketResponse:
        arrived.set()
        await go_on.wait()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        try:
            async for _ in socket:
                pass
        finally:
            closed.set()
        return socket

    app = web.Application()
    app.router.add_get("/rtc/v1", slow)
    async with TestServer(app) as server:
        _, client = await make_client(str(server.make_url("/")).replace("http", "ws"))
        token = token_of({"sub": "bob"})
        joining = asyncio.create_task(client.ws_connect(f"/rtc/v1?access_token={token}"))
        async with asyncio.timeout(30):
            await arrived.wait()
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)
            go_on.set()
            await closed.wait()


# --- before a server that only echoes ---


@pytest.fixture
async def echoing() -> AsyncIterator[str]:
    """Yields the address of a server that sends back whatever it gets, doubled."""

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            await socket.send_bytes(message.data * 2)
        return socket

    app = web.Application()
    app.router.add_get("/rtc/v1", echo)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).replace("http", "ws")


async def test_more_people_than_a_client_has_connections_to_spare_are_there_at_once(
    make_client: MakeClient, echoing: str
) -> None:
    _, client = await make_client(echoing)
    urls = [client.make_url(f"/rtc/v1?access_token={token_of({'sub': f'bob-{n}'})}") for n in range(120)]
    async with asyncio.timeout(30), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as visitors:
        for socket in await asyncio.gather(*(visitors.ws_connect(url) for url in urls)):
            await socket.send_bytes(b"a")
            assert await socket.receive_bytes() == b"aa"


async def test_a_visitor_sends_no_message_that_fills_the_memory_and_the_server_may_send_any(
    make_client: MakeClient, echoing: str
) -> None:
    _, client = await make_client(echoing)
    most = 4 * 2**20
    query = f"access_token={token_of({'sub': 'bob'})}"
    async with asyncio.timeout(30), client.ws_connect(f"/rtc/v1?{query}", max_msg_size=0) as socket:
        await socket.send_bytes(bytes(most - 1))
        assert len(await socket.receive_bytes()) > most
        await socket.send_bytes(bytes(most + 1))
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


# --- before a real server ---


async def joined(url: str, token: str) -> rtc.Room:
    room = rtc.Room()
    async with asyncio.timeout(60):
        await room.connect(url, token)
    return room


async def test_a_program_joins_through_it_and_who_is_dropped_or_kept_out_does_not_come_back(
    livekit_server: LiveKitCredentials, mint_token: MintToken, make_client: MakeClient, door: Door
) -> None:
    _, client = await make_client(livekit_server.url)
    url = str(client.make_url("/")).rstrip("/").replace("http", "ws")
    token = mint_token("bob").get_secret_value()
    room = await joined(url, token)
    assert room.local_participant.identity == "bob"
    await room.disconnect()
    door.kept_out.add("bob")
    for path in PATHS:
        for headers in ({}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
            async with client.get(path, params={"access_token": token}, headers=headers) as response:
                assert (response.status, (await response.json())["code"]) == (403, "kept_out")
            async with client.get(path, headers={"Authorization": f"Bearer {token}", **headers}) as response:
                assert (response.status, (await response.json())["code"]) == (403, "kept_out")


async def test_a_second_token_hides_nobody(
    livekit_server: LiveKitCredentials, mint_token: MintToken, make_client: MakeClient, door: Door
) -> None:
    _, client = await make_client(livekit_server.url)
    bob, zoe = (mint_token(name).get_secret_value() for name in ("bob", "zoe"))
    door.kept_out.add("bob")
    for query in ([("access_token", zoe), ("access_token", bob)], [("access_token", bob), ("access_token", zoe)]):
        async with client.get("/rtc/validate", params=query) as response:
            assert response.status == 401
    headers = {"Authorization": f"Bearer {bob}"}
    async with client.get("/rtc/validate", params={"access_token": zoe}, headers=headers) as response:
        assert response.status == 401


async def test_everything_else_of_the_server_is_refused(
    livekit_server: LiveKitCredentials, make_client: MakeClient, mint_token: MintToken
) -> None:
    _, client = await make_client(livekit_server.url)
    admin = {"Authorization": f"Bearer {api_token(livekit_server).get_secret_value()}"}
    base = str(client.make_url("/")).rstrip("/")
    answers: dict[str, int] = {}
    async with aiohttp.ClientSession() as session:
        for path in OTHERS:
            for method in ("GET", *METHODS):
                url = URL(base + path, encoded=True)
                async with session.request(method, url, headers=admin, json={}, allow_redirects=False) as response:
                    answers[f"{method} {path}"] = response.status
        for path in PATHS:
            for method in METHODS:
                query = {"access_token": mint_token("bob").get_secret_value()}
                async with session.request(method, base + path, params=query) as response:
                    answers[f"{method} {path}"] = response.status
    assert {line: status for line, status in answers.items() if status not in (404, 405)} == {}


async def test_a_real_offer_by_whip_that_the_server_would_take_does_not_pass(
    livekit_server: LiveKitCredentials, make_client: MakeClient, mint_token: MintToken, room_name: str
) -> None:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", direction="sendonly")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    await connection.close()
    headers = {
        "Authorization": f"Bearer {mint_token('bob').get_secret_value()}",
        "Content-Type": "application/sdp",
    }
    _, client = await make_client(livekit_server.url)
    bases = str(client.make_url("/")).rstrip("/"), livekit_server.url.replace("ws", "http")
    taken: list[list[int]] = []
    async with aiohttp.ClientSession(headers=headers) as session, Rooms(livekit_server) as rooms:
        for base in bases:
            taken.append([])
            for path in ("/whip/v1", "/rtc", "/rtc/v1", "/rtc/validate"):
                async with session.post(base + path, data=offer) as response:
                    taken[-1].append(response.status)
            present = [one.identity for one in await rooms.participants(room_name)]
            assert present == ([] if base == bases[0] else ["bob"])
    assert taken[0] == [404, 405, 405, 405]
    assert taken[1][0] == 201, "the server itself takes it, so that something has to stand before it"


async def test_a_wrong_token_is_the_server_s_to_refuse(
    livekit_server: LiveKitCredentials, mint_token: MintToken, make_client: MakeClient
) -> None:
    _, client = await make_client(livekit_server.url)
    token = mint_token("bob").get_secret_value()
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    for headers in ({}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
        async with client.get("/rtc", params={"access_token": forged}, headers=headers) as response:
            assert response.status == 401
    async with client.get("/rtc/validate") as response:
        assert (response.status, (await response.json())["code"]) == (401, "no_token")
