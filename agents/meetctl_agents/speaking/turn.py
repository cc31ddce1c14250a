"""One turn of an agent: from the grant to what was really said. Bounded; speaks through the session it is given."""

from __future__ import annotations

import asyncio
import logging
import time

from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import SpeechHandle

from meetctl.protocol import Assignment, Grant, Line, Release

from .speech import Speech

STOP_S = 6.0
"""From an interruption until the session has put down what was said; measured 4 to 20 ms. The session itself gives a
speech up five seconds after it was interrupted."""

logger = logging.getLogger(__name__)


class Turn:
    """Runs once. `stop` may be called at any time, before it runs and after it is over included."""

    def __init__(self, session: AgentSession[None], grant: Grant, longest_s: float) -> None:
        self.grant = grant
        self.over = asyncio.Event()
        self._session = session
        self.longest_s = longest_s
        self._stopped = False
        self.overran = False
        """Whether it was ended for taking too long."""
        self._handle: SpeechHandle | None = None
        self._speech: Speech | None = None
        self._granted_at = time.time()
        self._sound_at: float | None = None
        self._heard_s = 0.0

    @property
    def grant_id(self) -> str:
        return self.grant.grant_id

    @property
    def stopped(self) -> bool:
        """Whether it was told to fall silent."""
        return self._stopped

    @property
    def sounded(self) -> bool:
        """Whether any of it has been heard."""
        return self._sound_at is not None

    async def run(self, speech: Speech) -> Release:
        """Says the speech, and returns what was heard of it.

        Raises:
            Exception: what made a model fail, if nothing was said because of it.
        """
        if self._stopped:
            return Release(grant_id=self.grant_id, text="", interrupted=True)
        self._speech = speech
        speech.grant()
        self._handle = handle = self._session.generate_reply()
        ended = await self._played(handle)
        speech.heard_s = self._heard_s
        said = _spoken(handle)
        if not ended and self._sound_at is not None and not said:
            said = speech.text  # it was heard, and how far nobody knows
        failure = None if self._stopped else speech.words.error or speech.sound.error
        if failure is not None and not said:
            raise failure
        return Release(
            grant_id=self.grant_id,
            text=said,
            interrupted=handle.interrupted or failure is not None,
            started_at=self._sound_at,
            stages_ms=self._stages_ms(speech),
        )

    def stop(self) -> None:
        """Falls silent now."""
        self._stopped = True
        if self._speech is not None:
            self._speech.revoke()
        if self._handle is not None and not self._handle.done():
            self._handle.interrupt(force=True)

    def sound_began(self, at: float) -> None:
        """Notes the first sound of this turn; Unix time, seconds."""
        if self._sound_at is None:
            self._sound_at = at

    def sound_ended(self, heard_s: float) -> None:
        """Notes how much of it was played."""
        self._heard_s += heard_s

    async def _played(self, handle: SpeechHandle) -> bool:
        """Waits for the end, whatever it takes within bounds; returns whether the session came to one."""
        for longest_s in (self.longest_s, STOP_S):
            try:
                async with asyncio.timeout(longest_s):
                    await handle.wait_for_playout()
                return True
            except TimeoutError:
                logger.warning("turn %s did not end within %.0f s", self.grant_id, longest_s)
                self.overran = self.overran or not self._stopped
                self.stop()
        return False

    def _stages_ms(self, speech: Speech) -> dict[str, float]:
        stages = {
            "llm_first_token": speech.first_word_s,
            "tts_first_audio": speech.first_sound_s,
            "prepared_ahead": max(0.0, self._granted_at - speech.began_at),
            "grant_to_sound": None if self._sound_at is None else self._sound_at - self._granted_at,
        }
        return {stage: round(seconds * 1000, 1) for stage, seconds in stages.items() if seconds is not None}


def _spoken(handle: SpeechHandle) -> str:
    texts = [item.text_content or "" for item in handle.chat_items if isinstance(item, ChatMessage)]
    return " ".join(" ".join(texts).split())


def line_of(said: Release, assignment: Assignment) -> Line:
    """Returns what was said in a turn as a line of the transcript."""
    return Line(
        id=said.grant_id,
        at=said.started_at or time.time(),
        speaker=assignment.name,
        identity=assignment.identity,
        text=said.text,
        interrupted=said.interrupted,
    )
