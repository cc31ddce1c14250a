"""People come in through Caddy and nginx, below a prefix, as the documentation says; and who cannot is told why. Media
comes through a router.

Real hosts of the test's own, the installed command and proxies, a real Chromium that knows the authority by its store.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from meetctl.reach.opening import PROXIED_PORT
from testing.browser.elsewhere import ROOT, TONE, light_roster, person_on
from testing.fixtures.command import Meetctl, command_in
from testing.fixtures.lanes import Lane, starts
from testing.fixtures.networks import Host, Network
from testing.fixtures.web_proxies import Certificate, caddy_on, certificate_for, nginx_on

pytestmark = pytest.mark.root

OTHER_PORT, WITHHOLDING_PORT = 7445, 7446
WITHHOLDING = ["tests.programs.withholding_proxy", str(WITHHOLDING_PORT), str(PROXIED_PORT)]
ROUTER = "10.99.0.1"
"""Passes media on; no host has this address."""
OBSTACLE = "() => document.querySelector('[data-testid=obstacle]')?.dataset.obstacle === 'no-websocket'"


@dataclass(frozen=True, slots=True)
class Team:
    """A meeting that waits behind a proxy."""

    meetctl: Meetctl
    network: Network
    link: str
    told: str
    pair: Certificate


@pytest.fixture(scope="module")
@starts(Lane.ROOT)
def team(network: Network, built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Yields one meeting for all the tests here."""
    server = network.server
    pair = certificate_for(server, tmp_path_factory.mktemp("authority"))
    with command_in(tmp_path_factory.mktemp("team"), prefix=server.prefix) as meetctl:
        meetctl.environment["SSL_CERT_FILE"] = str(pair.authority)
        server.stand_behind(ROUTER)
        reach = f"{{public_url: https://{server.name}/team/, node_ip: {ROUTER}}}"
        roster = light_roster("team", f"reach: {reach}")
        (meetctl.cwd / "team.yaml").write_text(roster, encoding="utf-8")
        up = meetctl("up", "team.yaml", "-d")
        assert up.code == 0, up.err
        withholding = [
            sys.executable,
            "-m",
            "tests.programs.withholding_proxy",
            str(WITHHOLDING_PORT),
            str(PROXIED_PORT),
        ]
        with subprocess.Popen([*server.prefix, *withholding], cwd=ROOT) as process:
            yield Team(meetctl, network, up.out.strip(), up.err, pair)
            process.kill()


def test_the_link_is_the_public_one_and_what_the_proxy_has_to_do_is_said(team: Team) -> None:
    assert team.link.startswith(f"https://{team.network.server.name}/team/team#invite=")
    assert "has to pass it on to http://127.0.0.1:7444" in team.told
    assert f"7882/udp or 7881/tcp of {ROUTER}, passed on to {team.network.server.address}" in team.told


Proxy = Callable[[Host, Certificate, Path], AbstractContextManager[None]]


@pytest.mark.parametrize(("proxy", "name"), [(caddy_on, "Cleo"), (nginx_on, "Nina")], ids=["caddy", "nginx"])
async def test_a_person_joins_through_the_proxy_hears_and_is_heard(
    team: Team, tmp_path: Path, proxy: Proxy, name: str
) -> None:
    with proxy(team.network.server, team.pair, tmp_path):
        async with person_on(team.network.person, team.link, team.pair.authority, tmp_path) as person:
            await person.join(name)
            began = await person.now()
            await person.say(TONE)
            await person.wait_for_voice("tone", began)


async def test_a_proxy_that_lets_no_websocket_through_is_named_on_the_page(team: Team, tmp_path: Path) -> None:
    server, visitor = team.network.server, team.network.person
    with nginx_on(server, team.pair, tmp_path, without="Upgrade"):
        async with person_on(visitor, team.link, team.pair.authority, tmp_path) as person:
            await person.wait_for(OBSTACLE)
    # One that lets it through and holds back what passes there.
    with nginx_on(server, team.pair, tmp_path, port=WITHHOLDING_PORT):
        async with person_on(visitor, team.link, team.pair.authority, tmp_path) as person:
            await person.wait_for(OBSTACLE)


def said_of_reach(team: Team) -> dict[str, str]:
    """Returns what the doctor finds of the way into a meeting that is yet to begin: level by message."""
    server = team.network.server
    program = [sys.executable, "-m", "tests.programs.doctor_of_reach", f"https://{server.name}/team/", str(OTHER_PORT)]
    ran = subprocess.run([*server.prefix, *program], env=team.meetctl.environment, cwd=ROOT, check=True, stdout=-1)
    levels: dict[str, str] = json.loads(ran.stdout)
    return levels


def test_the_doctor_asks_the_public_address_and_says_what_does_not_arrive(team: Team, tmp_path: Path) -> None:
    public = f"https://{team.network.server.name}/team/"
    with nginx_on(team.network.server, team.pair, tmp_path, port=OTHER_PORT):
        said = said_of_reach(team)
    assert said[f"{public} arrives here, at http://127.0.0.1:{OTHER_PORT}"] == "ok"
    assert "failure" not in said.values()
    with nginx_on(team.network.server, team.pair, tmp_path, port=OTHER_PORT, without="proxy_set_header|proxy_http"):
        wrong = " ".join(message for message, level in said_of_reach(team).items() if level != "ok")
    for told in (f"passes on Host: 127.0.0.1:{OTHER_PORT}", "lets no WebSocket through", "does not say who asks"):
        assert told in wrong
    assert f"{public} cannot be asked from here" in " ".join(said_of_reach(team))
