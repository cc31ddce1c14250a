from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from meetctl.errors import StandInError
from meetctl.local.livekit import (
    LiveKitConfig,
    OuterMedia,
    new_server_config,
    server_argv,
    wait_until_serving,
    write_config,
)
from meetctl.local.ports import free_tcp_port
from meetctl.rooms import Rooms
from testing.fixtures.livekit import livekit_binary


def test_every_meeting_has_ports_and_a_key_pair_of_its_own() -> None:
    one, other = new_server_config(), new_server_config()
    assert len(one.api_secret.get_secret_value()) >= 32
    assert one.api_key != other.api_key
    assert one.api_secret != other.api_secret
    assert one.port != other.port
    assert one.url == f"ws://127.0.0.1:{one.port}"


def test_the_configuration_is_for_its_owner_alone_even_where_an_open_file_was(tmp_path: Path) -> None:
    path = tmp_path / "livekit.yaml"
    path.write_text("left behind")
    path.chmod(0o644)
    config = new_server_config()
    write_config(config, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["keys"] == {config.api_key: config.api_secret.get_secret_value()}
    assert [entry.name for entry in tmp_path.iterdir()] == ["livekit.yaml"]


def test_the_secret_is_not_on_the_command_line_nor_in_what_is_shown() -> None:
    config = new_server_config()
    argv = server_argv(Path("/bin/livekit-server"), Path("/run/livekit.yaml"))
    assert argv == ["/bin/livekit-server", "--config", "/run/livekit.yaml"]
    assert config.api_secret.get_secret_value() not in f"{argv} {config!r} {config.credentials!r}"


def test_media_is_announced_at_loopback_and_at_one_other_address_where_there_is_one(tmp_path: Path) -> None:
    config = replace(new_server_config(), outer="203.0.113.7")
    write_config(config, tmp_path / "livekit.yaml")
    rtc = json.loads((tmp_path / "livekit.yaml").read_text())["rtc"]
    assert rtc["ips"] == {"includes": ["127.0.0.1/32", "203.0.113.7/32"]}
    assert ":" in rtc["node_ip"], "one of IPv4 would be announced in the place of both"
    write_config(replace(config, outer=None), tmp_path / "livekit.yaml")
    rtc = json.loads((tmp_path / "livekit.yaml").read_text())["rtc"]
    assert (rtc["ips"], rtc["node_ip"]) == ({"includes": ["127.0.0.1/32"]}, "127.0.0.1")


@pytest.mark.parametrize(("address", "bits"), [("203.0.113.7", 32), ("2001:db8::7", 128)])
def test_for_other_machines_media_is_at_one_address_by_three_ways_and_nothing_else_is(
    tmp_path: Path, address: str, bits: int
) -> None:
    reach = OuterMedia(address, udp_port=7882, tcp_port=7881, turn_port=5349)
    write_config(new_server_config(reach), tmp_path / "livekit.yaml")
    written = json.loads((tmp_path / "livekit.yaml").read_text())
    assert written["bind_addresses"] == ["127.0.0.1"]
    rtc, turn = written["rtc"], written["turn"]
    assert (rtc["node_ip"], rtc["udp_port"], rtc["tcp_port"]) == (address, 7882, 7881)
    assert rtc["ips"] == {"includes": [f"{address}/{bits}"]} and "enable_loopback_candidate" not in rtc
    assert (turn["tls_port"], turn["external_tls"], turn["bind_addresses"]) == (5349, True, [address])
    assert reach.turn == (address, 5349)
    assert turn["allow_restricted_peer_cidrs"] == [f"{address}/{bits}"]
    write_config(new_server_config(replace(reach, turn_port=None)), tmp_path / "livekit.yaml")
    assert "turn" not in json.loads((tmp_path / "livekit.yaml").read_text())


def test_behind_a_router_people_are_told_its_address_and_nothing_else_is_listened_on(tmp_path: Path) -> None:
    reach = OuterMedia("10.0.0.5", udp_port=7882, tcp_port=7881, turn_port=None, node_ip="203.0.113.7")
    write_config(new_server_config(reach), tmp_path / "livekit.yaml")
    rtc = json.loads((tmp_path / "livekit.yaml").read_text())["rtc"]
    assert (rtc["node_ip"], rtc["ips"]) == ("203.0.113.7", {"includes": ["10.0.0.5/32"]})


@pytest.mark.system
async def test_a_server_so_configured_listens_on_loopback_and_with_media_alone_on_one_other_address(
    tmp_path: Path,
) -> None:
    config = new_server_config()
    write_config(config, tmp_path / "livekit.yaml")
    argv = server_argv(livekit_binary(), tmp_path / "livekit.yaml")
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*argv, stdout=log, stderr=log)
        try:
            await wait_until_serving(config.url)
            async with Rooms(config.credentials) as rooms:
                assert await rooms.create("standup")
            addresses = {
                (connection.laddr.ip, connection.laddr.port)
                for connection in psutil.Process(process.pid).net_connections()
                if not connection.raddr
            }
        finally:
            process.kill()
            await process.wait()
    media = {(address, config.media_port) for address in ("127.0.0.1", config.outer) if address}
    assert addresses == {("127.0.0.1", config.port)} | media
    assert config.api_secret.get_secret_value() not in (tmp_path / "log").read_text()


async def test_a_server_that_never_answers_is_named_with_its_log() -> None:
    port = free_tcp_port()
    with pytest.raises(StandInError) as caught:
        await wait_until_serving(f"ws://127.0.0.1:{port}", timeout=0.2, log=Path("/state/livekit-server.log"))
    assert caught.value.message.startswith(f"livekit-server did not answer at http://127.0.0.1:{port}/ within 0.2 s: ")
    assert caught.value.hint == "read its log: /state/livekit-server.log"


async def test_a_server_that_accepts_and_says_nothing_runs_out_of_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(StandInError, match="within"):
        await wait_until_serving(f"ws://127.0.0.1:{server.getsockname()[1]}", timeout=0.2)


async def test_a_server_that_is_not_well_yet_is_asked_again() -> None:
    answers = [503, 503, 200]

    async def respond(request: web.Request) -> web.Response:
        return web.Response(status=answers.pop(0))

    app = web.Application()
    app.router.add_get("/", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        await wait_until_serving(f"ws://127.0.0.1:{port}", timeout=5)
    finally:
        await runner.cleanup()
    assert answers == []


def test_a_configuration_is_a_value() -> None:
    config = new_server_config()
    same = LiveKitConfig(config.port, config.media_port, config.api_key, config.api_secret, config.outer)
    assert config == same
