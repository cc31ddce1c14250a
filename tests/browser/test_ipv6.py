"""A network of IPv6 alone: a person joins by the link, with nothing open but the one TLS port.

Real hosts of the test's own, the installed command, a real Chromium that knows the authority by its own store.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from testing.browser.elsewhere import TONE, light_roster, person_on
from testing.fixtures.command import command_in
from testing.fixtures.networks import Network

pytestmark = pytest.mark.root

SERVER, PERSON = "fd77::1", "fd77::2"
PORT = 7443
WITHIN_S = 60.0


async def test_a_person_joins_over_ipv6_alone_through_the_one_port(
    network: Network, built_page: None, tmp_path: Path
) -> None:
    network.person.drop_ipv4_and_all_but(PORT)
    with (
        network.server.with_ipv6(SERVER),
        network.person.with_ipv6(PERSON),
        command_in(tmp_path, prefix=network.server.prefix) as meetctl,
    ):
        (tmp_path / "six.yaml").write_text(light_roster("six"), encoding="utf-8")
        up = await asyncio.to_thread(meetctl, "up", "six.yaml", "-d", "--host", SERVER, "--port", str(PORT))
        assert up.code == 0, up.err
        assert up.out.startswith(f"https://[{SERVER}]:{PORT}/six#")
        authority = tmp_path / "state/meetctl/authority/authority.pem"
        async with person_on(network.person, up.out.strip(), authority, tmp_path) as person:
            await person.join("Ida")
            began = await person.now()
            await person.say(TONE)
            await person.wait_for_voice("tone", began)
            async with asyncio.timeout(WITHIN_S):
                while (await asyncio.to_thread(meetctl.status))[0]["people"][0]["path"] != "relay-tls":
                    await asyncio.sleep(0.2)
