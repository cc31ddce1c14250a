"""Whether people on other machines could come in, as far as that is seen from here. Opens the door, and closes it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meetctl.doctor.findings import Finding, failure, ok, warning
from meetctl.doctor.proxy import ask_through, judge_proxy
from meetctl.errors import MeetctlError
from meetctl.reach.addresses import is_loopback_host
from meetctl.reach.authority import FILE
from meetctl.reach.opening import AUTHORITY_DIRECTORY, TCP_PORT, UDP_PORT, Reach, open_reach
from meetctl.roster import ReachChoice

CHECK = "reach"


def look_at_reach(choice: ReachChoice | None, state: Path, *, own_server: bool = True) -> list[Finding]:
    """Returns what was found of this way in; nothing where none is asked for.

    Args:
        state: the user's own directory, where an authority may be kept; none is made here.
        own_server: whether media comes to this machine too; else only the page is here.
    """
    if choice is None or choice.host is None:
        return []
    if is_loopback_host(choice.host):
        return [ok(CHECK, f"{choice.host} is for this machine alone")]
    try:
        with (
            _without_making_one(state) as directory,
            open_reach(choice, directory, own_server=own_server) as reach,
        ):
            assert reach is not None
            if reach.public_url is not None:
                return [*judge_proxy(reach, asyncio.run(ask_through(reach))), *_judged_media(reach, own_server)]
            return list(_judged(reach, own_server))
    except MeetctlError as error:
        return [failure(CHECK, error.message, error.hint or "see docs/reach.md")]


def _judged_media(reach: Reach, own_server: bool) -> Iterator[Finding]:
    if not own_server:
        return
    media = reach.media
    ports = f"{media.udp_port}/udp and {media.tcp_port}/tcp"
    there = media.node_ip or reach.place.address
    yield warning(
        CHECK,
        f"sound and pictures come to {there} past the proxy; a firewall in between cannot be seen from here",
        f"allow {ports}; one of the two is enough",
    )


def _judged(reach: Reach, own_server: bool) -> Iterator[Finding]:
    media, page = reach.media, f"{reach.port}/tcp"
    ports = f"{page}, {media.udp_port}/udp and {media.tcp_port}/tcp" if own_server else page
    otherwise = f"; with {page} alone people come in too, later and at a cost" if own_server else ""
    yield ok(CHECK, f"{reach.url} can be served; {ports} can be had at {reach.place.address}")
    yield warning(
        CHECK,
        f"whether a firewall in between lets {'them' if own_server else 'that'} through cannot be seen from here",
        f"allow {ports}{otherwise}",
    )
    if own_server and (media.udp_port, media.tcp_port) != (UDP_PORT, TCP_PORT):
        message = f"{UDP_PORT}/udp or {TCP_PORT}/tcp is taken, by another meeting perhaps"
        yield warning(CHECK, message, "end that one, or allow the ports that `meetctl up` then prints")
    if reach.authority is not None:
        message = "browsers warn of meetctl's own certificate, once"
        yield warning(CHECK, message, "docs/reach.md says how it goes without: tls_cert and tls_key under reach:")


@contextmanager
def _without_making_one(state: Path) -> Iterator[Path]:
    """Yields the directory with the user's authority, or one that is gone afterwards."""
    if (state / AUTHORITY_DIRECTORY / FILE).exists():
        yield state
        return
    with tempfile.TemporaryDirectory(prefix="meetctl-") as directory:
        yield Path(directory)
