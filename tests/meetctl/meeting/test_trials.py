"""Rooms for visitors who test their connection: a new one each minute, none of them for long."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from pydantic import SecretStr

from meetctl.meeting import trials
from meetctl.meeting.trials import MOST_THERE, OPEN_S, TrialRooms
from meetctl.reach.signaling import identity_of, room_of
from meetctl.rooms import Rooms
from meetctl.settings import LiveKitCredentials

CREDENTIALS = LiveKitCredentials("ws://127.0.0.1:9", "key", SecretStr("s" * 32))


class Server:
    def __init__(self) -> None:
        self.rooms: list[str] = []
        self.made: list[tuple[str, int, int]] = []

    async def create(self, room: str, *, lasts_s: int, most: int) -> bool:
        self.made.append((room, lasts_s, most))
        if room not in self.rooms:
            self.rooms.append(room)
        return True

    async def delete(self, room: str) -> bool:
        self.rooms.remove(room)
        return True


async def test_visitors_share_a_room_for_a_while_and_each_way_has_a_token_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    rooms = TrialRooms(cast(Rooms, server), CREDENTIALS, by_tcp=True, failed=lambda *told: pytest.fail(str(told)))
    first, second = await rooms.begin(), await rooms.begin()
    tokens = [token.get_secret_value() for trial in (first, second) for token in (trial.udp, trial.tcp) if token]
    assert len({identity_of(token) for token in tokens}) == 4
    (room,) = {room_of(token) for token in tokens}
    assert server.made == [(room, int(OPEN_S), MOST_THERE)] * 2
    monkeypatch.setattr(trials, "FILLED_S", -1.0)
    await rooms.begin()
    assert len(server.rooms) == 2
    await rooms.aclose()


async def test_a_room_is_closed_behind_whoever_stays_and_loopback_has_no_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "OPEN_S", 0.01)
    server = Server()
    rooms = TrialRooms(cast(Rooms, server), CREDENTIALS, by_tcp=False, failed=lambda *told: pytest.fail(str(told)))
    assert (await rooms.begin()).tcp is None
    async with asyncio.timeout(5):
        while server.rooms:
            await asyncio.sleep(0.005)
    await rooms.aclose()
