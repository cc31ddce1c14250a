from __future__ import annotations

import time
from dataclasses import replace

import pytest
from livekit import api, rtc

from meetctl.protocol import MediaKind
from meetctl.rooms import ParticipantInfo, ParticipantKind, Rooms
from meetctl.rooms.service import DEPARTURE_TIMEOUT_S, EMPTY_TIMEOUT_S
from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken
from tests.meetctl.rooms.joining import joined, wait_for


async def room_as_the_server_sees_it(credentials: LiveKitCredentials, room: str) -> api.Room:
    async with api.LiveKitAPI(
        credentials.url, credentials.api_key, credentials.api_secret.get_secret_value()
    ) as livekit_api:
        answer = await livekit_api.room.list_rooms(api.ListRoomsRequest(names=[room]))
    return answer.rooms[0]


async def test_a_room_is_created_once_and_deleted_once(livekit_server: LiveKitCredentials) -> None:
    async with Rooms(livekit_server) as rooms:
        seen = [
            await rooms.exists("once"),
            await rooms.create("once"),
            await rooms.create("once"),
            await rooms.exists("once"),
            await rooms.delete("once"),
            await rooms.delete("once"),
            await rooms.exists("once"),
        ]
    assert seen == [False, True, False, True, True, False, False]


async def test_the_server_takes_the_week_that_a_room_may_stand_empty(
    livekit_server: LiveKitCredentials, room_name: str
) -> None:
    room = await room_as_the_server_sees_it(livekit_server, room_name)
    assert (room.empty_timeout, room.departure_timeout) == (EMPTY_TIMEOUT_S, DEPARTURE_TIMEOUT_S)


async def test_a_room_of_somebody_else_is_left_as_it_is(livekit_server: LiveKitCredentials) -> None:
    async with (
        Rooms(livekit_server) as rooms,
        api.LiveKitAPI(
            livekit_server.url, livekit_server.api_key, livekit_server.api_secret.get_secret_value()
        ) as livekit_api,
    ):
        theirs = api.CreateRoomRequest(name="theirs", empty_timeout=60, departure_timeout=30, metadata="mine")
        await livekit_api.room.create_room(theirs)
        assert await rooms.create("theirs", metadata="ours") is False
        room = await room_as_the_server_sees_it(livekit_server, "theirs")
        await rooms.delete("theirs")
    assert (room.empty_timeout, room.departure_timeout, room.metadata) == (60, 30, "mine")


async def test_participants_are_listed_with_kind_role_and_what_they_publish(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    began = time.time()
    async with (
        Rooms(livekit_server) as rooms,
        joined(livekit_server.url, mint_token("bob", name="Bob B.")),
        joined(livekit_server.url, mint_token("ada", role="agent")) as agent,
    ):
        source = rtc.AudioSource(48_000, 1)
        await agent.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("voice", source))

        async def published() -> bool:
            listed = await rooms.participants(room_name)
            return all(p.active for p in listed) and any(p.publishes for p in listed)

        await wait_for(published, "both active, one of them publishing")
        listed = await rooms.participants(room_name)
        assert all(began - 1 <= p.joined_at <= time.time() + 1 for p in listed)
        assert [[track.muted for track in p.tracks] for p in listed] == [[], [False]]
        assert tuple(replace(p, joined_at=0.0, tracks=()) for p in listed) == (
            ParticipantInfo("bob", "Bob B.", ParticipantKind.STANDARD, True, {}, frozenset()),
            ParticipantInfo(
                "ada",
                "Ada",
                ParticipantKind.AGENT,
                True,
                {"mc.role": "agent", "mc.seat": "ada"},
                frozenset({MediaKind.AUDIO}),
            ),
        )
        assert [p.role for p in listed] == [None, "agent"]


async def test_nobody_is_in_a_room_that_is_not_there(livekit_server: LiveKitCredentials) -> None:
    async with Rooms(livekit_server) as rooms:
        assert await rooms.participants("nowhere") == ()
        assert await rooms.remove("nowhere", "nobody") is False


async def test_a_removed_participant_is_told_and_gone(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    async with Rooms(livekit_server) as rooms, joined(livekit_server.url, mint_token("bob")) as bob:
        reasons: list[rtc.DisconnectReason.ValueType] = []
        bob.on("disconnected", reasons.append)
        assert await rooms.remove(room_name, "bob") is True

        async def gone() -> bool:
            return bool(reasons) and await rooms.participants(room_name) == ()

        await wait_for(gone, "bob told and gone")
        assert reasons == [rtc.DisconnectReason.PARTICIPANT_REMOVED]
        assert await rooms.remove(room_name, "bob") is False


async def test_a_room_that_nobody_created_cannot_be_joined(
    livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    with pytest.raises(rtc.ConnectError):
        async with joined(livekit_server.url, mint_token("bob", room="mistyped")):
            pass


async def test_rooms_outside_its_context_is_a_mistake_in_the_program(livekit_server: LiveKitCredentials) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Rooms(livekit_server).exists("standup")
