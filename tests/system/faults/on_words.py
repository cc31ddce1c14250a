"""What an agent is saying while somebody is struck is in the transcript afterwards, as far as it was heard."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from .house import House, until
from .kinds import AGENTS, Process, kind

LONG = (
    "of all the things that we keep the database is the oldest and the server is the loudest and the tape is what "
    "nobody has read since and the disks are what everybody asks for"
)
SHORT = "this is all of it and the chair will be gone before it is over"
HEARD_S = 1.3
"""Of the speech, before something happens to it."""


async def begin(house: House, chance: random.Random, name: Process, text: str) -> str:
    """Has the agent say the text after a word of its own, and lets some of it be heard; returns the word."""
    word = f"Word{chance.randrange(10**6)}"
    await house.ask("direct", directive="say", agent=name, text=f"{word} {text}")
    await until(lambda: _speaks(house, name), f"{name} does not speak")
    await asyncio.sleep(HEARD_S)  # the length of what is heard of it
    return word


async def _speaks(house: House, name: Process) -> bool:
    return bool((await house.seats())[name]["agent_state"] == "speaking")


async def line(house: House, word: str) -> dict[str, Any]:
    return await house.record.wait(lambda line: line["text"].startswith(word), f"{word} was heard, and is lost")


async def cut(house: House, word: str) -> None:
    """What was heard is there, and that it was not all."""
    found = await line(house, word)
    assert f"{word} {LONG}".startswith(found["text"]) and found["interrupted"], found


@kind("kill who speaks", *AGENTS)
async def kill_speaker(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    word = await begin(house, chance, target, LONG)
    await house.kill(target)
    await cut(house, word)


@kind("kill the chair while one speaks", *AGENTS)
async def kill_chair(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    word = await begin(house, chance, target, SHORT)
    await house.kill(Process.CHAIR)
    assert not (await line(house, word))["interrupted"]


@kind("restart who speaks", *AGENTS)
async def restart_speaker(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    house.struck[target] += 1
    word = await begin(house, chance, target, LONG)
    await house.ask("restart", agent=target)
    await cut(house, word)


@kind("leave while speaking", *AGENTS)
async def leave_speaking(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    house.struck[target] += 1
    word = await begin(house, chance, target, LONG)
    await house.ask("leave", agent=target)
    await cut(house, word)
    await house.ask("join", name=target)


@kind("down while one speaks", *AGENTS)
async def down_speaking(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    word = await begin(house, chance, target, LONG)
    await house.down()
    await cut(house, word)
    await house.up()
