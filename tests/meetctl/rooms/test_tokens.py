from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from livekit import api, rtc
from pydantic import SecretStr

from meetctl.errors import LiveKitError
from meetctl.rooms import Rooms, agent_token, chair_token, guest_token, meet_link
from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken
from tests.meetctl.rooms.joining import WAIT_TIMEOUT_S, joined, wait_for

CREDENTIALS = LiveKitCredentials("ws://127.0.0.1:7880", "APIkey", SecretStr("s" * 40))


def claims(token: SecretStr) -> dict[str, Any]:
    api.TokenVerifier(CREDENTIALS.api_key, "s" * 40).verify(token.get_secret_value())
    decoded: dict[str, Any] = jwt.decode(token.get_secret_value(), options={"verify_signature": False})
    return {key: value for key, value in decoded.items() if key not in ("nbf", "exp")}


def test_an_agent_may_join_one_room_and_describe_itself_and_no_more() -> None:
    assert claims(agent_token(CREDENTIALS, room="standup", identity="ada", name="Ada")) == {
        "sub": "ada",
        "iss": "APIkey",
        "name": "Ada",
        "kind": "agent",
        "attributes": {"mc.role": "agent", "mc.seat": "ada"},
        "video": {
            "roomJoin": True,
            "room": "standup",
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
            "canUpdateOwnMetadata": True,
        },
    }


def test_the_chair_may_hear_and_write_and_has_nothing_to_show() -> None:
    assert claims(chair_token(CREDENTIALS, room="standup", identity="chair", name="Chair")) == {
        "sub": "chair",
        "iss": "APIkey",
        "name": "Chair",
        "kind": "agent",
        "attributes": {"mc.role": "chair", "mc.seat": "chair"},
        "video": {
            "roomJoin": True,
            "room": "standup",
            "canPublish": False,
            "canSubscribe": True,
            "canPublishData": True,
        },
    }


def test_a_guest_may_show_and_say_what_people_do_but_not_say_who_they_are() -> None:
    assert claims(guest_token(CREDENTIALS, room="standup", identity="bob-1", name="Bob")) == {
        "sub": "bob-1",
        "iss": "APIkey",
        "name": "Bob",
        "kind": "standard",
        "video": {
            "roomJoin": True,
            "room": "standup",
            "canPublish": True,
            "canPublishSources": ["microphone", "camera", "screen_share", "screen_share_audio", "unknown"],
            "canSubscribe": True,
            "canPublishData": True,
            "canUpdateOwnMetadata": False,
        },
    }


def test_a_token_lasts_as_long_as_asked_for() -> None:
    token = agent_token(CREDENTIALS, room="standup", identity="ada", name="Ada", ttl=timedelta(minutes=5))
    decoded = jwt.decode(token.get_secret_value(), options={"verify_signature": False})
    assert decoded["exp"] - decoded["nbf"] == pytest.approx(300, abs=1)


def test_an_empty_key_pair_is_refused_rather_than_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_KEY", "somebody-elses")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "s" * 40)
    empty = LiveKitCredentials("ws://127.0.0.1:7880", "", SecretStr(""))
    with pytest.raises(LiveKitError, match=r"key pair of .* is empty"):
        agent_token(empty, room="standup", identity="ada", name="Ada")


def test_a_token_does_not_show_itself() -> None:
    token = guest_token(CREDENTIALS, room="standup", identity="bob", name="Bob")
    assert "eyJ" not in f"{token} {token!r}"


def test_a_meet_link_keeps_address_and_token_whole() -> None:
    link = meet_link("https://meet.example/", "wss://host.example:443/a?b=c&d", SecretStr("a.b+c/d="))
    assert link.startswith("https://meet.example/custom?liveKitUrl=wss%3A%2F%2F")
    assert parse_qs(urlsplit(link).query) == {"liveKitUrl": ["wss://host.example:443/a?b=c&d"], "token": ["a.b+c/d="]}


async def test_the_server_lets_an_agent_change_its_attributes_and_refuses_a_guest(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    async with (
        Rooms(livekit_server) as rooms,
        joined(livekit_server.url, mint_token("ada", role="agent")) as agent,
        joined(livekit_server.url, mint_token("mallory")) as guest,
    ):
        for room in (guest, agent):
            await room.local_participant.set_attributes({"mc.role": "chair"})
            track = rtc.LocalAudioTrack.create_audio_track("voice", rtc.AudioSource(48_000, 1))
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await room.local_participant.publish_track(track, options)

        async def both_publish() -> bool:  # asked for after the attributes, on the same connection
            return all(p.publishes for p in await rooms.participants(room_name))

        await wait_for(both_publish, "both tracks on the server")
        assert {p.identity: dict(p.attributes) for p in await rooms.participants(room_name)} == {
            "ada": {"mc.role": "chair", "mc.seat": "ada"},
            "mallory": {},
        }


async def test_the_server_lets_the_chair_write_and_not_publish(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def receive(packet: rtc.DataPacket) -> None:
        received.set_result(packet.data)

    async with (
        api.LiveKitAPI(
            livekit_server.url, livekit_server.api_key, livekit_server.api_secret.get_secret_value()
        ) as livekit_api,
        joined(livekit_server.url, mint_token("bob")) as guest,
        joined(livekit_server.url, mint_token("chair", role="chair")) as chair,
    ):
        guest.on("data_received", receive)
        await chair.local_participant.publish_data(b"order, order")
        async with asyncio.timeout(WAIT_TIMEOUT_S):
            assert await received == b"order, order"
        seat = await livekit_api.room.get_participant(api.RoomParticipantIdentity(room=room_name, identity="chair"))
        assert (seat.permission.can_publish, seat.permission.can_subscribe) == (False, True)
