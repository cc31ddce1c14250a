"""LiveKit mode, with the unmodified Python client and a real livekit-server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from livekit import api
from simli.simli import SimliClient, SimliConfig, TransportMode

from meetctl.local.simli.protocols.roommode import ROOM_PREFIX
from meetctl.settings import LiveKitCredentials
from testing.fixtures.simli import running_simli
from testing.simli.clients import WAIT_SECONDS, all_sessions_closed, see_and_hear_the_face, watching


async def test_the_python_client_gets_the_face_through_a_room_that_is_deleted_afterwards(
    livekit_server: LiveKitCredentials, tmp_path: Path
) -> None:
    access = tmp_path / "livekit.json"
    access.touch(mode=0o600)
    secret = livekit_server.api_secret.get_secret_value()
    access.write_text(json.dumps({"url": livekit_server.url, "api_key": livekit_server.api_key, "api_secret": secret}))
    with running_simli("--livekit-file", str(access)) as url:
        client = SimliClient(
            "any-key", SimliConfig("ada"), simliURL=url, transport_mode=TransportMode.LIVEKIT, retry_count=1
        )
        await asyncio.wait_for(client.start(), WAIT_SECONDS)
        async with watching(client) as seen:
            await see_and_hear_the_face(seen, client.send, client.clearBuffer)
        await all_sessions_closed(url)
    async with api.LiveKitAPI(livekit_server.url, livekit_server.api_key, secret) as livekit:
        left = await livekit.room.list_rooms(api.ListRoomsRequest())
        assert not [room.name for room in left.rooms if room.name.startswith(ROOM_PREFIX)]
