"""What an agent says next where a realtime model says it: asked when the floor is held, with the model's own voice.

Nothing is made ahead: an answer is part of the session's conversation from its first sound on. What others say is told
to the session as it is heard, so that an answer begins at once. What was cut off is taken back there to what was
heard; where somebody only coughed, the rest is played, as far as it had been made.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectionError, llm

from meetctl.protocol import Assignment, Grant, Line, Purpose, Usage, UsageKind

from ..models.prompt import YOUR_TURN, Message, is_task
from ..models.usage import UsageMeter
from ..models.warming import Warming
from ..process.tasks import Tasks
from ..realtime.conversation import Conversation, RealtimeAnswer, Sounding
from ..realtime.items import items_of
from ..realtime.model import RealtimeChoice
from ..realtime.renewal import Renewal
from .answers import CutOff, Warn
from .memory import Remembering
from .mono import mono
from .replay_agent import ToolRequest
from .speech import Permit, Speech, rest
from .tool_turn import ToolUse

SAY = "Say these words aloud, all of them, exactly as they are and in their language, and nothing else:\n{words}"
GO_ON = "(A noise interrupted you; nobody said anything. Go on from there.)"
MOST_OWN = 64
"""Turns of the agent's own that are known by their sound."""

logger = logging.getLogger(__name__)


class _Heard(str):
    """Words that have their sound already."""


class RealtimeSpeech(Speech):
    """A turn whose words and sound the model makes together."""

    def __init__(self, words: Callable[[RealtimeSpeech], AsyncGenerator[str, None]], permit: Permit) -> None:
        self.sounding = Sounding(self._put)
        self.conversation: Conversation | None = None
        """The session that makes it, once one does."""
        super().__init__(words(self), permit=permit)

    async def _write(self) -> None:
        await super()._write()
        self.sound.end(self.words.error)

    def _put(self, frame: rtc.AudioFrame) -> None:
        if self.first_sound_s is None and self.first_word_s is not None:
            self.first_sound_s = 0.0
        self.sound.put(mono(frame))


class _Rest(Speech):
    """What was not heard of a speech that had been made to its end."""

    def __init__(self, cut_off: CutOff) -> None:
        super().__init__(rest(cut_off.speech.words.replay(), cut_off.said))
        heard_s = cut_off.speech.heard_s
        for frame in cut_off.speech.sound.pieces:
            if heard_s <= 0:
                self.sound.put(frame)
            elif heard_s < frame.duration:
                self.sound.put(_from(frame, heard_s))
            heard_s -= frame.duration
        self.sound.end()


def _from(frame: rtc.AudioFrame, seconds: float) -> rtc.AudioFrame:
    """Returns what of a frame of one channel comes after so long."""
    first = int(seconds * frame.sample_rate)
    samples = bytes(frame.data)[2 * first :]
    return rtc.AudioFrame(samples, frame.sample_rate, 1, frame.samples_per_channel - first)


class RealtimeAnswers(Remembering):
    """Makes speeches for one agent by one realtime model; ended by `aclose`."""

    def __init__(
        self,
        assignment: Assignment,
        choice: RealtimeChoice,
        warn: Warn,
        works: Callable[..., None],
        usage: UsageMeter,
        tools: ToolUse | None = None,
    ) -> None:
        super().__init__(assignment)
        for line in assignment.transcript:
            self._memory.add(line)
        self._choice = choice
        self._usage = usage
        self._tools = tools
        self.warming = Warming(is_loaded=True)
        self._own: dict[str, list[list[str]]] = {}
        """By what was said in a turn, the items that the session made of it, each time it was said."""
        self._present: RealtimeSpeech | None = None
        """What is being said: it may have been made to its end, and not be heard to its end."""
        self._cut_off: CutOff | None = None
        self._lock = asyncio.Lock()
        """Held while the model speaks, or is told something."""
        self._quiet = asyncio.Event()
        """Set while nothing is said."""
        self._quiet.set()
        self._tasks = Tasks()
        self._is_told = True
        self._renewal = Renewal(choice, self._tell, self._lock, self._quiet, warn, works, self._count, self.read_ahead)

    async def aclose(self) -> None:
        if self._present is not None:
            await self._present.aclose()
        await self._tasks.aclose()
        await self._renewal.aclose()
        await self._choice.model.aclose()

    def hear(self, line: Line) -> None:
        """Remembers what somebody else said; the chair may tell it twice."""
        if line in self._memory.lines:
            return
        self._memory.add(line)
        self._cut_off = None
        if line.identity in self._agents:
            self._memory.make_room()
        self.read_ahead()

    def prepare(self, line: Line) -> None:
        """Makes nothing: an answer that nobody may hear would stand in the session's conversation."""

    def read_ahead(self) -> None:
        """Has the session told what is remembered, when nothing is being said."""
        if self._is_told:
            self._is_told = False
            self._tasks.own(self._tell_between(), "realtime-telling")

    def take(self, grant: Grant) -> Speech:
        """Returns what to say now; whoever takes it hands it to `said` or `discard` afterwards."""
        cut_off, self._cut_off = self._cut_off, None
        if cut_off is not None and cut_off.is_resumed_by(grant):
            if cut_off.is_whole:
                return _Rest(cut_off)
            if cut_off.said:
                return self._speech((*self._prompt(), Message("user", GO_ON)))
        if grant.verbatim is not None:
            return self._very_words(grant.verbatim)
        if (own := self._wish(grant)) is not None:
            text, is_wish = own
            if not is_wish:
                return self._very_words(text)
            return self._speech((*self._prompt(), Message("user", f"({text or YOUR_TURN})")))
        if grant.line is not None and self._tools is not None and (waiting := self._tools.take(grant.line.id)):
            tools, prompt = self._tools, self._prompt()
            return self._made(lambda turn: tools.resumed(waiting, prompt, turn.written, turn.permit))
        if grant.line is not None:
            self._memory.add(grant.line)
        return self._speech(self._asked(unasked=grant.line is None))

    def said(self, grant: Grant, speech: Speech, line: Line, *, cut: bool) -> None:
        """Remembers what came of it, and has the session know how much of it was heard."""
        self._memory.add(line)
        self._memory.make_room()
        kept = self._kept(speech, whole=not line.interrupted)
        if kept and line.text.strip():
            said = [message for message in self._prompt() if message.role == "assistant"]
            self._own.setdefault(said[-1].text, []).append(kept)
            while len(self._own) > MOST_OWN:
                del self._own[next(iter(self._own))]
        if cut:
            is_whole = speech.words.ended and speech.words.error is None
            self._cut_off = CutOff(grant, speech, line.text, is_whole)
        self._tasks.own(speech.aclose(), "speech-end")
        self.read_ahead()

    def discard(self, speech: Speech) -> None:
        """Ends a speech that failed."""
        self._kept(speech, whole=False)
        self._tasks.own(speech.aclose(), "speech-end")

    def _kept(self, speech: Speech, *, whole: bool) -> list[str]:
        """Returns the items of the session that stand for what was heard."""
        self._present = None
        self._quiet.set()
        if not isinstance(speech, RealtimeSpeech) or speech.conversation is None:
            return []
        spoken = speech.sounding.spoken
        return [one.item_id for one in spoken] if whole else speech.conversation.cut(spoken, speech.heard_s)

    def _count(self, tokens: int) -> None:
        kind, purpose = UsageKind.LLM_TOKENS, Purpose.ANSWERS
        provider, model = self._choice.provider, self._choice.name
        self._usage.add(Usage(kind=kind, amount=tokens, purpose=purpose, provider=provider, model=model))

    # --- what the session knows ---

    async def _tell_between(self) -> None:
        async with self._lock:
            self._is_told = True
            conversation = self._renewal.present
            if conversation is None:
                return  # the next one is told anyway
            try:
                await self._tell(conversation)
            except llm.RealtimeError as error:
                self._renewal.replace(conversation, error)

    async def _tell(self, conversation: Conversation) -> None:
        """Tells a session all that is remembered, and nothing that it is to do."""
        instructions, *said = self._prompt()
        while said and is_task(said[-1]):
            said.pop()
        saying = [] if self._present is None else [one.item_id for one in self._present.sounding.spoken]
        items = items_of(said, self._own, conversation.held, said=saying)
        await conversation.tell(instructions.text, items, self._tools.offered() if self._tools is not None else ())

    # --- a turn ---

    def _speech(self, prompt: tuple[Message, ...]) -> Speech:
        def words(turn: _Turn) -> AsyncGenerator[str, None]:
            if self._tools is None:
                return turn.written(prompt, ToolRequest())
            return self._tools.words(prompt, turn.written, lambda written: written(prompt), turn.permit)

        return self._made(words)

    def _very_words(self, text: str) -> Speech:
        return self._made(lambda turn: turn.say(text))

    def _made(self, words: Callable[[_Turn], AsyncGenerator[str, None]]) -> Speech:
        permit = Permit()

        async def made(speech: RealtimeSpeech) -> AsyncGenerator[str, None]:
            async with self._lock:
                turn = _Turn(self._renewal, self._own, speech, permit)
                async with contextlib.aclosing(words(turn)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, _Heard) or not re.search(r"\w", piece):
                            yield piece
                            continue
                        async for heard in turn.fill(piece):
                            yield heard

        self._present = speech = RealtimeSpeech(made, permit)
        self._quiet.clear()
        return speech


class _Turn:
    """One turn, of as many answers as its tools make of it."""

    def __init__(
        self, renewal: Renewal, own: dict[str, list[list[str]]], speech: RealtimeSpeech, permit: Permit
    ) -> None:
        self._renewal = renewal
        self._own = own
        self._speech = speech
        self.permit = permit

    async def written(self, prompt: tuple[Message, ...], asking: ToolRequest) -> AsyncGenerator[str, None]:
        """Yields an answer to what is remembered, and to what came of the turn's tools."""
        answer = RealtimeAnswer(self._speech.sounding, may_call=asking.may_call)
        async with contextlib.aclosing(self._answered(answer, lambda held: self._told(held, prompt, asking))) as pieces:
            async for piece in pieces:
                yield piece
        asking.calls += answer.calls

    async def say(self, text: str) -> AsyncGenerator[str, None]:
        """Yields the very words, as the model says them."""
        answer = RealtimeAnswer(
            self._speech.sounding, may_call=False, instructions=SAY.format(words=text), very_words=text
        )
        async with contextlib.aclosing(self._answered(answer, _nothing)) as pieces:
            async for piece in pieces:
                yield piece

    async def fill(self, text: str) -> AsyncGenerator[str, None]:
        """Yields a few words of the agent's own, or nothing where that fails: the turn goes on."""
        try:
            async with contextlib.aclosing(self.say(text)) as pieces:
                async for piece in pieces:
                    yield piece
            yield _Heard("\n")
        except Exception as error:
            logger.warning("%r could not be said: %r", text, error)

    async def _told(self, conversation: Conversation, prompt: tuple[Message, ...], asking: ToolRequest) -> None:
        instructions, *remembered = prompt
        said = [one.item_id for one in self._speech.sounding.spoken]
        items = items_of(remembered, self._own, conversation.held, asking.done, said)
        await conversation.tell(instructions.text, items, list(asking.tools))

    async def _answered(self, answer: RealtimeAnswer, told: Callable[[Conversation], Any]) -> AsyncGenerator[str, None]:
        """Yields the words; where the session is lost before the first, once more by another."""
        again = True
        while True:
            conversation = await self._renewal.current()
            self._speech.conversation = conversation
            has_begun, sounded_s = False, self._speech.sounding.seconds
            try:
                await told(conversation)
                async with contextlib.aclosing(conversation.answer(answer)) as words:
                    async for piece in words:
                        has_begun = True
                        yield _Heard(piece)
                return
            except (llm.RealtimeError, APIConnectionError) as error:
                self._renewal.replace(conversation, error)
                if has_begun or not again or self._speech.sounding.seconds > sounded_s:
                    raise
                again = False
                answer.calls.clear()
                logger.info("the answer is asked for once more: %r", error)


async def _nothing(_: Conversation) -> None:
    """Tells it nothing new."""
