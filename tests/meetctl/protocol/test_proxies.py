"""Which proxies of the environment are for whom: never this machine's own servers, and always what is elsewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest
from aiohttp import web
from pydantic import SecretStr

from meetctl import rooms, settings
from meetctl.doctor.checks import judge_proxies
from meetctl.doctor.findings import Level
from meetctl.doctor.probing import probe_proxies
from meetctl.errors import LiveKitError
from meetctl.programs.launch import agent_environment
from meetctl.programs.room_access import RoomAccess
from meetctl.protocol.proxies import DIRECT, is_loopback, livekit_is_direct, with_loopback_direct
from meetctl.roster import AgentEntry, Program
from meetctl.settings import LiveKitCredentials

DEAD = "http://user:sentinel-pass@127.0.0.1:1"
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "NO_PROXY", "no_proxy")
CREDENTIALS = LiveKitCredentials("ws://livekit.invalid", "key", SecretStr("secret-of-thirty-two-bytes-or-more"))
SHOW = """
import os
from meetctl.protocol.proxies import keep_livekit_direct
keep_livekit_direct()
import subprocess
import ctypes
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
print(os.environ["HTTP_PROXY"], os.environ["https_proxy"], getenv(b"HTTP_PROXY"), getenv(b"https_proxy"))
"""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9000", True),
        ("http://127.8.0.1", True),
        ("ws://localhost:9000/", True),
        ("http://a.localhost", True),
        ("wss://[::1]:9000", True),
        ("https://api.simli.ai", False),
        ("http://192.168.1.4", False),
        ("http://localhost.example.org", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_a_server_on_this_machine_is_known(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize("name", NAMES[:6])
def test_children_of_whoever_has_a_proxy_reach_this_machine_directly(name: str) -> None:
    given = with_loopback_direct({name: DEAD, "no_proxy": "example.org, localhost"})
    assert given["NO_PROXY"] == given["no_proxy"] == "example.org,localhost,127.0.0.1,::1"
    assert given[name] == DEAD
    assert with_loopback_direct({name: DEAD, "NO_PROXY": "*"})["no_proxy"] == "*"
    assert with_loopback_direct({"NO_PROXY": "example.org"}) == {"NO_PROXY": "example.org"}


def test_a_program_of_the_meeting_inherits_every_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES[:6]:
        monkeypatch.setenv(name, DEAD)
    given = settings.inherited_environment()
    assert {given[name] for name in NAMES[:6]} == {DEAD}
    assert "127.0.0.1" in given["NO_PROXY"]


@pytest.mark.parametrize(
    ("url", "no_proxy", "expected"),
    [
        ("ws://127.0.0.1:7880", "", True),
        ("wss://x.livekit.cloud", "", False),
        ("wss://x.livekit.cloud", "livekit.cloud", True),
        ("wss://x.livekit.cloud", "*", True),
        ("ws://livekit.lan:7880", "other.lan", False),
    ],
)
def test_a_livekit_server_is_joined_directly_where_no_proxy_is_for_it(url: str, no_proxy: str, expected: bool) -> None:
    assert livekit_is_direct(url, {"HTTPS_PROXY": DEAD, "NO_PROXY": no_proxy}) is expected


@pytest.mark.process
def test_what_is_not_python_sees_no_proxy_where_the_room_is_joined_directly_and_python_goes_on_to() -> None:
    def shown(**mark: str) -> str:
        environment = {**settings.inherited_environment(), "HTTP_PROXY": "http://a", "https_proxy": "http://b", **mark}
        done = subprocess.run(
            [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    assert shown(**{DIRECT: "1"}) == "http://a http://b None None"
    assert shown() == "http://a http://b b'http://a' b'http://b'"


def test_a_command_does_not_get_the_proxy_that_its_livekit_client_would_ask_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", DEAD)
    monkeypatch.setenv("https_proxy", DEAD)
    entry = AgentEntry(name="Max", identity="max", program=Program.COMMAND, command=("./max",))

    def given(url: str, entry: AgentEntry = entry) -> dict[str, str]:
        place = RoomAccess(room="r", livekit_url=url, token=SecretStr("t"), chair_identity=None, topic=None)
        return agent_environment(entry, place, {}, CREDENTIALS)

    here = given("ws://127.0.0.1:7880")
    assert "HTTP_PROXY" not in here and here["https_proxy"] == DEAD
    assert given("wss://x.livekit.cloud")["HTTP_PROXY"] == DEAD
    own = entry.model_copy(update={"env": {"HTTP_PROXY": SecretStr("http://own")}})
    assert given("ws://127.0.0.1:7880", own)["HTTP_PROXY"] == "http://own"


def test_output_of_a_python_command_comes_at_once_unless_its_entry_says_otherwise() -> None:
    entry = AgentEntry(name="Max", identity="max", program=Program.COMMAND, command=("./max",))
    place = RoomAccess(room="r", livekit_url="ws://x", token=SecretStr("t"), chair_identity=None, topic=None)
    assert agent_environment(entry, place, {}, CREDENTIALS)["PYTHONUNBUFFERED"] == "1"
    own = entry.model_copy(update={"env": {"PYTHONUNBUFFERED": SecretStr("")}})
    assert agent_environment(own, place, {}, CREDENTIALS)["PYTHONUNBUFFERED"] == ""


async def test_a_livekit_server_elsewhere_is_asked_through_the_proxy_and_one_on_this_machine_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def proxy(request: web.BaseRequest) -> web.Response:
        asked.append(str(request.url))
        return web.Response(status=502, text="the proxy was here")

    runner = web.ServerRunner(web.Server(proxy))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{runner.addresses[0][1]}")
        async with rooms.Rooms(CREDENTIALS, timeout=5) as service:
            with pytest.raises(LiveKitError):
                await service.exists("r")
        assert asked and all(url.startswith("http://livekit.invalid/") for url in asked)
        asked.clear()
        here = LiveKitCredentials("ws://127.0.0.1:1", CREDENTIALS.api_key, CREDENTIALS.api_secret)
        async with rooms.Rooms(here, timeout=5) as service:
            with pytest.raises(LiveKitError, match="cannot connect"):
                await service.exists("r")
        assert not asked
    finally:
        await runner.cleanup()


def test_the_doctor_names_each_proxy_and_what_is_wrong_with_it_and_no_password() -> None:
    found = list(judge_proxies(probe_proxies({"HTTPS_PROXY": DEAD, "all_proxy": "", "PATH": "x"})))
    assert [finding.level for finding in found] == [Level.WARNING]
    assert "HTTPS_PROXY names http://127.0.0.1:1: cannot connect" in found[0].message
    assert "sentinel" not in str(found)
    assert not list(judge_proxies(probe_proxies({})))
