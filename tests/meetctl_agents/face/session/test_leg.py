"""One Simli session against the real local server, in both protocols, and every way it can be refused or lost."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Literal

import aiohttp
import av
import pytest
from aiortc import RTCIceServer
from meetctl_agents.face.media.peer import Arrivals
from meetctl_agents.face.output.sink import mono
from meetctl_agents.face.session import leg
from meetctl_agents.face.session.leg import dead, open_face
from meetctl_agents.face.signaling import compose, legacy
from meetctl_agents.face.signaling.base import FaceSignal
from meetctl_agents.face.signaling.ice_probe import answering
from meetctl_agents.face.signaling.refusal import FaceFault, FaceRefused
from pydantic import SecretStr

from meetctl.protocol import Face, IceState
from testing.face.stage import KEY, Simli, simli
from testing.face.viewing import speech
from testing.fixtures.lanes import Lane, starts

Api = Literal["compose", "legacy"]

BOTH = pytest.mark.parametrize("api", ["compose", "legacy"])
SOON_S = 1.0
"""What the bounds on waiting are cut to where nothing comes."""


class FaceMediaSink:
    """Remembers what came."""

    def __init__(self) -> None:
        self.pictures: list[tuple[int, int]] = []
        self.peaks: list[int] = []
        self.words: list[FaceSignal] = []

    def picture(self, frame: av.VideoFrame) -> None:
        self.pictures.append((frame.width, frame.height))

    def sound(self, frame: av.AudioFrame) -> None:
        self.peaks.append(int(abs(mono(frame).astype(int)).max()))

    def said(self, said: FaceSignal) -> None:
        self.words.append(said)

    async def wait_loud(self) -> None:
        async with asyncio.timeout(10):
            while not self.peaks or self.peaks[-1] < 1000:
                await asyncio.sleep(0.01)

    async def wait_quiet(self) -> None:
        async with asyncio.timeout(10):
            while max(self.peaks[-10:]) > 200:
                await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
@starts(Lane.PROCESS)
def server() -> Iterator[Simli]:
    with simli() as running:
        yield running


def face(server: Simli, api: Api = "compose", *, url: str | None = None, face_id: str = "ada") -> Face:
    return Face(url=url or server.url, api_key=SecretStr(KEY), face_id=face_id, api=api)


async def opened(given: Face) -> FaceRefused:
    """Returns why the session could not be opened, or ended."""
    with pytest.raises(FaceRefused) as refused:
        async with open_face(given, FaceMediaSink()) as session:
            await session.wait_live()
            raise await session.wait_ended()
    return refused.value


@BOTH
async def test_a_face_speaks_what_it_is_sent_and_stops_when_told(server: Simli, api: Api) -> None:
    await server.set_faults()
    ears = FaceMediaSink()
    async with open_face(face(server, api), ears) as session:
        await session.wait_live()
        assert session.peer.ice in (IceState.CONNECTED, IceState.COMPLETED)
        assert ears.pictures[0] == (512, 512)
        session.speak(speech(10.0).tobytes())
        await ears.wait_loud()
        session.skip()
        await ears.wait_quiet()
        assert FaceSignal.SPEAK in ears.words
        snapshot = await session.peer.snapshot()
        assert (snapshot.video_frames or 0) >= len(ears.pictures) > 0
        assert (snapshot.audio_packets or 0) > 0 and (snapshot.octets or 0) > 0
    await server.wait_closed()


@BOTH
@pytest.mark.parametrize(
    ("faults", "fault", "words"),
    [
        ({"token_status": 400, "token_detail": "INVALID_API_KEY"}, FaceFault.KEY, "INVALID_API_KEY"),
        ({"token_status": 400, "token_detail": "INVALID_FACE_ID"}, FaceFault.FACE_ID, "INVALID_FACE_ID"),
        ({"token_status": 402}, FaceFault.BILLING, "402"),
        ({"token_status": 422}, FaceFault.REQUEST, "faceId"),
        ({"token_status": 429}, FaceFault.LIMIT, "Too many sessions"),
        ({"token_status": 500}, FaceFault.SERVER, "500"),
        ({"socket_status": 503}, FaceFault.SERVER, "503"),
        ({"session_error": "ERROR: something broke"}, FaceFault.SERVER, "something broke"),
        ({"session_error": "RATE LIMIT"}, None, "RATE LIMIT"),
        ({"error_after_s": 0.5, "error_text": "ERROR: INTERNAL"}, FaceFault.SERVER, "INTERNAL"),
        ({"max_session_s": 1.0}, FaceFault.ENDED, "session"),
        ({"max_idle_s": 1.0}, FaceFault.ENDED, "session"),
        ({"drop_after_s": 1.0}, None, ""),
    ],
)
async def test_every_refusal_and_every_end_is_told_in_the_servers_words(
    server: Simli, api: Api, faults: dict[str, object], fault: FaceFault | None, words: str
) -> None:
    await server.set_faults(**faults)
    refused = await opened(face(server, api))
    assert fault is None or refused.fault is fault
    assert words in refused.message
    assert KEY not in refused.message + (refused.hint or "")


@pytest.mark.parametrize(("limit", "words"), [("max_session_s", "longest duration"), ("max_idle_s", "idle")])
async def test_a_session_that_reached_a_limit_says_which(server: Simli, limit: str, words: str) -> None:
    await server.set_faults(**{limit: 1.0})
    assert words in (await opened(face(server))).message


@BOTH
@pytest.mark.parametrize(
    ("faults", "missing"),
    [({"never_answer": True}, "answer"), ({"never_start": True}, "START"), ({"never_video": True}, "picture")],
)
async def test_what_never_comes_is_named(
    server: Simli, api: Api, faults: dict[str, object], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((compose, "ANSWER_S"), (compose, "START_S"), (legacy, "ANSWER_S"), (legacy, "START_S")):
        monkeypatch.setattr(module, name, SOON_S)
    monkeypatch.setattr(leg, "FIRST_MEDIA_S", SOON_S)
    await server.set_faults(**faults)
    assert missing in (await opened(face(server, api))).message
    await server.wait_closed(40 if api == "legacy" and missing == "answer" else 5)


async def test_a_server_that_is_not_there_is_unreachable(server: Simli) -> None:
    refused = await opened(face(server, url="http://127.0.0.1:9"))
    assert refused.fault is FaceFault.UNREACHABLE
    assert "127.0.0.1:9" in refused.message
    assert not refused.permanent


async def test_a_server_that_speaks_something_else_is_the_wrong_endpoint(server: Simli) -> None:
    assert (await opened(face(server, url=f"{server.url}/elsewhere"))).fault is FaceFault.ENDPOINT


async def test_a_listener_that_fails_ends_the_session_with_its_reason(server: Simli) -> None:
    class Broken(FaceMediaSink):
        def picture(self, frame: av.VideoFrame) -> None:
            raise RuntimeError("the encoder is gone")

    await server.set_faults()
    async with asyncio.timeout(10), open_face(face(server), Broken()) as session:
        end = await session.wait_ended()
    assert "RuntimeError: the encoder is gone" in end.message
    await server.wait_closed()


@pytest.mark.parametrize(
    ("picture", "sound", "missing"),
    [
        (100.0, 100.0, None),
        (97.5, 99.5, None),
        (96.5, 100.0, "picture"),
        (100.0, 98.5, "sound"),
        (None, 100.0, "picture"),
        (100.0, None, "sound"),
    ],
)
def test_a_session_without_media_is_dead(picture: float | None, sound: float | None, missing: str | None) -> None:
    found = dead(Arrivals(last_picture=picture, last_sound=sound), 50.0, 100.0)
    assert (found is None) == (missing is None)
    assert missing is None or (found is not None and missing in found.message)


def test_a_young_session_is_not_dead_yet() -> None:
    assert dead(Arrivals(), 95.0, 100.0) is None


async def test_silent_ice_servers_are_left_out_within_a_second(server: Simli) -> None:
    async with asyncio.timeout(5):
        async with aiohttp.ClientSession() as http, http.get(f"{server.url}/compose/ice") as response:
            (good,) = [entry["urls"] for entry in await response.json()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        servers = [
            RTCIceServer([f"stun:127.0.0.1:{silent.getsockname()[1]}", good]),
            RTCIceServer("stun:127.0.0.1:9"),
            RTCIceServer("stun:nowhere.invalid:3478"),
            RTCIceServer(f"turn:127.0.0.1:{silent.getsockname()[1]}", "user", "pass"),
            RTCIceServer("turns:127.0.0.1:443", "user", "pass"),
        ]
        began = time.monotonic()
        found = await answering(servers)
        assert time.monotonic() - began < 4
    assert [server.urls for server in found] == [good, "turns:127.0.0.1:443"]
    assert found[1].credential == "pass"
