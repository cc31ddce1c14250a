"""A test of the connection, for whoever has no invite: how often, and what their page is told to try.

What is given out lets nobody see, hear or tell anybody anything, and opens no relay.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, SecretStr

from meetctl.errors import MeetctlError
from meetctl.web.gate import parse, refuse, too_many
from meetctl.web.rate import Bucket, Buckets

TRIAL_PATH = "/api/trial"
OF_ADDRESS_AT_ONCE, OF_ADDRESS_A_SECOND = 6, 1 / 10
OF_ALL_AT_ONCE, OF_ALL_A_SECOND = 20, 1.0
"""Each costs the server two connections for some seconds."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one visitor may try with."""

    udp: SecretStr
    """Token of a participant that is nobody, in a room where nobody is; another one for each way."""
    tcp: SecretStr | None
    """None = the server takes no media by TCP."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What has to be open for media; None = there is no such way, or it is of this machine alone."""

    address: str | None
    """Where media goes; None = only from this machine."""
    udp: int | None
    tcp: int | None


class TrialDesk(Protocol):
    async def begin(self) -> Trial:
        """Returns what one visitor may try with; raises MeetctlError where nothing can be tried."""
        ...


class TrialRequest(BaseModel):
    """What the page sends: nothing that says who asks."""

    model_config = ConfigDict(extra="forbid")


class Trials:
    """Answers visitors who test their connection.

    Args:
        desk: where tokens come from.
        ports: what a failure names.
        clock: monotonic seconds.
    """

    def __init__(self, desk: TrialDesk, ports: Ports, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._ports = ports
        self._clock = clock
        self._of_address = Buckets(OF_ADDRESS_AT_ONCE, OF_ADDRESS_A_SECOND)
        self._of_all = Bucket(OF_ALL_AT_ONCE, OF_ALL_A_SECOND)

    async def answer(
        self, request: web.Request, *, livekit_url: str, turn: str | None, authority: str | None
    ) -> web.Response:
        """Answers one request.

        Args:
            livekit_url: as this visitor reaches signaling.
            turn: the address of TURN over TLS as they reach it; None = there is none.
            authority: where the certificate of the local authority is; None = there is none.
        """
        await parse(request, TrialRequest)
        buckets = (self._of_address[request.remote or ""], self._of_all)
        if (wait_s := max(bucket.wait_s(self._clock()) for bucket in buckets)) > 0:
            return too_many(wait_s, "Many connections are being tested at this moment.")
        for bucket in buckets:
            bucket.take()
        try:
            trial = await self._desk.begin()
        except MeetctlError:
            return refuse(HTTPStatus.SERVICE_UNAVAILABLE, "no_server", "The media server does not answer.")
        return web.json_response(
            {
                "livekit_url": livekit_url,
                "udp": trial.udp.get_secret_value(),
                "tcp": None if trial.tcp is None else trial.tcp.get_secret_value(),
                "turn": turn,
                "ports": {
                    "address": self._ports.address,
                    "udp": self._ports.udp,
                    "tcp": self._ports.tcp,
                },
                **({} if authority is None else {"authority": authority}),
            }
        )
