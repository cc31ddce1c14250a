"""A person on another machine joins by the link alone: whatever of the network lets them, and no more than that.

Real hosts of the test's own, the installed command, a real Chromium that knows the authority by its own store.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from playwright.async_api import Page, expect

from testing.browser.elsewhere import person_on, trust
from testing.browser.firefox import firefox_running
from testing.browser.firefox_page import pages_of_firefox
from testing.browser.install_chromium import find_firefox
from testing.browser.visitor import SCRIPT, Visitor
from testing.browser.window import by_id
from testing.fixtures.command import Meetctl, command_in
from testing.fixtures.lanes import Lane, starts
from testing.fixtures.networks import Host, Network
from tests.browser.conftest import found

pytestmark = pytest.mark.root

ROSTER = """
room: far
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Ada, agent: simli, persona: You greet people in one short sentence.}
"""
PORT = 7443
LOCAL_MOUTH = {"media.peerconnection.ice.obfuscate_host_addresses": False}
"""In Firefox a connection of the page with itself speaks for a person; hidden addresses would be resolved by UDP."""
WITHIN_S = 60.0
"""A bound, not a figure."""
QUESTION = "Ada, can you hear me from over there?"
SPEAK = """
import asyncio, sys
from testing.agents.human import synthesised
sys.stdout.buffer.write(asyncio.run(synthesised(*sys.argv[1:], "alto")))
"""
WORDS = "Welcome to the meeting, wherever you are."
PATH = """async () => {
    for (const connection of connections) {
        const stats = await connection.getStats();
        const transport = [...stats.values()].find((one) => one.type === "transport" && one.selectedCandidatePairId);
        if (!transport) continue;
        const local = stats.get(stats.get(transport.selectedCandidatePairId).localCandidateId);
        return local.relayProtocol ? `relay-${local.relayProtocol}` : local.protocol;
    }
    return "none";
}"""


@dataclass(frozen=True, slots=True)
class Far:
    """A meeting on the server's host."""

    meetctl: Meetctl
    network: Network
    link: str
    told: str
    authority: Path
    question: bytes
    """Spoken."""

    async def wait_for_path(self, name: str, paths: list[str]) -> None:
        """Waits until `status` says that this person's media takes one of these paths."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                (meeting,) = await asyncio.to_thread(self.meetctl.status)
                (taken,) = [one["path"] for one in meeting["people"] if one["name"] == name]
                if taken in paths:
                    return
                await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
@starts(Lane.ROOT)
def far(network: Network, built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """Yields one meeting for all the tests here."""
    with command_in(tmp_path_factory.mktemp("far"), prefix=network.server.prefix) as meetctl:
        (meetctl.cwd / "far.yaml").write_text(ROSTER, encoding="utf-8")
        up = meetctl("up", "far.yaml", "-d", "--wait", "--host", network.server.name, "--port", str(PORT))
        assert up.code == 0, up.err
        authority = Path(meetctl.environment["XDG_STATE_HOME"]) / "meetctl/authority/authority.pem"
        (meeting,) = meetctl.status()
        models_url = next(service["url"] for service in meeting["services"] if service["name"] == "models")
        yield Far(meetctl, network, up.out.strip(), up.err, authority, spoken_on(network.server, models_url, QUESTION))


def spoken_on(host: Host, models_url: str, text: str) -> bytes:
    """Returns the text spoken by the model server of that host."""
    command = [*host.prefix, sys.executable, "-c", SPEAK, models_url, text]
    return subprocess.run(command, check=True, capture_output=True, timeout=WITHIN_S).stdout


async def meet(far: Far, person: Visitor, name: str) -> None:
    """Asserts that the person and the meeting hear each other, and that the person sees the avatar."""
    await person.join(name)
    await person.say(far.question)
    # That it came is this test's business; what a small model understands of it on busy cores is another's.
    caption, *_ = await person.wait_for_words(person.identity, 1)
    speaker, _, words = caption.partition(": ")
    assert (speaker, words != "") == (name, True), caption
    began = await person.now()
    assert (await asyncio.to_thread(far.meetctl, "say", "Ada", WORDS)).code == 0
    await person.wait_for_voice("ada", began)
    await person.wait_for("() => visitor.seen.ada?.frames > 3")
    assert (await person.seen("ada")).greenest == 0


def _drop_all_but_the_one_port(host: Host) -> None:
    host.drop_all_but(PORT)


@pytest.mark.parametrize(
    ("name", "filter_", "paths"),
    [
        ("Ute", Host.drop_nothing, ["udp"]),
        # Which of the two that are left a browser nominates first is a race, and it stays with that one.
        ("Tom", Host.drop_udp, ["tcp", "relay-tls"]),
        ("Zoë", _drop_all_but_the_one_port, ["relay-tls"]),
    ],
    ids=["udp", "tcp", "turn-tls"],
)
async def test_a_person_on_another_machine_joins_by_the_link_alone_hears_sees_and_is_heard(
    far: Far, tmp_path: Path, name: str, filter_: Callable[[Host], None], paths: list[str]
) -> None:
    filter_(far.network.person)
    async with person_on(far.network.person, far.link, far.authority, tmp_path) as person:
        await meet(far, person, name)
        await person.wait_for(f"async (paths) => paths.includes(await ({PATH})())", paths)
        await far.wait_for_path(name, paths)


async def test_two_people_on_two_machines_hear_each_other_one_of_them_in_firefox(far: Far, tmp_path: Path) -> None:
    network, profile = far.network, tmp_path / "firefox"
    for host in (network.person, network.other):
        host.drop_nothing()
    trust(far.authority, profile, tmp_path)
    async with (
        person_on(network.person, far.link, far.authority, tmp_path) as near,
        firefox_running(found(find_firefox(), "Firefox"), profile, host=network.other, **LOCAL_MOUTH) as firefox,
        pages_of_firefox(firefox) as open_window,
    ):
        await near.join("Kim")
        for name, filter_, paths in (
            ("Rita", Host.drop_nothing, ["udp"]),
            ("Tom", Host.drop_udp, ["tcp", "relay-tls"]),
            ("Zoë", _drop_all_but_the_one_port, ["relay-tls"]),
        ):
            filter_(network.other)
            far_away = Visitor(await open_window(far.link, before=SCRIPT))
            await far_away.join(name)
            began, there = await near.now(), await far_away.now()
            await far_away.say(far.question)
            await near.wait_for_voice(far_away.identity, began)
            await near.say(far.question)
            await far_away.wait_for_voice(near.identity, there)
            await far_away.wait_for("() => visitor.seen.ada?.frames > 3")
            await far.wait_for_path(name, paths)
            await far_away.page.click(by_id("leave-button"))


async def test_a_visitor_without_an_invite_learns_which_ways_are_open_and_what_to_open(
    far: Far, tmp_path: Path
) -> None:
    (before,) = await asyncio.to_thread(far.meetctl.status)  # who was killed there lingers for a while
    far.network.person.drop_udp()
    page_of_test = f"{far.link.partition('/far')[0]}/connection"
    async with person_on(far.network.person, page_of_test, far.authority, tmp_path) as person:
        shown = cast(Page, person.page).get_by_test_id
        for way, state in (("signaling", "open"), ("udp", "shut"), ("tcp", "open"), ("turn", "open")):
            await expect(shown(f"trial-{way}")).to_have_attribute("data-state", state)
        await expect(shown("trial-udp")).to_contain_text(f"Let UDP port 7882 through to {far.network.server.address}")
        await expect(shown("trial-tcp")).to_contain_text(" s")
        await expect(shown("trial")).to_contain_text("sound and pictures come by TCP")
    (meeting,) = await asyncio.to_thread(far.meetctl.status)
    known = {person["identity"] for person in before["people"]}
    assert [person for person in meeting["people"] if person["identity"] not in known] == []
