"""What an agent says next: answers made when they are asked for, made ahead, or continued where they were cut off.

Holds the agent's memory of the meeting. An answer made ahead is only used if nothing else was heard meanwhile: it is
known by the whole prompt it was made from.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from livekit.agents import APIConnectOptions, llm, tts, utils

from meetctl.protocol import TALK, Assignment, Endpoint, Grant, Line

from ..models.novelty import Novelty, new_words
from ..models.prompt import YOUR_TURN, Message
from ..models.providers import in_a_row
from ..models.warming import FIRST_ANSWER_S, Warming, may_have_to_load
from ..process.tasks import Tasks, begin
from ..text.answer_text import AnswerText, ThinkingHabit
from ..text.brevity import brief
from ..text.questions import is_open_question
from ..text.repeats import SaidBefore, wishes_to_hear_again
from .memory import Remembering
from .replay_agent import ToolRequest, answer, read
from .speech import Permit, Speech, SynthesisedSpeech, rest, verbatim
from .tool_turn import Continuation, ToolUse

Warn = Callable[[str, object], None]
"""Takes what went wrong, and the error or the words for it."""
Count = Callable[[Novelty], None]
"""Takes what became of an answer that had its turn."""
PATIENCE_S = 18.0
"""For a server that asks to wait: less than the silence that costs an agent its turn."""
LEAST_WORDS = 8
"""Of a small model's answer to an open question; with less it is gone on with, for it would have said one word."""
READING = APIConnectOptions(max_retry=0, timeout=60.0)
"""It waits until the model is idle; the next line that is heard breaks it off."""


def _ignore(*_: object) -> None:
    """Tells nobody."""


def _may_think_aloud(endpoint: Endpoint | None) -> bool:
    """Whether reasoning may come as text: OpenAI's own API never does it, nor do the local models."""
    return any(one.is_somebodys_own for one in (in_a_row(endpoint) if endpoint is not None else ()))


@dataclass(frozen=True, slots=True)
class _Prepared:
    prompt: tuple[Message, ...]
    speech: Speech


class Answering(Protocol):
    """Makes what an agent says, and remembers what is said."""

    warming: Warming

    def hear(self, line: Line) -> None:
        """Remembers what somebody else said; the chair may tell it twice."""

    def prepare(self, line: Line) -> None:
        """Gets ready to answer a line that may be about to be heard."""

    def take(self, grant: Grant) -> Speech:
        """Returns what to say now; whoever takes it hands it to `said` or `discard` afterwards."""

    def said(self, grant: Grant, speech: Speech, line: Line, *, cut: bool) -> None:
        """Remembers what came of it. One that was cut may be gone on with: perhaps somebody only coughed."""

    def discard(self, speech: Speech) -> None:
        """Ends a speech that failed."""

    def will_say(self, text: str, *, is_wish: bool) -> str:
        """Keeps what the agent wants to say by itself; returns the id of the line that brings it the floor."""

    def remember_tool(self, line: Line) -> None:
        """Remembers what came of a tool that the agent used."""

    def read_ahead(self) -> None:
        """Has the model told what is remembered, before it is asked."""

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CutOff:
    """A turn that was ended before its end; it may yet turn out that nobody wanted to say anything."""

    grant: Grant
    speech: Speech
    said: str
    is_whole: bool = False
    """Whether all of it had been made by then."""

    def is_resumed_by(self, grant: Grant) -> bool:
        return (self.grant.line, self.grant.verbatim) == (grant.line, grant.verbatim)


class Answers(Remembering):
    """Makes speeches for one agent and owns those that are not being said; ended by `aclose`."""

    def __init__(
        self,
        assignment: Assignment,
        model: llm.LLM[Any],
        voice: tts.TTS[Any],
        options: APIConnectOptions,
        reader: llm.LLM[Any] | None = None,
        warn: Warn = _ignore,
        count: Count = _ignore,
        tools: ToolUse | None = None,
    ) -> None:
        """
        Args:
            reader: the model once more, to read ahead with.
            warn: is told what of an answer was left out that somebody meant something by.
            count: is told of each turn with words of the agent's own what became of them.
            tools: what it can do beside talking.
        """
        super().__init__(assignment)
        self._said_before = SaidBefore()
        for line in assignment.transcript:
            self._remember(line)
        self._cast = (assignment.name, *(member.name for member in assignment.cast))
        self._model = model
        self._voice = voice
        self._options = options
        self._reader = reader
        self._name = assignment.name
        self._habit = ThinkingHabit(is_known_plain=not _may_think_aloud(assignment.llm))
        self._warn = warn
        self._count = count
        self._tools = tools
        self.warming = Warming(is_loaded=not may_have_to_load(assignment.llm))
        # Where another is asked next, nobody waits for this one.
        self._patience_s = 0.0 if assignment.llm and assignment.llm.fallbacks else PATIENCE_S
        self._reading: set[asyncio.Task[None]] = set()
        self._prepared: _Prepared | None = None
        self._cut_off: CutOff | None = None
        self._ending = Tasks()

    async def aclose(self) -> None:
        self._forget_prepared()
        self._forget_cut_off()
        await utils.aio.cancel_and_wait(*self._reading)
        await self._ending.wait()

    def hear(self, line: Line) -> None:
        """Remembers what somebody else said; the chair may tell it twice."""
        if line in self._memory.lines:
            return
        self._remember(line)
        self._forget_cut_off()
        if line.identity in self._agents:
            self._memory.make_room()
        self.read_ahead()

    def prepare(self, line: Line) -> None:
        """Begins to answer a line that may be about to be heard."""
        prompt = self._asked(newest=line)
        if self._prepared is None or self._prepared.prompt != prompt:
            self._forget_prepared()
            self._prepared = _Prepared(prompt, self._answer(prompt, line))

    def take(self, grant: Grant) -> Speech:
        """Returns what to say now; whoever takes it hands it to `said` afterwards."""
        cut_off, self._cut_off = self._cut_off, None
        if cut_off is not None:
            if cut_off.is_resumed_by(grant):
                if not cut_off.said:
                    return cut_off.speech
                return SynthesisedSpeech(self._rest(cut_off), self._voice, self._options, permit=cut_off.speech.permit)
            self._end(cut_off.speech)
        if grant.verbatim is not None:
            return SynthesisedSpeech(verbatim(grant.verbatim), self._voice, self._options, as_written=True)
        if (own := self._wish(grant)) is not None:
            text, is_wish = own
            if not is_wish:
                return SynthesisedSpeech(verbatim(text), self._voice, self._options, as_written=True)
            return self._answer((*self._prompt(), Message("user", f"({text or YOUR_TURN})")), None)
        if grant.line is not None and self._tools is not None and (waiting := self._tools.take(grant.line.id)):
            return self._resumed(self._tools, waiting)
        if grant.line is not None:
            self._memory.add(grant.line)
        prompt = self._asked(unasked=grant.line is None)
        prepared, self._prepared = self._prepared, None
        if prepared is not None and prepared.prompt == prompt:
            return prepared.speech
        if prepared is not None:
            self._end(prepared.speech)
        return self._answer(prompt, grant.line)

    def said(self, grant: Grant, speech: Speech, line: Line, *, cut: bool) -> None:
        """Remembers what came of it. A speech that was cut is kept for a while: perhaps somebody only coughed."""
        self._remember(line)
        self._memory.make_room()
        self.read_ahead()
        self._tally(speech)
        if cut:
            self._forget_cut_off()
            self._cut_off = CutOff(grant, speech, line.text)
        else:
            self._end(speech)

    def _remember(self, line: Line) -> None:
        self._memory.add(line)
        if line.identity in self._agents or line.identity == self._identity:
            self._said_before.add(line.text)  # people may be quoted

    def discard(self, speech: Speech) -> None:
        """Ends a speech that failed."""
        self._tally(speech)
        self._end(speech)

    def read_ahead(self) -> None:
        """Has the model read what will stand before the next line: most of the wait for an answer is reading."""
        if self._reader is None:
            return
        for earlier in self._reading:
            earlier.cancel()
        prompt = self._prompt()
        tools = self._tools.offered() if self._tools is not None else ()
        task = begin(read(self._reader, prompt, READING, tools), "reading-ahead")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    def _answer(self, prompt: tuple[Message, ...], line: Line | None) -> Speech:
        asker = () if line is None else (line.speaker,)
        names = {*self._cast, *asker, *(each.speaker for each in self._memory.lines)}
        before = SaidBefore() if line is not None and wishes_to_hear_again(line.text) else self._said_before
        if line is not None and line.identity in self._agents:
            self._said_before.add(line.text)  # perhaps it is only about to be said
        novelty = Novelty()
        first_word_s = None if self.warming.is_loaded else FIRST_ANSWER_S
        permit = Permit()
        if self._tools is not None:
            first = partial(new_words, prompt, before=before, novelty=novelty)
            said = self._noted(self._tools.words(prompt, partial(self._briefly, names), first, permit))
        else:
            least = LEAST_WORDS if self._is_small and is_open_question(self._question(line)) else 0
            words = self._noted(new_words(prompt, partial(self._written, names), before, novelty, least))
            said = brief(words) if self._is_small else words
        return SynthesisedSpeech(
            said, self._voice, self._options, first_word_s=first_word_s, novelty=novelty, permit=permit
        )

    def _resumed(self, tools: ToolUse, waiting: Continuation) -> Speech:
        names = {*self._cast, *(each.speaker for each in self._memory.lines)}
        permit = Permit()
        words = tools.resumed(waiting, self._prompt(), partial(self._briefly, names), permit)
        return SynthesisedSpeech(self._noted(words), self._voice, self._options, permit=permit)

    def _question(self, line: Line | None) -> str:
        """Returns what a person said last, where this agent is the one to answer it; another may have done so too."""
        others = [*self._memory.lines, *([line] if line is not None else [])]
        for earlier in reversed(others):
            if earlier.identity == self._identity:
                break
            if earlier.identity not in self._agents and earlier.kind in TALK:
                return earlier.text
        return ""

    def _briefly(self, names: set[str], prompt: tuple[Message, ...], asking: ToolRequest) -> AsyncGenerator[str, None]:
        written = self._written(names, prompt, asking)
        return brief(written) if self._is_small else written

    async def _written(
        self, names: set[str], prompt: tuple[Message, ...], asking: ToolRequest | None = None
    ) -> AsyncGenerator[str, None]:
        text = AnswerText(names, self._name, self._habit)
        options, patience_s = self.warming.options(self._options), self.warming.patience_s(self._patience_s)
        made = answer(self._model, prompt, text, options, self._warn, patience_s, asking)
        async with contextlib.aclosing(made) as pieces:
            async for piece in pieces:
                yield piece

    def _tally(self, speech: Speech) -> None:
        if speech.novelty is not None:
            self._count(speech.novelty)
            speech.novelty = None  # a speech that goes on after a cough is one turn

    async def _noted(self, words: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
        async with contextlib.aclosing(words):  # whoever has heard enough ends the request at once
            async for piece in words:
                self.warming.answered()
                yield piece

    async def _rest(self, cut_off: CutOff) -> AsyncIterator[str]:
        """Yields what had not been said, and ends the speech that it is taken from."""
        try:
            async for piece in rest(cut_off.speech.words.replay(), cut_off.said):
                yield piece
        finally:
            self._end(cut_off.speech)

    def _forget_prepared(self) -> None:
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            self._end(prepared.speech)

    def _forget_cut_off(self) -> None:
        cut_off, self._cut_off = self._cut_off, None
        if cut_off is not None:
            self._end(cut_off.speech)

    def _end(self, speech: Speech) -> None:
        self._ending.own(speech.aclose(), "speech-end")
