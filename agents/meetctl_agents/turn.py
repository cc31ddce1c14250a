"""One turn of an agent: from the grant to what was really said. Bounded; speaks through the session it is given."""

from __future__ import annotations

import asyncio
import time

from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import SpeechHandle

from meetctl.protocol import Assignment, Grant, Line, Release

STOP_S = 3.0
"""From an interruption until the session has put down what was said; measured 4 to 20 ms."""


class Turn:
    """Runs once. `stop` may be called at any time, before it runs and after it is over included."""

    def __init__(self, session: AgentSession[None], grant: Grant, longest_s: float) -> None:
        self.grant = grant
        self.over = asyncio.Event()
        self._session = session
        self._longest_s = longest_s
        self._stopped = False
        self._handle: SpeechHandle | None = None
        self._granted_at = time.time()
        self._sound_at: float | None = None

    @property
    def grant_id(self) -> str:
        return self.grant.grant_id

    async def run(self) -> Release:
        """Speaks, and returns what was heard of it.

        Raises:
            Exception: what made the model fail, if nothing was said because of it.
        """
        if self._stopped:
            return Release(grant_id=self.grant_id, text="", interrupted=True)
        self._handle = handle = self._session.generate_reply()
        try:
            async with asyncio.timeout(self._longest_s):
                await handle.wait_for_playout()
        except TimeoutError:
            self.stop()
            async with asyncio.timeout(STOP_S):
                await handle.wait_for_playout()
        said = " ".join(item.text_content or "" for item in handle.chat_items if isinstance(item, ChatMessage)).strip()
        failure = None if handle.interrupted else handle.exception()
        if failure is not None and not said:
            raise failure
        return Release(
            grant_id=self.grant_id,
            text=said,
            interrupted=handle.interrupted or failure is not None,
            started_at=self._sound_at,
            stages_ms=self._stages_ms(handle),
        )

    def stop(self) -> None:
        """Falls silent now."""
        self._stopped = True
        if self._handle is not None and not self._handle.done():
            self._handle.interrupt(force=True)

    def sound_began(self, at: float) -> None:
        """Notes the first sound of this turn; Unix time, seconds."""
        if self._sound_at is None:
            self._sound_at = at

    def line(self, said: Release, assignment: Assignment) -> Line:
        """Returns the turn as a line of the transcript."""
        return Line(
            id=self.grant_id,
            at=said.started_at or time.time(),
            speaker=assignment.name,
            identity=assignment.identity,
            text=said.text,
            interrupted=said.interrupted,
        )

    def _stages_ms(self, handle: SpeechHandle) -> dict[str, float]:
        stages: dict[str, float] = {}
        for item in handle.chat_items:
            if isinstance(item, ChatMessage):
                for stage, key in (("llm_first_token", "llm_node_ttft"), ("tts_first_audio", "tts_node_ttfb")):
                    value = item.metrics.get(key)
                    if isinstance(value, float):
                        stages[stage] = round(value * 1000, 1)
        if self._sound_at is not None:
            stages["grant_to_sound"] = round((self._sound_at - self._granted_at) * 1000, 1)
        return stages
