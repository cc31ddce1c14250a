"""Models that answer wrongly, in fifty ways each, or go away and come back at the same address: the next good answer
is taken.
"""

from __future__ import annotations

import asyncio
import random

from testing.agents.broken_answers import Reply, broken_replies

from .house import House
from .kinds import Process, kind
from .services import CHAT, SPEECH, WORDS

BROKEN: dict[str, list[Reply]] = {
    CHAT: broken_replies(b'{"choices": [{"message": {"content": "Yes."}}]}', "choices"),
    SPEECH: broken_replies(bytes(4800), "audio", kind="audio/pcm"),
    WORDS: broken_replies(b'{"text": "Yes."}', "text"),
}
WRONG_S = 0.7
"""How long it goes on to answer wrongly."""
AWAY_S = 1.5
QUIET_S = 2.0


async def _wrong(house: House, chance: random.Random, part: str) -> None:
    reply = house.services.broken[part] = chance.choice(BROKEN[part])
    before = house.services.asked[part]
    try:
        if part == WORDS:
            await house.say(house.speech)
        else:
            await house.write("Max, what is it?")
        async with asyncio.timeout(30):
            while house.services.asked[part] == before:
                await asyncio.sleep(0.05)
        await asyncio.sleep(WRONG_S)  # the length of the fault itself
    except TimeoutError:
        raise AssertionError(f"nobody asked for {part} ({reply.name})") from None
    finally:
        await house.services.mend()


@kind("the language model answers wrongly")
async def chat(house: House, chance: random.Random, target: Process | None) -> None:
    await _wrong(house, chance, CHAT)


@kind("the voice answers wrongly")
async def speech(house: House, chance: random.Random, target: Process | None) -> None:
    await _wrong(house, chance, SPEECH)


@kind("the recogniser answers wrongly")
async def words(house: House, chance: random.Random, target: Process | None) -> None:
    """The next words of the same person are heard."""
    await _wrong(house, chance, WORDS)
    house.services.words = said = f"These are the words number {chance.randrange(10**6)}."
    await house.say(house.speech)
    await house.record.wait(lambda line: said.rstrip(".") in line["text"], "their next words are not heard")
    await house.record.quiet(QUIET_S)  # what they say in two breaths would cut off the next answer


@kind("the models go away and come back")
async def away(house: House, chance: random.Random, target: Process | None) -> None:
    await house.services.go()
    try:
        await house.write("Ada, what is it?")
        await asyncio.sleep(AWAY_S)  # the length of the fault itself
    finally:
        await house.services.come()
