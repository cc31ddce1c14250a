"""The chair's proof that media arrives: it follows what is received, not what is announced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from livekit import rtc
from meetctl_agents.room.probe import look_again_s

from meetctl.protocol import CastChanged, CastMember, MediaKind, MediaReceived, Ready
from meetctl.rooms import avatar_token
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken

SIZE = 64
ADA = CastMember(identity="ada", name="Ada", publishes=(MediaKind.VIDEO,))


def test_what_does_not_come_is_looked_for_ever_more_seldom() -> None:
    looks, waited_s = 0, 0.0
    while waited_s < 3600:
        waited_s += look_again_s(waited_s)
        looks += 1
        if looks == 30:
            assert waited_s < 1, "what comes soon is seen soon"
    assert looks < 4000


async def test_a_face_that_joined_by_itself_proves_its_agent_once_a_picture_of_it_is_decoded(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token(CHAIR, role="chair"), CHAIR, cast=(ADA,))
    face = avatar_token(livekit_server, room=room_name, identity="ada-avatar", name="Ada", agent="ada")
    eve = avatar_token(livekit_server, room=room_name, identity="eve-avatar", name="Eve", agent="eve")
    async with Child("meetctl_agents.chair", given) as chair:
        await chair.wait_said(Ready)
        async with filmed(livekit_server.url, eve.get_secret_value()) as (_, film_eve):
            film_eve()  # of somebody who is not in the cast
            async with filmed(livekit_server.url, face.get_secret_value()) as (publication, film):
                async with asyncio.timeout(10):
                    await publication.wait_for_subscription()
                assert not chair.said(MediaReceived), "announced and subscribed to, but no frame was ever sent"
                film()
                received = await chair.wait_said(MediaReceived)
                assert received == MediaReceived(identity="ada", kind=MediaKind.VIDEO)
        assert len(chair.said(MediaReceived)) == 1


@asynccontextmanager
async def filmed(url: str, token: str) -> AsyncIterator[tuple[rtc.LocalTrackPublication, Callable[[], None]]]:
    """Yields the camera of a participant, and what begins to send pictures."""
    room, source, tasks = rtc.Room(), rtc.VideoSource(SIZE, SIZE), set[asyncio.Task[None]]()
    await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
    track = rtc.LocalVideoTrack.create_video_track("face", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
    publication = await room.local_participant.publish_track(track, options)

    async def film() -> None:
        frame = rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.I420, bytes([90]) * (SIZE * SIZE * 3 // 2))
        while True:
            source.capture_frame(frame)
            await asyncio.sleep(1 / 25)

    yield publication, lambda: tasks.add(asyncio.create_task(film()))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await room.disconnect()


async def test_a_picture_counts_once_it_is_decoded_and_each_new_one_anew(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    token = mint_token(CHAIR, role="chair")
    given = assignment(livekit_server, room_name, token, CHAIR, cast=())
    room = rtc.Room()
    async with Child("meetctl_agents.chair", given) as chair:
        await chair.wait_said(Ready)
        await room.connect(livekit_server.url, mint_token("ada", role="agent").get_secret_value())
        source = rtc.VideoSource(SIZE, SIZE)
        track = rtc.LocalVideoTrack.create_video_track("face", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
        publication = await room.local_participant.publish_track(track, options)
        # It is nobody's business until she is one of the cast; then the track that is there already is taken up.
        chair.send(CastChanged(cast=(CastMember(identity="ada", name="Ada", publishes=(MediaKind.VIDEO,)),)))
        async with asyncio.timeout(10):
            await publication.wait_for_subscription()
        assert not chair.said(MediaReceived), "announced and subscribed to, but no frame was ever sent"

        async def film() -> None:
            frame = rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.I420, bytes([90]) * (SIZE * SIZE * 3 // 2))
            while True:
                source.capture_frame(frame)
                await asyncio.sleep(1 / 25)

        filming = asyncio.create_task(film())
        received = await chair.wait_said(MediaReceived)
        assert received == MediaReceived(identity="ada", kind=MediaKind.VIDEO)

        # What she publishes next is proven anew.
        await room.local_participant.unpublish_track(publication.sid)
        mark = len(chair.events)
        again = rtc.LocalVideoTrack.create_video_track("face", source)
        await room.local_participant.publish_track(again, options)
        await chair.wait_said(MediaReceived, after=mark)
        filming.cancel()
        await asyncio.gather(filming, return_exceptions=True)
        await room.disconnect()
