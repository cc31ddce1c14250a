"""The LiveKit stand-in: what a local `livekit-server` is told, and when it answers.

It writes the configuration and knocks; `livekit_binary.py` finds the program, and the supervisor runs it.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from meetctl.errors import StandInError
from meetctl.local.addresses import outer_address
from meetctl.local.ports import LOOPBACK, free_ports
from meetctl.settings import LiveKitCredentials

SERVE_TIMEOUT_S = 20.0
"""livekit-server answers in 0.2 s; a machine busy loading models has been seen to take several seconds."""

PROBE_INTERVAL_S = 0.03
"""Between two knocks; the meeting waits for this, so it is short."""

PROBE_TIMEOUT_S = 2.0
"""Runs out where something accepts the connection and then says nothing."""

NO_STUN = f"{LOOPBACK}:3478"
"""Nobody is there. With no STUN server named, livekit-server names a public one to everybody who joins; one whose port
is on the browsers' list of blocked ports, Firefox takes for a reason not to connect at all."""

NO_DOMAIN = "turn.invalid"
"""livekit-server wants a name for TURN, and takes no address of IPv6 for one."""

SECRET_BYTES = 36
"""48 characters of base64; livekit-server complains below 32."""


@dataclass(frozen=True, slots=True)
class OuterMedia:
    """Where people on other machines send and receive media: one address, and three ways to it."""

    address: str
    udp_port: int
    tcp_port: int
    """ICE over TCP, where UDP is dropped. livekit-server listens to it on every address of the machine."""
    turn_port: int | None
    """TURN in the clear, for whoever ends TLS before it; None = there is none."""
    node_ip: str | None = None
    """Where people send media, where a router passes it on to `address` from there."""

    @property
    def turn(self) -> tuple[str, int] | None:
        """Returns host and port of TURN, None where there is none."""
        return None if self.turn_port is None else (self.address, self.turn_port)

    @property
    def network(self) -> str:
        """Returns the address as livekit-server takes it."""
        return f"{self.address}/{128 if ':' in self.address else 32}"


@dataclass(frozen=True, slots=True)
class LiveKitConfig:
    """One local server: its ports on loopback and the key pair that rules it."""

    port: int
    """Signaling and API, TCP."""
    media_port: int
    """All media, UDP."""
    api_key: str
    api_secret: SecretStr
    outer: str | None = None
    """An address of this machine that is not loopback, for media alone: Firefox sends none to a loopback address.

    None = the machine has none, and Firefox cannot join.
    """
    reach: OuterMedia | None = None
    """None = media is for this machine alone."""

    @property
    def url(self) -> str:
        return f"ws://{LOOPBACK}:{self.port}"

    @property
    def credentials(self) -> LiveKitCredentials:
        return LiveKitCredentials(self.url, self.api_key, self.api_secret)


def new_server_config(reach: OuterMedia | None = None) -> LiveKitConfig:
    """Returns a configuration with free ports and a key pair made for this meeting alone.

    Args:
        reach: None = for this machine alone.
    """
    (port,), (media_port,) = free_ports(tcp=1, udp=1)
    return LiveKitConfig(
        port=port,
        media_port=media_port if reach is None else reach.udp_port,
        api_key="API" + secrets.token_hex(6),
        api_secret=SecretStr(secrets.token_urlsafe(SECRET_BYTES)),
        outer=outer_address(media_port) if reach is None else reach.address,
        reach=reach,
    )


def write_config(config: LiveKitConfig, path: Path) -> None:
    """Writes livekit-server's configuration file, readable by its owner alone: it holds the secret."""
    content = {
        "port": config.port,
        "bind_addresses": [LOOPBACK],
        "rtc": {"use_external_ip": False, "stun_servers": [NO_STUN], **_media(config)},
        # A mistyped room name must fail, not open a room that nobody deletes.
        "room": {"auto_create": False},
        "keys": {config.api_key: config.api_secret.get_secret_value()},
    }
    if config.reach is not None and config.reach.turn_port is not None:
        content["turn"] = _turn(config.reach)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)  # JSON is YAML too
    partial.replace(path)


def _media(config: LiveKitConfig) -> dict[str, object]:
    if (reach := config.reach) is not None:
        # One address for everybody, agents too: the kernel keeps what goes to it from here on this machine.
        return {
            "udp_port": reach.udp_port,
            "tcp_port": reach.tcp_port,
            "node_ip": reach.node_ip or reach.address,
            "ips": {"includes": [reach.network]},
        }
    listened = [LOOPBACK] if config.outer is None else [LOOPBACK, config.outer]
    return {
        # Media over TCP would listen on every interface, whatever bind_addresses says; loopback never needs it.
        "tcp_port": 0,
        "udp_port": config.media_port,
        # What is named here is announced in the place of every address of its family. Without it the server would
        # look for itself, which fails on a machine without network, and ask the STUN servers below: so the other
        # family's.
        "node_ip": LOOPBACK if config.outer is None else "::1",
        # Without these two the server binds UDP on every interface but loopback.
        "enable_loopback_candidate": True,
        "ips": {"includes": [f"{address}/32" for address in listened]},
    }


def _turn(reach: OuterMedia) -> dict[str, object]:
    return {
        "enabled": True,
        # Who asks through the TLS port is told its own name and port instead; this has only to be one that passes.
        "domain": NO_DOMAIN,
        "tls_port": reach.turn_port,
        "external_tls": True,
        # What is relayed leaves from here: Firefox takes nothing by a relay whose address others see as loopback.
        "bind_addresses": [reach.address],
        # Else a relay appears, looks well and carries nothing. What is named can be sent to by whoever has a token.
        "allow_restricted_peer_cidrs": [reach.network],
    }


def server_argv(binary: Path, config_path: Path) -> list[str]:
    """Returns the command line; the secret is in the file, not here."""
    return [str(binary), "--config", str(config_path)]


async def wait_until_serving(url: str, *, timeout: float = SERVE_TIMEOUT_S, log: Path | None = None) -> None:
    """Waits until the LiveKit server at this ws(s) or http(s) address says that it is well.

    Raises:
        StandInError: naming the address and the last thing that was got from it.
    """
    import aiohttp

    parts = urlsplit(url)
    http_url = parts._replace(scheme=parts.scheme.replace("ws", "http"), path="/", query="", fragment="").geturl()
    last = "no answer"
    try:
        async with (
            asyncio.timeout(timeout),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)) as session,
        ):
            while True:
                try:
                    async with session.get(http_url) as response:
                        text = (await response.text())[:80]
                        if response.status == 200:
                            return
                        last = f"HTTP {response.status} {text!r}"
                except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError) as error:
                    last = str(error) or type(error).__name__
                await asyncio.sleep(PROBE_INTERVAL_S)
    except TimeoutError:
        raise StandInError(
            f"livekit-server did not answer at {http_url} within {timeout:g} s: {last}",
            hint=f"read its log: {log}" if log else None,
        ) from None
