"""The player: `python -m meetctl_agents.player`. Plays the scripted people of a rehearsal, and measures what follows.

One process for everybody: the steps come one after the other, and all times are on one clock. It reads a `Script` on
stdin and reports facts (`meetctl.protocol.rehearsal`); it knows no expectation and judges nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from typing import NoReturn

from pydantic import ValidationError

from meetctl.errors import MeetctlError
from meetctl.protocol import MAX_LINE_BYTES, Failed, Ready, Stop, parse_command
from meetctl.protocol.rehearsal import (
    Act,
    Cue,
    Fact,
    Missed,
    Played,
    Prepared,
    Script,
    ScriptedStep,
    Spoke,
    StepBegan,
    StepEnded,
    observed,
    parse_order,
)

from .playing.ear import Ear, play_clock
from .playing.pace import is_over, may_interrupt
from .playing.people import Person, PlayerError, spoken
from .process.shell import Shell, run_in_shell

LOOK_S = 0.03
"""How often the ear is asked whether a step is over; what it measured is exact whenever it is asked."""
SPEAKER_S = 20.0
"""For an agent to be heard, where a step is to begin while one speaks."""
CUE_S = 120.0
"""For a step that others carry out."""
CAPTIONS_S = 2.0
"""At the end, for captions that have begun."""

logger = logging.getLogger(__name__)


class Play:
    """One play of a script; async context manager around everybody in it."""

    def __init__(self, script: Script, report: Callable[[Fact], None]) -> None:
        self.cues: asyncio.Queue[int] = asyncio.Queue()
        self._script = script
        self._report = report
        self._clock = play_clock()
        self._ear = Ear(script, report, self._clock)
        self._here: dict[str, tuple[Person, contextlib.AsyncExitStack]] = {}
        self._identities: dict[str, str] = {}
        self._tickets = {person.name: list(person.tickets) for person in script.people}
        self._voiced: dict[int, bytes] = {}

    async def run(self) -> None:
        """Plays every step.

        Raises:
            RehearsalError: if the play cannot go on.
        """
        async with self._ear:
            try:
                voices = {person.name: person.voice for person in self._script.people}
                for number, step in enumerate(self._script.steps):
                    if step.act is Act.SAYS:
                        samples = await spoken(self._script.models_url, step.text, voices[step.person])
                        self._voiced[number] = samples
                for person in self._script.people:
                    if person.here:
                        await self._join(person.name)
                self._report(Prepared())
                for number, step in enumerate(self._script.steps):
                    await self._step(number, step)
                self._ear.finish()
                await self._ear.wait_captions(CAPTIONS_S)
                self._report(Played(at=self._clock()))
            finally:
                for name in list(self._here):
                    await self._leave(name)

    async def _step(self, number: int, step: ScriptedStep) -> None:
        if step.while_speaking and not await self._wait_for_speaker():
            self._report(StepBegan(step=number, at=self._clock()))
            self._report(Missed(step=number, why=f"no agent was heard within {SPEAKER_S:.0f} s"))
            self._report(StepEnded(step=number, at=self._clock()))
            return
        began = self._clock()
        self._report(StepBegan(step=number, at=began))
        acted_at = await self._act(number, step)
        identity = self._identities.get(step.person)
        while not is_over(step, acted_at, self._ear.hearing(acted_at, identity), self._clock()):
            await asyncio.sleep(LOOK_S)
        self._report(StepEnded(step=number, at=self._clock()))

    async def _act(self, number: int, step: ScriptedStep) -> float:
        """Does it; returns since when an answer counts."""
        began = self._clock()
        match step.act:
            case Act.SAYS:
                person, _ = self._here[step.person]
                began, ended = await person.say(self._voiced[number])
                self._report(Spoke(step=number, identity=person.identity, began=began, ended=ended))
                return ended
            case Act.WRITES:
                person, _ = self._here[step.person]
                await person.write(step.text)
                self._report(Spoke(step=number, identity=person.identity, began=began, ended=began))
            case Act.JOINS:
                await self._join(step.person)
            case Act.LEAVES:
                await self._leave(step.person)
            case Act.KILLS:
                async with asyncio.timeout(CUE_S):
                    while await self.cues.get() != number:
                        pass
            case Act.WAITS:
                pass
        return began

    async def _join(self, name: str) -> None:
        ticket = self._tickets[name].pop(0)
        stack = contextlib.AsyncExitStack()
        person = await stack.enter_async_context(Person(self._script.url, ticket, self._clock))
        self._here[name] = (person, stack)
        self._identities[name] = person.identity
        await person.wait_heard()

    async def _leave(self, name: str) -> None:
        _, stack = self._here.pop(name)
        await stack.aclose()

    async def _wait_for_speaker(self) -> bool:
        until = self._clock() + SPEAKER_S
        while not may_interrupt(self._ear.hearing(self._clock(), None), self._clock()):
            if self._clock() > until:
                return False
            await asyncio.sleep(LOOK_S)
        return True


def main() -> NoReturn:
    """Plays the script on stdin and exits: 0 when it is played or it was told to leave, 1 when it failed."""
    run_in_shell(_run)


async def _run(shell: Shell) -> int:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), shell.commands)
    try:
        script = parse_order(await reader.readline())
    except ValidationError as error:
        # Its input may hold a token, so only its shape is repeated.
        shape = "; ".join(f"{detail['loc']}: {detail['msg']}" for detail in error.errors(include_input=False))
        shell.report(Failed(code="no_script", message=f"the first line is no script: {shape}", permanent=True))
        return 1
    if not isinstance(script, Script):
        shell.report(Failed(code="no_script", message="the first line is no script", permanent=True))
        return 1
    play = Play(script, lambda fact: shell.report(observed(fact)))
    playing = asyncio.create_task(play.run())
    following = asyncio.create_task(_follow(reader, play))
    loop.add_signal_handler(signal.SIGTERM, following.cancel)
    shell.report(Ready())
    await asyncio.wait({playing, following}, return_when=asyncio.FIRST_COMPLETED)
    shell.end_for_certain()
    following.cancel()
    told_to_leave = not playing.done()
    playing.cancel()
    (outcome,) = await asyncio.gather(playing, return_exceptions=True)
    if outcome is None or told_to_leave:
        return 0
    assert isinstance(outcome, BaseException)
    logger.error("the play broke off", exc_info=outcome)
    known = outcome if isinstance(outcome, MeetctlError) else PlayerError(f"{type(outcome).__name__}: {outcome}")
    shell.report(Failed(code=known.code, message=known.message, hint=known.hint, permanent=True))
    return 1


async def _follow(reader: asyncio.StreamReader, play: Play) -> None:
    """Takes cues until told to stop, or until whoever tells is gone."""
    while line := await reader.readline():
        try:
            order = parse_order(line)
        except ValidationError:
            if isinstance(parse_command(line), Stop):
                return
            logger.warning("a line on stdin is no order")
            continue
        if isinstance(order, Cue):
            play.cues.put_nowait(order.step)


if __name__ == "__main__":
    main()
