"""An answer in the making: a model's words, and their sound, both buffered as they come.

It begins at once, perhaps before anybody has granted the floor, and can be played from its start at any time. Until
it is granted only its first clause becomes sound. Every wait for a model is bounded. Knows nothing of rooms or floors.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from livekit import rtc
from livekit.agents import APIConnectOptions, tts, utils

from ..models.novelty import Novelty
from ..text.clauses import cut
from ..text.spoken_text import spoken
from .mono import mono

STALL_S = 21.0
"""Between two pieces of text or sound: a first answer takes two attempts of ten seconds each. Runs out where a model
server took the request and forgot it."""

Piece = TypeVar("Piece")


class ReplayBuffer(Generic[Piece]):
    """What comes in is kept; each replay begins at the start and follows to the end."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.ended = False
        self.error: BaseException | None = None
        self._news = asyncio.Event()

    def put(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self._tell()

    def end(self, error: BaseException | None = None) -> None:
        """Ends it; with an error, replays raise it after the last piece."""
        self.ended, self.error = True, error
        self._tell()

    async def replay(self) -> AsyncIterator[Piece]:
        index = 0
        while True:
            while index < len(self.pieces):
                index += 1
                yield self.pieces[index - 1]
            if self.ended:
                break
            await self._news.wait()
        if self.error is not None:
            raise self.error

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Permit:
    """Whether the floor is held for a speech: what makes its words may wait for that, and take its time meanwhile."""

    def __init__(self) -> None:
        self._granted = asyncio.Event()
        self._bound: set[asyncio.Timeout] = set()
        self._unhurried = 0

    def grant(self) -> None:
        self._granted.set()

    def revoke(self) -> None:
        self._granted.clear()

    async def wait(self) -> None:
        """Waits for the floor."""
        await self._granted.wait()

    @contextmanager
    def bound(self, patience: asyncio.Timeout) -> Iterator[None]:
        """Takes a time-out that runs while words are waited for, as long as the block runs."""
        self._bound.add(patience)
        if self._unhurried:
            patience.reschedule(None)
        try:
            yield
        finally:
            self._bound.discard(patience)

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """Stops the time-outs of whoever waits for words: what is waited for here has bounds of its own."""
        self._unhurried += 1
        self._restart()
        try:
            yield
        finally:
            self._unhurried -= 1
            self._restart()

    def deadline(self) -> float | None:
        """Returns until when the next word is waited for, on the loop's clock; None = for as long as it takes."""
        return None if self._unhurried else asyncio.get_running_loop().time() + STALL_S

    def _restart(self) -> None:
        for patience in self._bound:
            if not patience.expired():
                patience.reschedule(self.deadline())


class Speech:
    """What a turn says, in the making from the moment it is created until `aclose`.

    Args:
        words: yields them as they come.
        first_word_s: how long the first word may take; None = as long as each that follows.
        novelty: what becomes of it, where the words are the agent's own.
        permit: shared with what makes the words, where that waits for the floor.
    """

    def __init__(
        self,
        words: AsyncIterator[str],
        *,
        first_word_s: float | None = None,
        novelty: Novelty | None = None,
        permit: Permit | None = None,
    ) -> None:
        self.words: ReplayBuffer[str] = ReplayBuffer()
        self.sound: ReplayBuffer[rtc.AudioFrame] = ReplayBuffer()
        self.novelty = novelty
        self.began_at = time.time()
        self.first_word_s: float | None = None
        self.first_sound_s: float | None = None
        """After the first word."""
        self.heard_s = 0.0
        """How much of the sound was played."""
        self._source = words
        self._first_word_s = STALL_S if first_word_s is None else first_word_s
        self.permit = permit or Permit()
        self._making = [asyncio.create_task(self._write(), name="speech-words")]

    @property
    def text(self) -> str:
        """What has been written so far."""
        return " ".join("".join(self.words.pieces).split())

    def grant(self) -> None:
        """Lets all of it become sound."""
        self.permit.grant()

    def revoke(self) -> None:
        """The floor is taken away: what is not yet made waits."""
        self.permit.revoke()

    async def wait_written(self) -> str:
        """Waits until every word is known, and returns them.

        Raises:
            Exception: what made the model fail.
        """
        async for _ in self.words.replay():
            pass
        return self.text

    async def aclose(self) -> None:
        await utils.aio.cancel_and_wait(*self._making)
        for buffer in (self.words, self.sound):
            if not buffer.ended:
                buffer.end()

    async def _write(self) -> None:
        error: BaseException | None = None
        try:
            async with asyncio.timeout(self._first_word_s) as patience:
                with self.permit.bound(patience):
                    async for piece in self._source:
                        patience.reschedule(self.permit.deadline())
                        if self.first_word_s is None:
                            self.first_word_s = time.time() - self.began_at
                        self.words.put(piece)
        except TimeoutError:
            waited = self._first_word_s if self.first_word_s is None else STALL_S
            error = TimeoutError(f"the language model said nothing for {waited:.0f} s")
        except Exception as failure:
            error = failure
        self.words.end(error)


class SynthesisedSpeech(Speech):
    """Words to which a speech model gives their sound, clause by clause."""

    def __init__(
        self,
        words: AsyncIterator[str],
        voice: tts.TTS[Any],
        options: APIConnectOptions,
        *,
        as_written: bool = False,
        first_word_s: float | None = None,
        novelty: Novelty | None = None,
        permit: Permit | None = None,
    ) -> None:
        """
        Args:
            as_written: whether the very words go to the voice, marks and all.
        """
        super().__init__(words, first_word_s=first_word_s, novelty=novelty, permit=permit)
        self._voice = voice
        self._options = options
        self._as_written = as_written
        self._making.append(asyncio.create_task(self._speak(), name="speech-sound"))

    async def _speak(self) -> None:
        error: BaseException | None = None
        try:
            await self._speak_pieces()
        except TimeoutError:
            error = TimeoutError(f"the speech model was silent for {STALL_S:.0f} s")
        except Exception as failure:
            error = failure
        self.sound.end(error)

    async def _speak_pieces(self) -> None:
        text, first = "", True
        words = _without_error(self.words)
        async for piece in words if self._as_written else spoken(words):
            text += piece
            while end := cut(text, first=first):
                await self._synthesise(text[:end].strip(), first=first)
                text, first = text[end:], False
        if text.strip():
            await self._synthesise(text.strip(), first=first)

    async def _synthesise(self, text: str, *, first: bool) -> None:
        if not re.search(r"\w", text):
            return  # a lone full stop has no sound
        if not first:
            await self.permit.wait()
        written = time.time()
        async with (
            asyncio.timeout(STALL_S) as patience,
            self._voice.synthesize(text, conn_options=self._options) as stream,
        ):
            async for audio in stream:
                patience.reschedule(asyncio.get_running_loop().time() + STALL_S)
                if self.first_sound_s is None:
                    self.first_sound_s = time.time() - written
                self.sound.put(mono(audio.frame))


async def _without_error(buffer: ReplayBuffer[str]) -> AsyncIterator[str]:
    """Yields what was written even where the model failed: what is there can be said."""
    try:
        async for piece in buffer.replay():
            yield piece
    except Exception:
        return


async def verbatim(text: str) -> AsyncIterator[str]:
    """Yields given words."""
    yield text


async def rest(words: AsyncIterator[str], said: str) -> AsyncIterator[str]:
    """Yields what comes after `said` in the words; nothing where they do not begin with it.

    Blanks do not count, since what was said is known without the line breaks it was written with.
    """
    wanted = "".join(said.split())
    async for piece in words:
        index = 0
        while wanted and index < len(piece):
            if piece[index].isspace():
                index += 1
            elif piece[index] == wanted[0]:
                wanted, index = wanted[1:], index + 1
            else:
                return
        if not wanted and index < len(piece):
            yield piece[index:]
