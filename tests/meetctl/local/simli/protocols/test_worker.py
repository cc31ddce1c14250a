"""The face in somebody else's room, with the unmodified LiveKit plugin in a real livekit-agents program."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import rtc

from meetctl.local.simli.face.renderer import reference_frame
from meetctl.settings import LiveKitCredentials, inherited_environment
from testing.fixtures.livekit import MintToken
from testing.simli.clients import Watcher, all_sessions_closed, wait_until

PROGRAM = Path(__file__).parents[5] / "testing/simli/avatar_program.py"
PROGRAM_SECONDS = 60.0
"""Imports and a job process take 7 s on idle cores, speech 4 s."""


async def test_the_stock_plugin_gets_a_face_whose_segments_are_each_reported_once(
    simli_server: str, livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    report.touch()
    guest, seen = rtc.Room(), Watcher()
    tasks: set[asyncio.Task[None]] = set()
    guest.on("track_subscribed", lambda track, _, who: tasks.add(asyncio.create_task(_watch(track, who, seen))))
    await guest.connect(livekit_server.url, mint_token("bob").get_secret_value())
    environment = {
        **os.environ,
        **inherited_environment(),  # a TMPDIR that livekit-agents can make its sockets in
        "SIMLI_URL": simli_server,
        "REPORT": str(report),
        "LIVEKIT_URL": livekit_server.url,
        "LIVEKIT_API_KEY": livekit_server.api_key,
        "LIVEKIT_API_SECRET": livekit_server.api_secret.get_secret_value(),
    }
    log = (tmp_path / "program.log").open("wb")
    program = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, "connect", "--room", room_name, env=environment, stdout=log, stderr=log
    )
    try:
        async with asyncio.timeout(PROGRAM_SECONDS):
            while not any(line["event"] == "done" for line in _lines(report)):
                assert program.returncode is None, (tmp_path / "program.log").read_text()[-3000:]
                await asyncio.sleep(0.1)
        await seen.until(lambda: len(seen.frames) > 0)
        finished = [(line["cut"], line["at"]) for line in _lines(report) if line["event"] == "finished"]
        assert [cut for cut, _ in finished] == [True, False], "each segment once, the first as cut"
        assert 0.2 < finished[0][1] < 15, "cut where it was, not at its end"
        assert finished[1][1] == pytest.approx(1.0, abs=0.1)
        face = reference_frame("ada").astype(np.float64)
        assert np.abs(seen.frames[-1] - face).mean() < 10, "the room sees this face"
        await all_sessions_closed(simli_server)  # the face leaves when its agent has left
    finally:
        if program.returncode is None:
            program.terminate()
        await asyncio.wait_for(program.wait(), 20)
        log.close()
        await guest.disconnect()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_invitation_with_a_token_that_livekit_refuses_is_answered_with_the_reason(
    simli_server: str, livekit_server: LiveKitCredentials
) -> None:
    async with aiohttp.ClientSession(simli_server) as http:
        async with http.post(
            "/compose/token", json={"faceId": "ada"}, headers={"x-simli-api-key": "any-key"}
        ) as response:
            token = (await response.json())["session_token"]
        invitation = {"session_token": token, "livekit_token": "forged", "livekit_url": livekit_server.url}
        async with http.post("/integrations/livekit/agents", json=invitation) as response:
            assert response.status == 400
            assert (await response.json())["code"] == "LIVEKIT_CONNECTION_FAILED"
        async with http.post("/integrations/livekit/agents", json={"session_token": token}) as response:
            assert response.status == 422
        async with http.post("/integrations/livekit/agents", json={**invitation, "session_token": "x"}) as response:
            assert (response.status, (await response.json())["code"]) == (400, "INVALID_SESSION_TOKEN")
    await wait_until(lambda: _none_open(simli_server))


async def _none_open(url: str) -> bool:
    async with aiohttp.ClientSession(url) as http, http.get("/ratelimiter/sessions") as response:
        return bool((await response.json()) == {"currentUsage": 0})


async def _watch(track: rtc.Track, who: rtc.RemoteParticipant, seen: Watcher) -> None:
    if track.kind != rtc.TrackKind.KIND_VIDEO or who.identity != "simli-avatar-agent":
        return
    stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGB24)
    try:
        async for event in stream:
            frame = event.frame
            picture = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 3)
            await seen.add(seen.frames, picture)
    finally:
        await stream.aclose()


def _lines(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text().splitlines()]
