"""A meeting that stands for several tests, what is known of it, and somebody in its room."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.control import ask
from testing.fixtures.command import Meetctl
from testing.subscriber_probe import SubscriberProbe

WAIT_S = 90.0
"""Everything here takes seconds on an idle machine; this one may be busy."""
POLL_S = 0.1

Document = dict[str, Any]


class Standing:
    """One running meeting, asked over its control socket: a process for each question would be the slowest part."""

    def __init__(self, meetctl: Meetctl, room: str) -> None:
        self.meetctl = meetctl
        self.room = room
        self.note = meetctl.note(room)

    def document(self) -> Document:
        """Returns the meeting's part of `status --json`."""
        return asyncio.run(self.answer("status"))

    async def answer(self, do: str, **more: str) -> Document:
        """Returns what the meeting answers over its control socket."""
        return dict(await ask(self.meetctl.runtime_dir / f"{self.room}.sock", {"do": do, **more}, timeout_s=WAIT_S))

    async def link(self, name: str) -> tuple[str, str]:
        """Returns the address and the token by which somebody of that name is in the room."""
        details = await self.answer("link", name=name)
        return details["livekit_url"], details["token"]

    def lines(self) -> list[Document]:
        """Returns the lines of the transcript, each as it was written last, in the order in which they came."""
        records = [json.loads(line) for line in self.transcript.read_text(encoding="utf-8").splitlines()]
        return list({record["id"]: record for record in records}.values())

    def seats(self) -> dict[str, Document]:
        """Returns services and agents by name."""
        document = self.document()
        return {seat["name"]: seat for seat in (*document["services"], *document["agents"])}

    def pids(self) -> dict[str, int]:
        return {name: seat["pid"] for name, seat in self.seats().items()}

    def until(self, condition: Callable[[dict[str, Document]], bool], seconds: float = WAIT_S) -> dict[str, Document]:
        """Waits until the seats are so; returns them."""
        seats = self.until_or_last(condition, seconds)
        assert condition(seats), json.dumps(seats, indent=1)
        return seats

    def until_or_last(self, condition: Callable[[dict[str, Document]], bool], seconds: float) -> dict[str, Document]:
        """Waits until the seats are so; returns them, or how they are when the time is up."""
        end = time.monotonic() + seconds
        while not condition(seats := self.seats()) and time.monotonic() < end:
            time.sleep(POLL_S)
        return seats

    def until_whole(self, seconds: float = WAIT_S) -> dict[str, Document]:
        """Waits until every seat is filled and ready, nothing degraded or stalled."""
        return self.until(lambda seats: all(s["ready"] and s["state"] == "running" for s in seats.values()), seconds)

    def until_warned(self, words: str) -> dict[str, Document]:
        """Waits until some seat shows a warning with these words."""
        return self.until(lambda seats: any(words in str(seat["warning"]) for seat in seats.values()))

    def send(self, name: str, number: signal.Signals) -> int:
        """Sends the signal to the process in the seat; returns its pid."""
        pid = self.pids()[name]
        os.kill(pid, number)
        return pid

    def kill(self, name: str) -> int:
        return self.send(name, signal.SIGKILL)

    @asynccontextmanager
    async def probe(self) -> AsyncIterator[SubscriberProbe]:
        """Somebody in the room who subscribes to everything."""
        async with SubscriberProbe(*await self.link("Witness")) as probe:
            yield probe

    def media_arrives(self, **kinds: tuple[str, ...]) -> None:
        """Asserts that somebody who joins now receives these kinds of media of these identities."""

        async def look() -> None:
            async with self.probe() as probe, asyncio.timeout(WAIT_S):
                for identity, wanted in kinds.items():
                    await probe.wait_media(identity, wanted)

        asyncio.run(look())

    def credentials(self) -> LiveKitCredentials:
        """Returns the key pair of the meeting's own server, from the file that only its owner can read."""
        config = json.loads((self.meetctl.runtime_dir / f"{self.room}.livekit.yaml").read_text())
        ((key, secret),) = config["keys"].items()
        return LiveKitCredentials(self.document()["livekit_url"], key, SecretStr(secret))

    @property
    def log_dir(self) -> Path:
        """Where this meeting's logs and transcript are."""
        return max((Path(self.meetctl.environment["XDG_STATE_HOME"]) / "meetctl" / self.room).iterdir())

    @property
    def transcript(self) -> Path:
        return self.log_dir / "transcript.jsonl"


@contextmanager
def standing(meetctl: Meetctl, roster: str, room: str, *arguments: str) -> Iterator[Standing]:
    """Starts the meeting and waits until all its agents are ready; ends it afterwards."""
    (meetctl.cwd / "roster.yaml").write_text(roster)
    up = meetctl("up", "roster.yaml", "-d", *arguments)
    assert up.code == 0, up.err
    try:
        yield Standing(meetctl, room)
    finally:
        meetctl("down", room, "-t", "5")
