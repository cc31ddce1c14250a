"""What people type: as many messages as one may write, and nothing left behind of those that are too long or open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient
from meetctl_agents.room import chat as chat_module
from meetctl_agents.room.chat import BURST, LONGEST_MESSAGE, MOST_OPEN, TOO_FAST, TOPIC, Chat

from meetctl.settings import LiveKitCredentials
from testing.agents.staging import CHAIR
from testing.fixtures.livekit import MintToken

pytestmark = pytest.mark.system

WAIT_S = 20.0
POLL_S = 0.02


class Guest:
    """Somebody in the room who writes, and what the chair writes to them."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.read: list[str] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def join(self, url: str, token: str) -> None:
        self.room.register_text_stream_handler(TOPIC, self._on_stream)
        await self.room.connect(url, token)

    async def write(self, text: str) -> None:
        await self.room.local_participant.send_text(text, topic=TOPIC)

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if identity != CHAIR:
            reader.close()
            return
        task = asyncio.create_task(self._read(reader))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        self.read.append(await reader.read_all())


class Stage:
    """A chair's chat with two guests."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.mallory, self.sam = Guest(), Guest()
        self.taken: list[tuple[str, str]] = []
        self.flooded: list[str] = []

    def open_readers(self) -> int:
        return len(self.room._text_stream_readers)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(POLL_S)


@pytest.fixture
async def stage(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Stage]:
    stage = Stage()
    url = livekit_server.url
    await stage.room.connect(url, mint_token(CHAIR, role="chair").get_secret_value())
    chat = Chat(stage.room, lambda who, text: stage.taken.append((who.identity, text)), stage.flooded.append)
    chat.open()
    await stage.mallory.join(url, mint_token("mallory").get_secret_value())
    await stage.sam.join(url, mint_token("sam").get_secret_value())
    yield stage
    await chat.aclose()
    for room in (stage.room, stage.mallory.room, stage.sam.room):
        await room.disconnect()


async def test_of_a_flood_a_burst_is_read_the_writer_is_told_once_and_others_are_read_as_ever(stage: Stage) -> None:
    await asyncio.gather(*(stage.mallory.write(f"line {number}") for number in range(100)))
    await stage.sam.write("Ada, are you with us?")
    await until(lambda: ("sam", "Ada, are you with us?") in stage.taken)
    await until(lambda: bool(stage.mallory.read))
    await until(lambda: sum(who == "mallory" for who, _ in stage.taken) >= BURST)
    assert sum(who == "mallory" for who, _ in stage.taken) <= BURST + WAIT_S
    assert (stage.mallory.read, stage.sam.read, stage.flooded) == ([TOO_FAST], [], ["mallory"])


async def test_messages_of_any_length_and_messages_without_end_leave_nothing_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_module, "READ_S", 1.0)
    subscribed = len(FfiClient.instance.queue._subscribers)
    for length in (LONGEST_MESSAGE - 1, LONGEST_MESSAGE, 10 * LONGEST_MESSAGE):
        await stage.mallory.write("x" * length)
    await until(lambda: len(stage.taken) == 3)
    assert [len(text) for _, text in stage.taken] == [LONGEST_MESSAGE - 1, LONGEST_MESSAGE, LONGEST_MESSAGE]
    writers = [await stage.mallory.room.local_participant.stream_text(topic=TOPIC) for _ in range(MOST_OPEN + 3)]
    most = 0
    async with asyncio.timeout(WAIT_S):
        while stage.open_readers() or not most:
            most = max(most, stage.open_readers())
            await asyncio.sleep(POLL_S)
    assert most <= MOST_OPEN
    await stage.sam.write("still read")
    await until(lambda: ("sam", "still read") in stage.taken)
    await until(lambda: len(FfiClient.instance.queue._subscribers) == subscribed)
    for writer in writers:
        await writer.aclose()
