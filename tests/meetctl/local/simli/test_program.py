"""The program: one line on stdout, and a quick end however it is asked to end."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from meetctl.local.simli.protocols.stun import binding_response
from meetctl.protocol import Serving, parse_event
from testing.simli.clients import WAIT_SECONDS

COMMAND = (sys.executable, "-m", "meetctl.local.simli", "--port", "0")
END_SECONDS = 10.0
"""0.3 s on idle cores."""


def started(*options: str) -> tuple[subprocess.Popen[bytes], str]:
    process = subprocess.Popen(
        [*COMMAND, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    event = parse_event(process.stdout.readline())
    assert isinstance(event, Serving)
    return process, event.url


@pytest.mark.process
@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "end of stdin"])
async def test_the_server_says_one_line_and_ends_quickly_with_a_session_open(way: str) -> None:
    process, url = started("--watch-stdin")
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    with process:
        async with aiohttp.ClientSession(url) as http:
            async with http.post(
                "/compose/token", json={"faceId": "ada"}, headers={"x-simli-api-key": "k"}
            ) as response:
                token = (await response.json())["session_token"]
            async with http.ws_connect("/compose/webrtc/p2p", params={"session_token": token}):
                if way == "end of stdin":
                    process.stdin.close()
                else:
                    process.send_signal(signal.Signals[way])
                async with asyncio.timeout(WAIT_SECONDS):
                    assert await asyncio.to_thread(process.wait, END_SECONDS) == 0
        assert process.stdout.read() == b"", "nothing but the one line"
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.process
@pytest.mark.parametrize("options", [("--size", "511"), ("--fps", "1"), ("--keys-file", "/nonexistent")])
def test_what_cannot_be_is_said_and_nothing_is_served(options: tuple[str, str]) -> None:
    done = subprocess.run([*COMMAND, *options], capture_output=True, timeout=END_SECONDS * 3, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert options[1].encode() in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.process
def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port)], capture_output=True, timeout=END_SECONDS * 3, check=False
        )
    assert done.returncode == 1
    assert str(port).encode() in done.stderr


@pytest.mark.process
def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("secret-key\n")
    keys.chmod(0o644)
    done = subprocess.run(
        [*COMMAND, "--keys-file", str(keys)], capture_output=True, timeout=END_SECONDS * 3, check=False
    )
    assert done.returncode == 1
    assert b"chmod 600" in done.stderr
    assert b"secret-key" not in done.stderr


async def test_the_stun_responder_tells_the_address_it_was_asked_from(simli_server: str) -> None:
    async with aiohttp.ClientSession(simli_server) as http, http.get("/compose/ice") as response:
        (entry,) = await response.json()
    assert set(entry) == {"urls"}, "the Python client takes no other key"
    target = urlsplit(entry["urls"].replace("stun:", "stun://"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(END_SECONDS)
        asker.bind(("127.0.0.1", 0))
        asker.sendto(struct.pack("!HHI12s", 1, 0, 0x2112A442, b"transaction1"), ("127.0.0.1", target.port or 0))
        answer = await asyncio.to_thread(asker.recv, 100)
        port = struct.unpack("!H", answer[26:28])[0] ^ 0x2112
        assert answer[8:20] == b"transaction1"
        assert port == asker.getsockname()[1]


def test_what_is_no_binding_request_gets_no_answer() -> None:
    assert binding_response(b"short", ("127.0.0.1", 9)) is None
    assert binding_response(bytes(20), ("127.0.0.1", 9)) is None
