"""The chair's proof that media arrives: it follows what is received, not what is announced."""

from __future__ import annotations

import asyncio

from livekit import rtc

from meetctl.protocol import CastChanged, CastMember, MediaKind, MediaReceived, Ready
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken

SIZE = 64


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
