"""What each role's token lets somebody do at a real LiveKit server, and what it does not: tried, not read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
import pytest
from livekit import rtc
from pydantic import SecretStr

from meetctl.rooms import agent_token, chair_token, guest_token, observer_token, trial_token
from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken

WAIT_S = 60.0
REFUSED_S = 1.5
"""What is refused in silence is waited for so long; what is allowed takes milliseconds."""
MINT = {
    "guest": guest_token,
    "host": guest_token,
    "observer": observer_token,
    "chair": chair_token,
    "agent": agent_token,
}


async def speaks(room: rtc.Room, seconds: float) -> bool:
    source = rtc.AudioSource(48_000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("mic", source)
    return await publishes(room, source, track, rtc.TrackSource.SOURCE_MICROPHONE, seconds)


async def shows(room: rtc.Room, kind: rtc.TrackSource.ValueType, seconds: float) -> bool:
    source = rtc.VideoSource(64, 64)
    return await publishes(room, source, rtc.LocalVideoTrack.create_video_track("seen", source), kind, seconds)


async def publishes(
    room: rtc.Room,
    source: rtc.AudioSource | rtc.VideoSource,
    track: rtc.LocalTrack,
    kind: rtc.TrackSource.ValueType,
    seconds: float,
) -> bool:
    options = rtc.TrackPublishOptions(source=kind)
    try:
        async with asyncio.timeout(seconds):
            await room.local_participant.publish_track(track, options)
    except (rtc.participant.PublishTrackError, TimeoutError):
        return False
    finally:
        await source.aclose()
    return True


async def writes(room: rtc.Room, listener: rtc.Room, seconds: float) -> bool:
    """Whether what it writes reaches the other."""
    came = asyncio.Event()
    listener.on("data_received", lambda packet: came.set())
    try:
        async with asyncio.timeout(seconds):
            while not came.is_set():
                await room.local_participant.publish_data("hello", reliable=True)
                await asyncio.sleep(0.1)
    except (rtc.participant.PublishDataError, TimeoutError):
        return False
    return True


async def renames_itself(room: rtc.Room, listener: rtc.Room, seconds: float) -> bool:
    await room.local_participant.set_name("Somebody else")
    me = room.local_participant.identity
    try:
        async with asyncio.timeout(seconds):
            while getattr(listener.remote_participants.get(me), "name", None) != "Somebody else":
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


async def calls_itself_chair(room: rtc.Room, seconds: float) -> bool:
    await room.local_participant.set_attributes({"mc.role": "chair"})
    try:
        async with asyncio.timeout(seconds):
            while not room.local_participant.attributes.get("mc.role"):
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


async def hears(room: rtc.Room, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while not any(
                one.track for person in room.remote_participants.values() for one in person.track_publications.values()
            ):
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


async def is_seen(room: rtc.Room, listener: rtc.Room, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while room.local_participant.identity not in listener.remote_participants:
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


Deed = Callable[[rtc.Room, rtc.Room, float], Awaitable[bool]]
"""Of somebody, beside whoever is there, within so many seconds; returns whether it was done."""
DEEDS: dict[str, Deed] = {
    "hears": lambda room, _, seconds: hears(room, seconds),
    "is seen": is_seen,
    "speaks": lambda room, _, seconds: speaks(room, seconds),
    "shows a camera": lambda room, _, seconds: shows(room, rtc.TrackSource.SOURCE_CAMERA, seconds),
    "shows a screen": lambda room, _, seconds: shows(room, rtc.TrackSource.SOURCE_SCREENSHARE, seconds),
    "writes": writes,
    "renames itself": renames_itself,
    "calls itself chair": lambda room, _, seconds: calls_itself_chair(room, seconds),
}
PEOPLE = {"hears", "is seen", "speaks", "shows a camera", "shows a screen", "writes"}
MAY: dict[str, set[str]] = {
    "guest": PEOPLE,
    "host": PEOPLE,
    "observer": {"hears", "is seen"},
    "visitor who tests": set(),
    "chair": {"hears", "is seen", "writes", "calls itself chair"},
    "agent": {*PEOPLE, "renames itself", "calls itself chair"},
}


def token_of(role: str, server: LiveKitCredentials, room: str) -> SecretStr:
    if role not in MINT:
        return trial_token(server, room=room, identity="visitor", ttl=timedelta(minutes=1))
    return MINT[role](server, room=room, identity=f"some-{role}", name=role.title())


@pytest.mark.parametrize("role", MAY)
async def test_a_role_may_do_in_the_room_what_is_its_own_and_nothing_else(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, role: str
) -> None:
    speaker, room = rtc.Room(), rtc.Room()
    await speaker.connect(livekit_server.url, mint_token("ada", role="agent").get_secret_value())
    source = rtc.AudioSource(48_000, 1)
    await speaker.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("voice", source))
    try:
        await room.connect(livekit_server.url, token_of(role, livekit_server, room_name).get_secret_value())
        for name in sorted(MAY[role]):
            assert await DEEDS[name](room, speaker, WAIT_S), name
        refused = DEEDS.keys() - MAY[role]
        done = await asyncio.gather(*(DEEDS[name](room, speaker, REFUSED_S) for name in refused))
        assert [name for name, did in zip(refused, done, strict=True) if did] == []
    finally:
        await room.disconnect()
        await speaker.disconnect()
        await source.aclose()


@pytest.mark.parametrize("role", MAY)
async def test_no_role_s_token_rules_the_server(livekit_server: LiveKitCredentials, room_name: str, role: str) -> None:
    token = token_of(role, livekit_server, room_name).get_secret_value()
    requests: dict[str, dict[str, object]] = {
        "ListRooms": {},
        "CreateRoom": {"name": "another"},
        "DeleteRoom": {"room": room_name},
        "ListParticipants": {"room": room_name},
        "RemoveParticipant": {"room": room_name, "identity": "ada"},
        "MutePublishedTrack": {"room": room_name, "identity": "ada", "track_sid": "x"},
        "UpdateParticipant": {"room": room_name, "identity": "ada"},
        "SendData": {"room": room_name, "data": ""},
    }
    answers = {}
    async with aiohttp.ClientSession(livekit_server.url.replace("ws", "http")) as client:
        for method, body in requests.items():
            path = f"/twirp/livekit.RoomService/{method}"
            async with client.post(path, json=body, headers={"Authorization": f"Bearer {token}"}) as response:
                answers[method] = response.status
    assert set(answers.values()) <= {401, 403}, answers
