"""Ten minutes of two people and two agents, in text: what is said twice, what is left out, what is read again in vain.

Memory, prompts, reading ahead, models and what is kept from the voice are the product's; the room and the ears are left
away. People pause between their lines until nothing is left to be read ahead, as they do in a meeting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from livekit.agents import APIConnectOptions
from meetctl_agents.models.novelty import NothingNewError
from meetctl_agents.models.providers import llm_from_endpoint, reader_from_endpoint, tts_from_endpoint
from meetctl_agents.speaking import speech as speech_module
from meetctl_agents.speaking.answers import Answers
from meetctl_agents.text.clauses import ClauseTokenizer
from pydantic import SecretStr

from benchmarks.measuring import show
from benchmarks.reading import CountingServer
from benchmarks.sense import DEMO
from benchmarks.ten_minutes import TURNS, Turn, judge
from meetctl.catalogue import PAIRS
from meetctl.local.data import locate
from meetctl.local.models.server import Models, bound_socket, served
from meetctl.programs.assignments import agent_assignment, cast_member
from meetctl.programs.room_access import RoomAccess, StandIns
from meetctl.protocol import Grant, Line, Repeats
from meetctl.roster import Roster, load_roster

LONGEST_S = 180.0
OPTIONS = APIConnectOptions(max_retry=0, timeout=LONGEST_S)
SLOTS = 4
CUT_AT = 0.6
"""Of what somebody says: there they pause, and the chair has an answer prepared in vain."""
EVERY = 4
"""Line that somebody pauses in."""


def main() -> None:
    """Prints what is said by each pair, and its figures."""
    speech_module.STALL_S = LONGEST_S  # a busy machine makes an answer late, not other
    for name, models in PAIRS.items():
        asyncio.run(_measure(f"local/{name}".rstrip("/"), models["llm"]))


async def _measure(label: str, model: str) -> None:
    models = Models(slots=SLOTS)
    loading = asyncio.ensure_future(models.load([locate("llm", model)]))
    async with served(loading, bound_socket(0)) as url:
        await loading
        (chat,) = models.chats.loaded.values()
        llama: Any = chat._llama
        llama._server = counting = CountingServer(llama._server)
        meeting = TextMeeting(load_roster(DEMO, environment={}), url)
        try:
            await meeting.hold(TURNS)
        finally:
            await meeting.aclose()
        reading = counting.reading
    verdict = judge(meeting.said, meeting.answers)
    repeats = meeting.repeats
    show(
        "turns in which something was left out, or the model asked again",
        "",
        pair=label,
        value=repeats.shortened + repeats.asked_again + repeats.left_out,
        **repeats.model_dump(exclude={"type"}),
    )
    show("sentences of eight words or more that were said twice", "", pair=label, value=len(verdict.said_twice))
    asked = sum(turn.is_open for turn, _ in meeting.answers)
    show("answers of fewer than eight words to open questions", "", pair=label, value=len(verdict.too_short), of=asked)
    show(
        "prompt tokens that were read twice",
        "%",
        pair=label,
        value=100 * reading.again / reading.read,
        read=reading.read,
        asked=reading.asked,
        prompts=reading.prompts,
    )


class TextMeeting:
    """Does what a chair does, in its order."""

    def __init__(self, roster: Roster, url: str) -> None:
        self.said: list[str] = []
        self.answers: list[tuple[Turn, str]] = []
        self._repeats: dict[str, Repeats] = {}
        self._lines = 0
        self._agents = {}
        for number, entry in enumerate(roster.agents):
            given = agent_assignment(
                entry,
                RoomAccess(roster.room, "ws://127.0.0.1:1", SecretStr("none"), "chair", roster.topic),
                StandIns(url, None),
                seat_number=number,
                transcript=(),
                cast=[cast_member(one) for one in roster.agents],
            )
            self._agents[entry.name] = Answers(
                given,
                llm_from_endpoint(given.llm),
                tts_from_endpoint(given.tts, given.voice, ClauseTokenizer()),
                OPTIONS,
                reader_from_endpoint(given.llm),
                count=lambda novelty, name=entry.name: self._repeats.__setitem__(  # type: ignore[misc]
                    name, novelty.added_to(self._repeats.get(name, Repeats()))
                ),
            )

    @property
    def repeats(self) -> Repeats:
        """Of both."""
        names = [name for name in Repeats.model_fields if name != "type"]
        return Repeats(**{name: sum(getattr(each, name) for each in self._repeats.values()) for name in names})

    async def hold(self, turns: Sequence[Turn]) -> None:
        for answers in self._agents.values():
            answers.read_ahead()
        await self._pause()
        for number, turn in enumerate(turns):
            await self._take(turn, pauses=number % EVERY == 0)

    async def aclose(self) -> None:
        for answers in self._agents.values():
            await answers.aclose()

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
        return text

    def _line(self, who: str, text: str) -> Line:
        self._lines += 1
        return Line(id=f"l{self._lines}", at=self._lines, speaker=who, identity=who.lower(), text=text)

    async def _pause(self) -> None:
        while reading := [task for answers in self._agents.values() for task in answers._reading]:
            await asyncio.wait(reading)


def _tell(line: Line) -> None:
    print(f"    {line.speaker}: {line.text}", flush=True)
