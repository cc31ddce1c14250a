"""What whoever starts a meeting is told about the way in: before a link is handed out. Pure."""

from __future__ import annotations

from meetctl.local.ports import LOOPBACK
from meetctl.reach.opening import Reach

TEST_PATH = "/connection"
"""Where a visitor tests their connection."""
AUTHORITY_PATH = "/authority.crt"
"""Where a visitor finds the local authority's certificate."""


def notes_of(reach: Reach, *, own_server: bool = True) -> tuple[str, ...]:
    """Returns sentences: what must be open, which warning a visitor sees, and which other ways there are.

    Args:
        own_server: whether media comes to this machine too; else only the page is here.
    """
    return (*(_of_media(reach) if own_server else _of_the_page(reach)), *_of_others(reach))


def test_note(reach: Reach) -> str:
    """Returns where a visitor finds out what their network lets through."""
    return f"whoever doubts that their network lets them in finds out at {reach.url}{TEST_PATH}, without an invite"


def _of_the_page(reach: Reach) -> list[str]:
    if reach.public_url is not None:
        return [_of_the_proxy(reach)]
    found = [f"people on other machines load the page at port {reach.port}/tcp of {reach.place.address}"]
    if reach.authority is not None:
        found.append("a visitor's browser warns once that it does not know the certificate: it is meetctl's own")
    return found


def _of_the_proxy(reach: Reach) -> str:
    return f"the proxy that serves {reach.url}/ has to pass it on to http://{LOOPBACK}:{reach.port}"


def _of_media(reach: Reach) -> list[str]:
    media = reach.media
    if reach.public_url is not None:
        there = reach.place.address if media.node_ip is None else f"{media.node_ip}, passed on to {reach.place.address}"
        return [
            _of_the_proxy(reach),
            f"sound and pictures do not pass the proxy: people need {media.udp_port}/udp or {media.tcp_port}/tcp of"
            f" {there}. A firewall cannot be seen from here",
        ]
    found = [
        f"people on other machines need port {reach.port}/tcp of {reach.place.address}; with {media.udp_port}/udp and"
        f" {media.tcp_port}/tcp open too, sound and pictures arrive sooner. A firewall cannot be seen from here",
    ]
    if reach.authority is not None:
        found.append(
            "a visitor's browser warns once that it does not know the certificate: it is meetctl's own. Going on is"
            " enough where one of the other two ports is open; where none is, the browser has to trust the authority"
            f" at {reach.url}{AUTHORITY_PATH} (SHA-256 {reach.fingerprint})",
        )
    if reach.place.name == reach.place.address:
        found.append("Firefox needs a name in the link, not an address, to come in through the one port alone")
    return found


def _of_others(reach: Reach) -> list[str]:
    if not reach.others or reach.public_url is not None:
        return []
    listed = ", ".join(f"{place.address} ({place.interface})" for place in reach.others)
    return [f"other addresses of this machine, by which nobody comes in now: {listed}; choose with --host"]
