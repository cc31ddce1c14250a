"""Who said it: microphones come and go, and what is heard is booked to whoever said it, once."""

from __future__ import annotations

import asyncio

from meetctl.protocol import Ready, Utterance, UtteranceKind
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.human import Human, synthesised
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken


def is_speech(event: Utterance) -> bool:
    return event.line.kind is UtteranceKind.SPEECH


async def test_each_voice_is_booked_to_its_person_however_people_come_and_go(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    def person(identity: str) -> Human:
        return Human(livekit_server.url, mint_token(identity).get_secret_value())

    token = mint_token(CHAIR, role="chair")
    given = assignment(livekit_server, room_name, token, CHAIR, models_url=model_server, cast=())
    first, second = await asyncio.gather(
        synthesised(model_server, "The budget is too small."),
        synthesised(model_server, "We should wait for the weather.", "pitch=0.62,formant=0.86"),
    )
    async with Child("meetctl_agents.chair", given) as chair:
        await chair.wait_said(Ready)

        async def hears(identity: str, word: str) -> None:
            said = await chair.wait_said(Utterance, is_speech, after=len(chair.events))
            assert (said.line.identity, word in said.line.text.lower()) == (identity, True), said

        async with person("sam") as sam:
            hearing = asyncio.create_task(hears("sam", "budget"))
            await sam.wait_listened_to()
            await sam.say(first)
            await hearing
        # Eve's microphone may get the place of Sam's in the transport.
        async with person("eve") as eve:
            hearing = asyncio.create_task(hears("eve", "weather"))
            await eve.wait_listened_to()
            await eve.say(second)
            await hearing
            async with person("sam") as sam:
                hearing = asyncio.create_task(hears("sam", "budget"))
                await sam.wait_listened_to()
                await sam.say(first)
                await hearing
                # Muted in the middle of a sentence: what was said until then counts, and is said to be over.
                hearing = asyncio.create_task(hears("eve", "weather"))
                await eve.say(second)
                assert eve.publication.track is not None
                eve.publication.track.mute()
                await hearing
        said = [event.line.identity for event in chair.said(Utterance) if is_speech(event)]
        assert said == ["sam", "eve", "sam", "eve"]
        facts = [event.line.text for event in chair.said(Utterance) if not is_speech(event)]
        assert facts[:3] == ["Sam joined the meeting.", "Sam left the meeting.", "Eve joined the meeting."]
