"""Which questions get no answer, and where they get lost: one meeting, in real audio, a few hundred questions.

The language model writes what it is told to, so that an answer takes a second and is never the same; all else is the
product's: server, ears, chair, agents, voices. People ask as people do: they pause, hum, talk both at once, say "stop"
and ask the next thing, or ask it while an agent still speaks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import time
import wave
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.measuring import show, spread
from benchmarks.served import attending, guest, served_room
from meetctl.protocol import FloorChanged, Unanswered
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.human import SAMPLE_RATE, Human, synthesised
from testing.agents.scripted_models import scripted_models
from testing.agents.staging import endpoint
from testing.fixtures.models import running_model_server
from testing.talk.lost import ANSWERED, Record

ROOM = "bench-unanswered"
AGENTS = {"ada": "Ada", "max": "Max"}
PEOPLE = {"sam": "pitch=0.9", "eve": "pitch=0.62,formant=0.86"}
ASKED = (
    "what should we do before the launch?",
    "is the release ready for our customers?",
    "how would you explain this to a new colleague?",
    "what is the biggest risk in the plan?",
    "should we write more tests first?",
    "what did you learn from the meeting?",
    "can we finish the report this month?",
    "where would you save money?",
    "how many people do we need?",
    "when does the train leave?",
)
OPEN = ("Does anybody know when the train leaves?", "Who can tell us what the report costs?")
REMARK, STOP, HUM = "The budget is much too small for that.", "Stop, thank you.", "Uh-huh."
ANSWERS = ("It is the {}.", "I would ask {}.", "We begin with {}.", "Perhaps the {} first.")
THINGS = ("office", "budget", "summer", "team", "server", "weather", "customers", "director", "report", "kitchen")
WITHIN_S = 25.0
FREE_S = 60.0
PAUSE_S = 0.4
"""Of a person who thinks: shorter than the end of a turn."""
BREATH_S = 0.7
AFTER_STOP_S = (0.5, 3.0)
"""From "stop" to the next question: the two are one line, or they are not."""
HEARD_S = 0.8
"""Of an answer, before somebody talks over it."""


def main(arguments: list[str]) -> int:
    """Returns 0 where every question was answered, else 1."""
    options = _options().parse_args(arguments)
    records = asyncio.run(_measure(options))
    return 0 if all(record.stage == ANSWERED for record in records) else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks unanswered", description=__doc__)
    parser.add_argument("--questions", type=int, default=400, metavar="N", help="how many are asked (400)")
    parser.add_argument("--busy", action="store_true", help="keep every core busy meanwhile")
    parser.add_argument("--local", action="store_true", help="have local/tiny answer in place of the scripted model")
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks the same (1)")
    parser.add_argument("--records", type=Path, metavar="DIR", help="keep a record of each question there")
    return parser


@contextmanager
def _busy() -> Iterator[None]:
    """Keeps every core busy."""
    spawning = multiprocessing.get_context("spawn")  # a fork would have the media library's threads stop in the middle
    burning = [spawning.Process(target=_burn, daemon=True) for _ in range(os.cpu_count() or 1)]
    for process in burning:
        process.start()
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.join()


def _burn() -> None:
    while True:
        sum(range(100_000))


async def _measure(options: argparse.Namespace) -> list[Record]:
    with running_model_server("--slots", "3") as (_, models_url):
        async with served_room(ROOM) as config, AsyncExitStack() as stack:
            minds = models_url
            if not options.local:
                minds = await stack.enter_async_context(scripted_models(models_url, _Mind(options.seed)))
            meeting = await stack.enter_async_context(_meeting(config.credentials, models_url, minds, options.local))
            asking = _Asking(meeting, models_url, random.Random(options.seed), options.records)
            with _busy() if options.busy else nullcontext():
                for number in range(options.questions):
                    await asking.ask(number)
    _tell(asking.records, options)
    return asking.records


def _tell(records: Sequence[Record], options: argparse.Namespace) -> None:
    answered = [record for record in records if record.stage == ANSWERED]
    for record in records:
        if record.stage != ANSWERED:
            print(f"    {record.number} {record.kind}: {record.text!r} {record.stage}; understood {record.lines}")
    times = [record.latency_ms for record in answered if record.latency_ms is not None]
    show(
        "questions that were not answered",
        "",
        value=len(records) - len(answered),
        of=len(records),
        busy=options.busy,
        answered_at_the_second_try=sum(record.is_asked_again for record in answered),
        **Counter(record.stage for record in records if record.stage != ANSWERED),
    )
    show("person stops speaking -> an answer is heard", "ms", **spread(times))


class _Mind:
    """Writes a short answer that nobody gave before."""

    def __init__(self, seed: int) -> None:
        self._chosen = random.Random(seed)
        self._numbers = count(1)

    def __call__(self, _: dict[str, Any]) -> str:
        sentences = [one.format(self._chosen.choice(THINGS)) for one in self._chosen.sample(ANSWERS, 2)]
        return f"{sentences[0]} That is number {next(self._numbers)}. {sentences[1]}"


@dataclass
class _Meeting:
    chair: Child
    people: dict[str, Human]


@asynccontextmanager
async def _meeting(
    credentials: LiveKitCredentials, models_url: str, minds_url: str, is_local: bool
) -> AsyncIterator[_Meeting]:
    """Yields a meeting in which both agents are heard and both people listened to."""
    llm = None if is_local else endpoint(minds_url, "scripted")
    async with AsyncExitStack() as stack:
        chair = await stack.enter_async_context(
            attending(credentials, ROOM, tuple(AGENTS), models_url, chair="benchmarks.outspoken_chair", llm=llm)
        )
        people = {}
        for identity in PEOPLE:
            people[identity] = await stack.enter_async_context(guest(credentials, ROOM, identity))
            await people[identity].wait_listened_to()
        yield _Meeting(chair, people)


class _Asking:
    """Asks one question after the other, each in a way of its own."""

    def __init__(self, meeting: _Meeting, models_url: str, chosen: random.Random, kept: Path | None) -> None:
        self.records: list[Record] = []
        self._chair, self._people = meeting.chair, meeting.people
        self._models_url = models_url
        self._chosen = chosen
        self._kept = kept
        self._spoken: dict[tuple[str, str], bytes] = {}
        self._before = "plainly"

    async def ask(self, number: int) -> None:
        """Asks, waits for the answer, and brings about the next question's circumstances."""
        kind = self._chosen.choice(("plainly", "after a pause", "after a hum", "both at once", "of the room"))
        person = self._chosen.choice(list(PEOPLE))
        to = tuple(AGENTS) if kind == "of the room" else (self._chosen.choice(list(AGENTS)),)
        text = self._chosen.choice(OPEN) if len(to) > 1 else f"{AGENTS[to[0]]}, {self._chosen.choice(ASKED)}"
        seen, written, began = len(self._chair.events), len(self._chair.errors), time.monotonic()
        sound = await self._said(kind, person, text)
        record = Record(number, f"{kind}, {self._before}", person, text, to, time.monotonic() - began)
        try:
            await self._people["sam"].wait_until(lambda: bool(self._heard(record, began)), WITHIN_S)
        except TimeoutError:
            pass
        record.heard = self._heard(record, began)
        after = await self._afterwards(record)
        record.events = tuple(self._chair.events[seen:])
        record.log = self._chair.errors[written:].decode(errors="replace")
        self._before = after
        self._keep(record, sound)

    async def _said(self, kind: str, person: str, text: str) -> bytes:
        """Says it in that way; returns what was sent."""
        other = next(one for one in PEOPLE if one != person)
        sound = await self._voice(person, text)
        if kind == "after a pause":
            called = await self._voice(person, f"{text.partition(',')[0]},")
            rest = await self._voice(person, text.partition(",")[2].strip())
            sound = called + _silence(PAUSE_S) + rest
        elif kind == "after a hum":
            await self._people[other].say(await self._voice(other, HUM) + _silence(BREATH_S))
        if kind == "both at once":
            remark = await self._voice(other, REMARK)
            await asyncio.gather(self._people[person].say(sound), self._people[other].say(remark))
        else:
            await self._people[person].say(sound)
        return sound

    async def _afterwards(self, record: Record) -> str:
        """Hears the answer out, or ends it; returns in which way."""
        after = self._chosen.choice(("after an answer", "after an answer", "after a stop", "into an answer"))
        if record.latency_ms is None or after == "after an answer":
            await self._floor_is_free()
            return "after an answer"
        await asyncio.sleep(HEARD_S)
        if after == "after a stop":
            await self._people[record.person].say(await self._voice(record.person, STOP))
            await asyncio.sleep(self._chosen.choice(AFTER_STOP_S))
        return after

    async def _floor_is_free(self) -> None:
        async with asyncio.timeout(FREE_S):
            while (changes := self._chair.said(FloorChanged)) and changes[-1].holder is not None:
                await asyncio.sleep(0.05)

    def _heard(self, record: Record, began: float) -> dict[str, float]:
        """Returns who of those who were asked was heard after the question, and when first."""
        since = began + record.ended_at
        sounds = {agent: self._people["sam"].heard(agent, since) for agent in record.to}
        return {agent: times[0] - began for agent, times in sounds.items() if times}

    async def _voice(self, person: str, text: str) -> bytes:
        if (person, text) not in self._spoken:
            self._spoken[person, text] = await synthesised(self._models_url, text, PEOPLE[person])
        return self._spoken[person, text]

    def _keep(self, record: Record, sound: bytes) -> None:
        self.records.append(record)
        if self._kept is None:
            return
        self._kept.mkdir(parents=True, exist_ok=True)
        with (self._kept / "questions.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record.shown()) + "\n")
        if record.stage != ANSWERED or any(isinstance(event, Unanswered) for event in record.events):
            with wave.open(str(self._kept / f"{record.number}.wav"), "wb") as file:
                file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
                file.writeframes(sound)


def _silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * SAMPLE_RATE))
