"""An hour is as good as a minute: two people who talk, type, cut in, leave and come back, and an avatar whose session
is renewed all the while. What grows without end is found by what the processes own after the first minutes.

`MEETCTL_SOAK_MINUTES` says how long; the table of what was seen is printed (`pytest -s`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import psutil
import pytest
from livekit import rtc

from testing.agents.human import Human, synthesised
from testing.fixtures.command import Meetctl
from tests.system.standing import Standing, standing

MINUTES = float(os.environ.get("MEETCTL_SOAK_MINUTES", "60"))
SETTLING = min(10.0, MINUTES * 0.4)
"""Minutes in which caches fill and code is met for the first time."""
SAMPLE_S = 10.0
MOST_KB_A_MINUTE = {"Chair": 20.0, "Ada": 20.0, "Max": 20.0, "supervisor": 5.0}
FEW = 4
"""Descriptors and threads that connections in the making may hold at the moment of a look."""
SEED = 7
ANSWER_S = 40.0
TRIES = 3
SESSION_S = 60
"""Of the avatar; it is renewed well before."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(MINUTES * 60 + 900)]

ROSTER = """
room: hour
defaults: {{llm: local/tiny, stt: local/tiny}}
meeting: {{topic: a launch}}
agents:
  - name: Ada
    agent: simli
    persona: You are brief.
    face: {{url: "{simli}", api_key: k, face_id: f, max_session: {limit}}}
  - {{name: Max, agent: audio, persona: You are brief.}}
"""
SUBJECTS = (
    "the launch on Friday",
    "the database",
    "the mail to our users",
    "the new button",
    "the tests",
    "the price",
    "the old servers",
    "the pictures on the first page",
    "the password",
    "the people who wait",
    "the rain",
    "the report",
)
ASKED = (
    "Ada, what should we do about {}?",
    "Max, what do you think of {}?",
    "Ada, who looks after {}?",
    "Max, what could go wrong with {}?",
)
QUESTIONS = tuple(asked.format(subject) for subject in SUBJECTS for asked in ASKED)
"""Many: what was said before is not said again, so a question that comes back may rightly go unanswered."""


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    unique_kb: float
    descriptors: int
    threads: int


class Ledger:
    """What each process owned, at each look."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._began = time.monotonic()
        self.samples: dict[str, list[Sample]] = {name: [] for name in pids}

    async def keep(self) -> None:
        while True:
            for name, pid in self._pids.items():
                process = psutil.Process(pid)
                unique = process.memory_full_info().uss / 1024
                looked = Sample(time.monotonic() - self._began, unique, process.num_fds(), process.num_threads())
                self.samples[name].append(looked)
            await asyncio.sleep(SAMPLE_S)

    def settled(self, name: str) -> list[Sample]:
        return [sample for sample in self.samples[name] if sample.at_s > SETTLING * 60]

    def kb_a_minute(self, name: str) -> float:
        """Returns the median of the slopes between all pairs of looks: a single step is no growth."""
        pairs = itertools.combinations(self.settled(name), 2)
        return statistics.median((b.unique_kb - a.unique_kb) / (b.at_s - a.at_s) * 60 for a, b in pairs)

    def table(self) -> str:
        rows = []
        for name in self._pids:
            first, last = self.settled(name)[0], self.settled(name)[-1]
            rows.append(
                f"{name:12} {first.unique_kb / 1000:7.1f} -> {last.unique_kb / 1000:7.1f} MB"
                f" {self.kb_a_minute(name):+8.1f} kB/min  fds {first.descriptors} -> {last.descriptors}"
                f"  threads {first.threads} -> {last.threads}"
            )
        return "\n".join(rows)


class Person:
    """Somebody who comes, talks and types, and comes back."""

    def __init__(self, meeting: Standing, name: str, sounds: dict[str, bytes]) -> None:
        self._meeting, self._name, self._sounds = meeting, name, sounds
        self._stack = AsyncExitStack()
        self.human: Human

    async def come(self) -> None:
        """Joins; on a busy machine perhaps at the second try, as a person would."""
        for _ in range(TRIES):
            with contextlib.suppress(rtc.ConnectError, rtc.participant.PublishTrackError, TimeoutError):
                return await self._come()
            await self.go()
        await self._come()

    async def _come(self) -> None:
        self.human = await self._stack.enter_async_context(Human(*await self._meeting.link(self._name)))
        await self.human.wait_listened_to()

    async def go(self) -> None:
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def say(self, question: str) -> None:
        await self.human.say(self._sounds[question])

    async def write(self, question: str) -> None:
        await self.human.room.local_participant.send_text(question, topic="lk.chat")


@asynccontextmanager
async def people(meeting: Standing, models_url: str) -> AsyncIterator[list[Person]]:
    voices = {"Sam": "pitch=0.9", "Eve": "pitch=1.3"}
    sounds = {
        name: {question: await synthesised(models_url, question, voice) for question in QUESTIONS}
        for name, voice in voices.items()
    }
    found = [Person(meeting, name, sounds[name]) for name in voices]
    try:
        for person in found:
            await person.come()
        yield found
    finally:
        for person in found:
            await person.go()


async def talk(meeting: Standing, found: list[Person], chance: random.Random, until: float) -> int:
    """Lets them talk until then; returns how many questions were answered."""
    answered = number = 0
    while time.monotonic() < until:
        person, other = found[number % 2], found[1 - number % 2]
        question = QUESTIONS[number % len(QUESTIONS)]
        number += 1
        try:
            async with asyncio.timeout(ANSWER_S):
                await exchange(meeting, person, question, chance, other if chance.random() < 0.2 else None)
            answered += 1
        except TimeoutError:
            print(f"nobody answered {question!r}")
        if chance.random() < 0.08:
            await person.go()
            await person.come()
    return answered


async def exchange(
    meeting: Standing, person: Person, question: str, chance: random.Random, cuts_in: Person | None
) -> None:
    """Asks, by voice or in the chat, and waits for the answer, in which somebody may cut in."""
    agent, since = question.split(",")[0], time.monotonic()
    before = lines_of(meeting, agent)
    await (person.write if chance.random() < 0.3 else person.say)(question)
    if cuts_in is not None:
        await cuts_in.human.wait_until(lambda: bool(cuts_in.human.heard(agent.lower(), since)))
        await cuts_in.say(question)
    while lines_of(meeting, agent) == before:
        await asyncio.sleep(0.3)


def lines_of(meeting: Standing, speaker: str) -> int:
    text = meeting.transcript.read_text()
    return sum(json.loads(line).get("speaker") == speaker for line in text.splitlines())


def test_an_hour_leaves_nothing_behind_that_a_minute_does_not(meetctl: Meetctl, simli_server: str) -> None:
    roster = ROSTER.format(simli=simli_server, limit=SESSION_S)
    with standing(meetctl, roster, "hour", "--wait", "--timeout", "300") as meeting:
        seats = meeting.until_whole()
        pids = {name: seats[name]["pid"] for name in ("Chair", "Ada", "Max")} | {"supervisor": meeting.note["pid"]}
        ledger = Ledger(pids)

        async def spend() -> int:
            async with people(meeting, seats["models"]["url"]) as found:
                looking = asyncio.create_task(ledger.keep())
                try:
                    return await talk(meeting, found, random.Random(SEED), time.monotonic() + MINUTES * 60)
                finally:
                    looking.cancel()
                    await asyncio.wait({looking})

        answered = asyncio.run(spend())
        print(f"\n{MINUTES:.0f} minutes, {answered} questions answered\n{ledger.table()}")
        assert {name: meeting.pids()[name] for name in ("Chair", "Ada", "Max")} == {
            name: pids[name] for name in ("Chair", "Ada", "Max")
        }
        assert answered > MINUTES * 2
        for name, most in MOST_KB_A_MINUTE.items():
            assert ledger.kb_a_minute(name) <= most, ledger.table()
            first, last = ledger.settled(name)[0], ledger.settled(name)[-1]
            assert last.descriptors <= first.descriptors + FEW, ledger.table()
            assert last.threads <= first.threads + FEW, ledger.table()
