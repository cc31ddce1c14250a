"""How a program joins: whoever listens keeps two connections, for what comes and for what goes."""

from __future__ import annotations

from typing import cast

import pytest
from livekit import rtc
from meetctl_agents.room.joining import join
from pydantic import SecretStr

from meetctl.settings import LiveKitCredentials
from testing.agents.staging import CHAIR, assignment


class Door:
    """Takes note of how somebody joins."""

    options: rtc.RoomOptions

    async def connect(self, url: str, token: str, options: rtc.RoomOptions) -> None:
        self.options = options


@pytest.mark.parametrize(("identity", "one_connection"), [(CHAIR, False), ("ada", None)])
async def test_the_chair_alone_joins_over_two_connections_and_nobody_subscribes_unasked(
    identity: str, one_connection: bool | None
) -> None:
    door = Door()
    server = LiveKitCredentials("ws://127.0.0.1:1", "key", SecretStr("secret"))
    await join(cast(rtc.Room, door), assignment(server, "standup", SecretStr("token"), identity))
    assert (door.options.auto_subscribe, door.options.single_peer_connection) == (False, one_connection)
