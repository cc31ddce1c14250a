"""Opens the door to other machines: finds the address, holds the port, makes or checks the certificate."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meetctl.errors import ConflictError, UsageError
from meetctl.local.livekit import OuterMedia
from meetctl.local.ports import LOOPBACK
from meetctl.reach.addresses import AUTO, OuterAddress, find_address, is_loopback_host, own_addresses
from meetctl.reach.node_address import resolve_node_ip
from meetctl.reach.way_in import WayIn
from meetctl.roster import PublicUrl, ReachChoice
from meetctl.settings import STATE, private_dir
from meetctl.supervisor.tasks import begun

HTTPS_PORT = 443
"""Networks that let only one port through mostly let this one."""
PORT = 7443
"""Where 443 may not be bound, or is somebody else's."""
PROXIED_PORT = 7444
"""On loopback, where a proxy stands in front."""
UDP_PORT, TCP_PORT = 7882, 7881
"""LiveKit's own, which firewalls may know; others are taken where these are."""
AUTHORITY_DIRECTORY = "authority"
_CLOSED = (errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Reach:
    """An open door; `listening` is bound, and accepts once somebody listens on it."""

    place: OuterAddress
    port: int
    listening: socket.socket
    context: ssl.SSLContext | None
    """None = a proxy on this machine ends TLS, and what comes here is in the clear."""
    media: OuterMedia
    authority: bytes | None
    """The certificate that a visitor may come to trust; None where the pair was given."""
    fingerprint: str | None
    others: tuple[OuterAddress, ...]
    """Other addresses of this machine, by which nobody comes in now."""
    public_url: PublicUrl | None = None
    """Where the proxy serves what it gets here; None = nothing stands in front."""

    @property
    def url(self) -> str:
        """What stands before the page's path, as `https://10.0.0.5:7443` or `https://meet.example.org/team`."""
        if self.public_url is not None:
            return str(self.public_url).rstrip("/")
        return f"https://{_authority(self.place.host, self.port)}"

    @property
    def way_in(self) -> WayIn:
        """How a browser asks by this way."""
        if self.public_url is not None:
            return WayIn("https", frozenset({self.public_url.host}), self.public_url.base, is_behind_proxy=True)
        address = OuterAddress(self.place.address, self.place.address).host
        return WayIn("https", frozenset(_authority(name, self.port) for name in (self.place.host, address)))


@asynccontextmanager
async def opened_reach(choice: ReachChoice | None, state: Path, *, own_server: bool) -> AsyncIterator[Reach | None]:
    """Does what `open_reach` does, and lets everything else go on meanwhile: names are looked up, servers asked."""
    stack = ExitStack()
    opening = begun(asyncio.to_thread(stack.enter_context, open_reach(choice, state, own_server=own_server)))

    def close(opened: asyncio.Future[Reach | None]) -> None:
        stack.close()
        if not opened.cancelled():
            opened.exception()  # told already, or of interest to nobody who broke it off

    try:
        yield await asyncio.shield(opening)
    finally:
        if opening.done():
            close(opening)
        else:
            opening.add_done_callback(close)  # no thread can be broken off


@contextmanager
def open_reach(choice: ReachChoice | None, state: Path, *, own_server: bool = True) -> Iterator[Reach | None]:
    """Yields the door that was asked for, None where only this machine is to reach the meeting.

    Args:
        state: the user's own directory, where the authority is kept.
        own_server: whether media comes to this machine too; else nobody is asked where.

    Raises:
        UsageError: if the address is not this machine's, or is to be served without TLS; if nobody says where media
            is to come in.
        SettingsError: if the certificate does not fit.
        ConflictError: if the port is taken.
    """
    if choice is None or choice.host is None or is_loopback_host(choice.host):
        yield None
        return
    if choice.public_url is not None:
        with _behind_proxy(choice, choice.public_url, own_server) as reach:
            yield reach
        return
    if not choice.tls:
        raise UsageError(
            f"{choice.host} is not served without TLS: browsers give a page that comes in the clear from another"
            " machine neither microphone nor camera",
            hint="leave tls out, and meetctl makes a certificate",
        )
    places = own_addresses()
    place = find_address(choice.host, places)
    listening, port = _hold(place.address, choice.port)
    with listening:
        context, authority, fingerprint = _serving(choice, place, places, state)
        media = _media_at(place, choice, _free(place.address, 0, socket.SOCK_STREAM), own_server)
        yield Reach(place, port, listening, context, media, authority, fingerprint, _others(place, places))


@contextmanager
def _behind_proxy(choice: ReachChoice, public_url: PublicUrl, own_server: bool) -> Iterator[Reach]:
    places = own_addresses()
    place = find_address(choice.host or AUTO, places)
    listening, port = _hold(LOOPBACK, choice.port or PROXIED_PORT)
    with listening:
        # A proxy that ends TLS passes no TURN on.
        media = _media_at(place, choice, None, own_server)
        yield Reach(place, port, listening, None, media, None, None, _others(place, places), public_url)


def _media_at(place: OuterAddress, choice: ReachChoice, turn_port: int | None, own_server: bool) -> OuterMedia:
    node_ip = choice.node_ip if own_server else None
    return OuterMedia(
        place.address,
        _free(place.address, UDP_PORT, socket.SOCK_DGRAM),
        _free("" if not place.is_ipv6 else "::", TCP_PORT, socket.SOCK_STREAM),
        turn_port,
        node_ip=None if node_ip is None else resolve_node_ip(node_ip, place.address),
    )


def _others(place: OuterAddress, places: Sequence[OuterAddress]) -> tuple[OuterAddress, ...]:
    return tuple(other for other in places if other.address != place.address)


def _serving(
    choice: ReachChoice, place: OuterAddress, places: Sequence[OuterAddress], state: Path
) -> tuple[ssl.SSLContext, bytes | None, str | None]:
    from meetctl.reach.authority import keep_authority
    from meetctl.reach.certificates import given_context, own_context

    now = datetime.now(UTC)
    if choice.tls_cert is not None and choice.tls_key is not None:
        return given_context(choice.tls_cert, choice.tls_key, place.name, now=now), None, None
    authority = keep_authority(private_dir(state / AUTHORITY_DIRECTORY, STATE), now=now)
    hosts = [place.name, *(one.address for one in places), socket.gethostname()]
    context = own_context(authority, [host for host in hosts if _can_be_certified(host)], now=now)
    return context, authority.pem, authority.fingerprint


def _can_be_certified(host: str) -> bool:
    return host.isascii() and 0 < len(host) <= 253


def _hold(address: str, port: int | None) -> tuple[socket.socket, int]:
    """Returns a bound socket: at this port, or at the first of ours that is free."""
    for candidate in (port,) if port is not None else (HTTPS_PORT, PORT):
        try:
            return _bound(address, candidate), candidate
        except OSError as error:
            last, tried = error, candidate
    reason = os.strerror(last.errno) if last.errno else str(last)
    hint = f"--port {PORT}" if last.errno in _CLOSED and tried != PORT else "--port PORT, with another one"
    raise ConflictError(f"port {tried} of {address} cannot be used: {reason}", hint=hint)


def _bound(address: str, port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
        found.listen(128)  # a port that is only bound lets a second one bind it too
    except OSError:
        found.close()
        raise
    return found


def _free(address: str, wanted: int, kind: socket.SocketKind) -> int:
    """Returns the wanted port, or a free one where it is taken."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as probe:
            if kind is socket.SOCK_STREAM:  # as whoever binds it does: connections that have ended still linger there
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConflictError(f"no free port is left at {address}", hint="end some programs")


def _authority(host: str, port: int) -> str:
    return host if port == HTTPS_PORT else f"{host}:{port}"
