"""Measures what the doctor judges: sockets, interfaces, programs, packages, servers. Every probe is bounded.

It asks only servers that the roster or the environment names, with short time limits, opens no avatar session, and
sends datagrams on loopback alone.
"""

from __future__ import annotations

import importlib.metadata
import ipaddress
import os
import socket
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import psutil
from pydantic import SecretStr

from meetctl import rooms
from meetctl.doctor.findings import Interface, Proxy, Socket, WebAnswer
from meetctl.errors import LiveKitError
from meetctl.protocol.proxies import PROXIES, spelled
from meetctl.rooms.http import session_for
from meetctl.settings import LiveKitCredentials

LOOPBACK = "127.0.0.1"
DATAGRAM_S = 1.0
"""One on loopback arrives in microseconds, or never."""
ANSWER_S = 5.0
"""A far server answers in under a second; a firewall that swallows packets never does."""
TOKEN_S = {"maxSessionLength": 60, "maxIdleTime": 30}
"""Asked for with a token that nobody uses: it is what tells whether key, credit and face are good."""
MAX_BODY = 64 * 1024
PROXY_S = 2.0
DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}


def probe_sockets() -> tuple[Socket, ...]:
    """Opens what a meeting opens: TCP and UDP on loopback, with a datagram sent, and UDP on every other interface."""
    others = {each.address for each in interfaces() if ":" not in each.address}
    return (
        Socket("a TCP port", LOOPBACK, _try_bind(socket.SOCK_STREAM, LOOPBACK)),
        Socket("UDP, sent and received", LOOPBACK, _try_datagram()),
        *(Socket("a UDP port", address, _try_bind(socket.SOCK_DGRAM, address)) for address in sorted(others)),
    )


def interfaces() -> tuple[Interface, ...]:
    """Returns the addresses that ICE offers: of every interface that is up, loopback and link-local aside."""
    stats = psutil.net_if_stats()
    found = []
    for name, addresses in psutil.net_if_addrs().items():
        if name in stats and not stats[name].isup:
            continue
        for each in addresses:
            if each.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            address = ipaddress.ip_address(each.address.split("%")[0])
            if not address.is_loopback and not address.is_link_local:
                found.append(Interface(name, str(address)))
    return tuple(found)


def probe_proxies(variables: Mapping[str, str]) -> tuple[Proxy, ...]:
    """Returns the proxies of the environment, each after a try to connect to it."""
    return tuple(_try_proxy(name, variables[name]) for name in sorted(spelled(PROXIES)) if variables.get(name))


def _try_proxy(variable: str, value: str) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
    except ValueError:
        return Proxy(variable, "no address", "it cannot be read")
    shown = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        socket.create_connection((host, port), timeout=PROXY_S).close()
    except OSError as error:
        return Proxy(variable, shown, f"cannot connect: {error.strerror or error}")
    return Proxy(variable, shown)


def requirements() -> list[str]:
    """Returns what this very meetctl says it needs."""
    return importlib.metadata.requires("meetctl") or []


def installed(names: Iterable[str]) -> dict[str, str]:
    """Returns the versions of those that are there, by lower-case name."""
    found = {}
    for name in names:
        try:
            found[name.lower()] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def free_memory_mb() -> float:
    """Returns what can be had without swapping, in millions of bytes."""
    return psutil.virtual_memory().available / 1e6


async def ask_livekit(
    credentials: LiveKitCredentials, room: str
) -> tuple[tuple[str, str | None] | None, float, float | None]:
    """Returns what is wrong (message and hint) or None, how long it took (ms), and how far its clock is ahead (s)."""
    parts = urlsplit(credentials.url)
    page = parts._replace(scheme=parts.scheme.replace("ws", "http"), path="/", query="", fragment="").geturl()
    clock = (await _get(page, {})).skew_s
    began = time.monotonic()
    try:
        async with rooms.Rooms(credentials, timeout=ANSWER_S) as service:
            await service.exists(room)
    except LiveKitError as error:
        return (error.message, error.hint), 0.0, clock
    return None, (time.monotonic() - began) * 1000, clock


async def ask_simli(url: str, key: SecretStr, face_id: str | None) -> tuple[WebAnswer, WebAnswer | None]:
    """Returns what Simli says of the sessions under way, and to the wish for a session with this face."""
    headers = {"x-simli-api-key": key.get_secret_value()}
    sessions = await _get(f"{url}/ratelimiter/sessions", headers)
    if face_id is None:
        return sessions, None
    wish = {"faceId": face_id, "apiVersion": "v2", "handleSilence": True, "audioInputFormat": "pcm16", **TOKEN_S}
    return sessions, await _get(f"{url}/compose/token", headers, body=wish)


async def _get(url: str, headers: dict[str, str], *, body: dict[str, object] | None = None) -> WebAnswer:
    import aiohttp

    sent = time.time()
    try:
        async with (
            session_for(url, ANSWER_S) as session,
            session.request("GET" if body is None else "POST", url, headers=headers, json=body) as response,
        ):
            text = (await response.content.read(MAX_BODY)).decode(errors="replace")
            return WebAnswer(response.status, text, _skew(response.headers.get("Date"), (sent + time.time()) / 2))
    except TimeoutError:
        return WebAnswer(error=f"no answer within {ANSWER_S:.0f} s")
    except aiohttp.ClientConnectorError as error:
        return WebAnswer(error=f"cannot connect: {error.os_error.strerror or error.os_error}")
    except (aiohttp.ClientError, ValueError) as error:
        return WebAnswer(error=str(error) or type(error).__name__)


def _skew(date: str | None, now: float) -> float | None:
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp() + 0.5 - now
    except ValueError:
        return None


def _try_bind(kind: socket.SocketKind, address: str) -> str | None:
    with socket.socket(socket.AF_INET, kind) as opened:
        try:
            opened.bind((address, 0))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _try_datagram() -> str | None:
    word = os.urandom(8)
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        ):
            receiver.bind((LOOPBACK, 0))
            receiver.settimeout(DATAGRAM_S)
            sender.sendto(word, receiver.getsockname())
            return None if receiver.recv(64) == word else "something else came than was sent"
    except TimeoutError:
        return f"nothing came within {DATAGRAM_S:.0f} s: a firewall drops it"
    except OSError as error:
        return error.strerror or str(error)
