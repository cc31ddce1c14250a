"""A meeting of a roster's agents in text: memory, prompts and models are the product's, the room is left away.

People pause between their lines until nothing is left to be read ahead, as they do in a meeting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from meetctl_agents.models.novelty import NothingNewError, Novelty
from meetctl_agents.speaking.answers import Answers

from meetctl.protocol import Grant, Line, Repeats
from meetctl.roster import Roster
from testing.talk.in_text import answering
from testing.talk.ten_minutes import Turn

CUT_AT = 0.6
"""Of what somebody says: there they pause, and the chair has an answer prepared in vain."""
EVERY = 4
"""Line that somebody pauses in."""


class TextMeeting:
    """Does what a chair does, in its order; async context manager around the agents."""

    def __init__(self, roster: Roster, url: str) -> None:
        self.said: list[str] = []
        self.answers: list[tuple[Turn, str]] = []
        self.repeats = Repeats()
        """Of all agents."""
        self._lines = 0
        self._roster = roster
        self._url = url
        self._agents: dict[str, Answers] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for number, entry in enumerate(self._roster.agents):
            agent = answering(self._roster, entry, self._url, seat_number=number, reads_ahead=True, count=self._count)
            self._agents[entry.name] = await self._stack.enter_async_context(agent)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _count(self, novelty: Novelty) -> None:
        self.repeats = novelty.added_to(self.repeats)

    async def hold(self, turns: Sequence[Turn]) -> None:
        for answers in self._agents.values():
            answers.read_ahead()
        await self._pause()
        for number, turn in enumerate(turns):
            await self._take(turn, pauses=number % EVERY == 0)

    async def _take(self, turn: Turn, *, pauses: bool) -> None:
        line = self._line(turn.who, turn.text)
        _tell(line)
        for name, answers in self._agents.items():
            if name not in turn.to:
                answers.hear(line)
        asked: Line = line
        for name in turn.to:
            answer = await self._answer(name, asked, guess=pauses)
            self.answers.append((turn, answer))
            if answer:
                asked = self._line(name, answer)
                for other, answers in self._agents.items():
                    if other != name:
                        answers.hear(asked)
        await self._pause()

    async def _answer(self, name: str, line: Line, *, guess: bool) -> str:
        answers = self._agents[name]
        if guess:
            words = line.text.split()
            begun = " ".join(words[: max(1, int(CUT_AT * len(words)))])
            answers.prepare(line.model_copy(update={"text": begun}))
            await asyncio.sleep(0)
        answers.prepare(line)
        grant = Grant(grant_id=f"g{self._lines}", line=line)
        speech = answers.take(grant)
        try:
            text = await speech.wait_written()
        except NothingNewError:
            answers.discard(speech)
            _tell(self._line(name, "(nothing new)"))
            return ""
        said = self._line(name, text)
        _tell(said)
        self.said.append(text)
        answers.said(grant, speech, said, cut=False)
        await speech.aclose()
        return text

    def _line(self, who: str, text: str) -> Line:
        self._lines += 1
        return Line(id=f"l{self._lines}", at=self._lines, speaker=who, identity=who.lower(), text=text)

    async def _pause(self) -> None:
        while reading := [task for answers in self._agents.values() for task in answers._reading]:
            await asyncio.wait(reading)


def _tell(line: Line) -> None:
    print(f"    {line.speaker}: {line.text}", flush=True)
