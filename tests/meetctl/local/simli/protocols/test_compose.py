"""The current protocol, with the unmodified Python client."""

from __future__ import annotations

import asyncio

from simli.simli import SimliClient, SimliConfig

from testing.simli.clients import WAIT_SECONDS, all_sessions_closed, see_and_hear_the_face, watching


async def test_the_python_client_sees_the_face_hears_its_speech_and_silences_it(simli_server: str) -> None:
    client = SimliClient("any-key", SimliConfig("ada"), simliURL=simli_server)
    await asyncio.wait_for(client.start(), WAIT_SECONDS)
    async with watching(client) as seen:
        await see_and_hear_the_face(seen, client.send, client.clearBuffer)
    await all_sessions_closed(simli_server)
