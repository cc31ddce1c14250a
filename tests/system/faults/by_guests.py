"""People who bring more than a meeting can bear: lines, microphones, comings, streams, calls, names that are taken."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator

from livekit import rtc

from .house import ROOM, House
from .kinds import Process, kind

MANY = 80
RATE = 24_000


@contextlib.asynccontextmanager
async def stranger(house: House, name: str = "Mallory") -> AsyncIterator[rtc.Room]:
    """Yields somebody's room; whoever is there sees the chair."""
    link = await house.ask("link", name=name)
    room = rtc.Room()
    await room.connect(link["livekit_url"], link["token"])
    try:
        async with asyncio.timeout(30):
            while "chair" not in room.remote_participants:
                await asyncio.sleep(0.05)
        yield room
    finally:
        await room.disconnect()


@kind("a guest floods the chat")
async def chat(house: House, chance: random.Random, target: Process | None) -> None:
    async with stranger(house) as room:
        for number in range(MANY):
            await room.local_participant.send_text(f"Ada, buy {number} of these {'x' * 60}", topic="lk.chat")


@kind("a guest has many microphones")
async def microphones(house: House, chance: random.Random, target: Process | None) -> None:
    async with stranger(house) as room:
        sources = [rtc.AudioSource(RATE, 1) for _ in range(12)]
        for number, source in enumerate(sources):
            track = rtc.LocalAudioTrack.create_audio_track(f"m{number}", source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await room.local_participant.publish_track(track, options)
        await house.heard_and_answered()
        for source in sources:
            await source.aclose()


@kind("guests come and go")
async def comings(house: House, chance: random.Random, target: Process | None) -> None:
    async def come(number: int) -> None:
        link = await house.ask("link", name=f"Guest {number}")
        room = rtc.Room()
        await room.connect(link["livekit_url"], link["token"])
        await asyncio.sleep(chance.uniform(0, 0.5))
        await room.disconnect()

    await asyncio.gather(*(come(number) for number in range(8)))


@kind("a guest opens many streams")
async def streams(house: House, chance: random.Random, target: Process | None) -> None:
    async with stranger(house) as room:
        writers = [await room.local_participant.stream_text(topic="lk.chat") for _ in range(MANY)]
        for writer in writers[::2]:
            await writer.write("half of a line")
        await house.heard_and_answered()


@kind("a guest calls what it may not")
async def calls(house: House, chance: random.Random, target: Process | None) -> None:
    async def call(room: rtc.Room, method: str, whom: str) -> None:
        with contextlib.suppress(rtc.RpcError):
            await room.local_participant.perform_rpc(
                destination_identity=whom, method=method, payload=chance.choice(("{}", "", "null", "x" * 500))
            )
            raise AssertionError(f"{whom} answered {method} of a guest")

    async with stranger(house) as room:
        wanted = [("mc.release", "chair"), ("mc.draft", "chair"), ("mc.grant", "max"), ("mc.stop", "ada")]
        await asyncio.gather(*(call(room, *chance.choice(wanted)) for _ in range(MANY)))


@kind("a guest takes a name")
async def names(house: House, chance: random.Random, target: Process | None) -> None:
    for name in ("Ada", "Note", "Chair", "x" * 100_000, "meetctl", "\u202eadA", ""):
        ran = await house.run("link", "--room", ROOM, "--name", name, "--json", codes=(0, 2))
        assert ran.code == 2 or ran.json()["name"].casefold() not in ("ada", "note", "chair", "meetctl", "host"), ran


@kind("a command floods", Process.FLOOD)
async def command_floods(house: House, chance: random.Random, target: Process | None) -> None:
    house.struck[Process.FLOOD] += 1
    pid = await house.pid_for_certain(Process.FLOOD)
    while not catches(pid, signal.SIGUSR1):
        await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGUSR1)


def catches(pid: int, number: signal.Signals) -> bool:
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        (mask,) = (line.split()[1] for line in status if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (number - 1) & 1)
