"""What goes wrong: bad keys and faces, limits, and every fault that can be injected, as the Python client sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from simli.critical_exceptions import SimliAPIError, SimliConnectionError, SimliExceptions, SimliSessionError
from simli.simli import SimliClient, SimliConfig

from testing.fixtures.lanes import Lane, starts
from testing.fixtures.simli import running_simli
from testing.simli.clients import WAIT_SECONDS, all_sessions_closed, vowel, watching

KEY, FACE = "the-key", "the-face"


@pytest.fixture(scope="module")
@starts(Lane.PROCESS)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that knows one key and one face, and whose faults can be set."""
    keys = tmp_path_factory.mktemp("simli") / "keys"
    keys.touch(mode=0o600)
    keys.write_text(f"{KEY}\n")
    with running_simli("--keys-file", str(keys), "--face-id", FACE, "--injectable") as url:
        yield url


@asynccontextmanager
async def faults(url: str, **wanted: Any) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(url) as http:

        async def put(body: dict[str, Any]) -> None:
            async with http.put("/local/faults", json=body) as response:
                assert response.status == 200, await response.text()

        await put(wanted)
        try:
            yield
        finally:
            await put({})


def client(url: str, *, key: str = KEY, face: str = FACE, **limits: int) -> SimliClient:
    return SimliClient(key, SimliConfig(face, **limits), simliURL=url, retry_count=1)


async def start(simli: SimliClient) -> None:
    await asyncio.wait_for(simli.start(), WAIT_SECONDS)


async def token(url: str, **body: Any) -> str:
    async with (
        aiohttp.ClientSession(url) as http,
        http.post("/compose/token", json={"faceId": FACE, **body}, headers={"x-simli-api-key": KEY}) as response,
    ):
        assert response.content_type == "application/json"
        return str((await response.json())["session_token"])


async def conversation(url: str, session_token: str, *messages: str | bytes) -> list[str]:
    """Returns every text of a whole session, from the answer to the end of the socket."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in ("audio", "video"):
        connection.addTransceiver(kind, direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    words: list[str] = []
    try:
        async with (
            asyncio.timeout(WAIT_SECONDS),
            aiohttp.ClientSession(url) as http,
            http.ws_connect("/compose/webrtc/p2p", params={"session_token": session_token}) as socket,
        ):
            await socket.send_json({"sdp": connection.localDescription.sdp, "type": "offer"})
            async for message in socket:
                assert message.type is aiohttp.WSMsgType.TEXT, "clients call string methods on everything"
                if message.data.startswith('{"sdp":'):
                    answer = json.loads(message.data)
                    await connection.setRemoteDescription(RTCSessionDescription(**answer))
                    continue
                words.append(message.data)
                if message.data == "START":
                    for item in messages:
                        await (socket.send_str(item) if isinstance(item, str) else socket.send_bytes(item))
    finally:
        await connection.close()
    return words


@pytest.mark.parametrize(
    ("key", "face", "code"),
    [("wrong", FACE, SimliExceptions.INVALID_API_KEY), (KEY, "nobody", SimliExceptions.INVALID_FACE_ID)],
)
async def test_a_wrong_key_and_an_unknown_face_are_refused_by_name(
    server: str, key: str, face: str, code: SimliExceptions
) -> None:
    with pytest.raises(SimliAPIError) as refused:
        await start(client(server, key=key, face=face))
    assert (refused.value.status_code, refused.value.code) == (400, code)


@pytest.mark.parametrize("status", [400, 402, 422, 429, 500])
async def test_every_status_of_a_token_request_can_be_played(server: str, status: int) -> None:
    async with faults(server, token_status=status, token_detail="INVALID_EMOTION"):
        with pytest.raises(SimliAPIError) as refused:
            await start(client(server))
    assert refused.value.status_code == status
    assert "INVALID_EMOTION" in refused.value.detail


@pytest.mark.parametrize("text", ["ERROR: INVALID_SESSION", "RATE LIMIT REACHED"])
async def test_a_session_can_be_refused_in_words(server: str, text: str) -> None:
    async with faults(server, session_error=text):
        with pytest.raises(SimliSessionError):
            await start(client(server))
    await all_sessions_closed(server)


async def test_a_socket_can_be_refused_by_status(server: str) -> None:
    async with faults(server, socket_status=503):
        with pytest.raises(SimliAPIError) as refused:
            await start(client(server))
    assert refused.value.status_code == 503


async def test_an_unknown_token_is_refused_in_words(server: str) -> None:
    assert await conversation(server, "no-such-token") == ["ERROR: INVALID_SESSION_TOKEN"]


async def test_a_session_that_never_starts_leaves_the_client_waiting_though_media_flows(server: str) -> None:
    async with faults(server, never_start=True):
        simli = client(server)
        starting = asyncio.create_task(simli.start())
        async with watching_when_connected(simli) as seen:
            await seen.until(lambda: len(seen.frames) > 5)
            assert not starting.done()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
    await all_sessions_closed(server)


async def test_a_session_without_video_still_speaks(server: str) -> None:
    async with faults(server, never_video=True):
        simli = client(server)
        await start(simli)
        async with watching(simli) as seen:
            await seen.until(lambda: len(seen.sound) > 50)
            assert seen.frames == []
    await all_sessions_closed(server)


async def test_a_session_can_be_dropped_without_a_word(server: str) -> None:
    async with faults(server, drop_after_s=0.5):
        simli = client(server)
        await start(simli)
        async with watching(simli):
            await asyncio.wait_for(simli.run.event.wait(), WAIT_SECONDS)
            assert simli.Connection is not None
            async with asyncio.timeout(WAIT_SECONDS):
                while simli.Connection.error is None:  # it is told a moment after the client has ended
                    await asyncio.sleep(0.05)
            assert isinstance(simli.Connection.error, SimliConnectionError)
    await all_sessions_closed(server)


async def test_a_session_can_end_with_an_error(server: str) -> None:
    async with faults(server, error_after_s=0.3, error_text="ERROR: BILLING_ERROR"):
        words = await conversation(server, await token(server))
    assert words == ["START", "ERROR: BILLING_ERROR"]


async def test_faults_that_are_used_up_hit_nobody(server: str) -> None:
    async with faults(server, token_status=500, times=1):
        with pytest.raises(SimliAPIError):
            await start(client(server))
        simli = client(server)
        await start(simli)
        await simli.stop()
    await all_sessions_closed(server)


async def test_an_idle_session_ends_in_the_order_that_clients_expect(server: str) -> None:
    words = await conversation(server, await token(server, maxIdleTime=1))
    assert words == ["START", "ENDFRAME", "CLOSING REASON: IDLE", "STOP"]


async def test_speech_keeps_a_session_from_being_idle_but_not_from_its_maximum(server: str) -> None:
    words = await conversation(server, await token(server, maxIdleTime=1, maxSessionLength=3), vowel(10))
    assert words == ["START", "ACK", "SPEAK", "ENDFRAME", "CLOSING REASON: MAX", "STOP"]


async def test_done_is_obeyed_when_everything_has_been_said(server: str) -> None:
    long_message = b"PLAY_IMMEDIATE" + vowel(4)
    assert len(long_message) == 128_014
    session_token = await token(server)
    words = await conversation(server, session_token, vowel(30), long_message, "SKIP", vowel(0.5), "ping 7", b"DONE")
    assert words[0] == "START"
    assert words[-1] == "STOP"
    assert words.count("ACK") == 3
    assert words.index("pong 7") > 0
    assert words[-2] == "SILENT"
    again = await conversation(server, session_token, "DONE")
    assert again == ["START", "STOP"], "a token opens more than one session"


async def test_history_counts_the_seconds_of_every_session(server: str) -> None:
    await conversation(server, await token(server, maxIdleTime=1))
    async with aiohttp.ClientSession(server) as http, http.get("/history/sessions") as response:
        last = (await response.json())["sessions"][-1]
    assert (last["face_id"], last["end_reason"], last["open"]) == (FACE, "IDLE", False)
    assert 1 <= last["seconds"] < 10


async def test_only_pages_of_this_machine_may_call(server: str) -> None:
    headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-simli-api-key"}
    async with aiohttp.ClientSession(server) as http:
        local = {"Origin": "http://localhost:3000", **headers}
        async with http.options("/compose/token", headers=local) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
            assert "x-simli-api-key" in response.headers["Access-Control-Allow-Headers"]
        async with http.get("/compose/ice", headers={"Origin": "http://localhost:3000"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
            assert (await response.json())[0]["urls"].startswith("stun:127.0.0.1:")
        async with http.get("/compose/ice", headers={"Origin": "https://example.org"}) as response:
            assert response.status == 403


async def test_a_server_with_nobody_to_set_faults_has_no_such_door(simli_server: str) -> None:
    async with aiohttp.ClientSession(simli_server) as http, http.put("/local/faults", json={}) as response:
        assert response.status == 404


@pytest.mark.process
@pytest.mark.parametrize("content", ['{"never_begin": true}', "no json", '{"drop_after_s": -1}'])
def test_a_faults_file_with_a_mistake_keeps_the_server_from_starting(tmp_path: Path, content: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(content)
    with pytest.raises(AssertionError, match="did not start"), running_simli("--inject", str(path)):
        pass


@asynccontextmanager
async def watching_when_connected(simli: SimliClient) -> AsyncIterator[Any]:
    async with asyncio.timeout(WAIT_SECONDS):
        while simli.Connection is None or not hasattr(simli.Connection, "videoReceiver"):
            await asyncio.sleep(0.02)
    async with watching(simli) as seen:
        yield seen
