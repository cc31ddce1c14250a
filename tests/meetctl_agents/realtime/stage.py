"""One agent with a realtime model, driven as its speaker drives it, and everything that it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from livekit.agents import utils
from meetctl_agents.models.usage import UsageMeter
from meetctl_agents.realtime.model import realtime_from_endpoint
from meetctl_agents.speaking.realtime_answers import RealtimeAnswers
from meetctl_agents.speaking.speech import Speech
from meetctl_agents.speaking.tool_turn import ToolUse
from pydantic import SecretStr

from meetctl.protocol import Assignment, Endpoint, Grant, Line, Model, UsageTotals, Voice
from testing.agents.realtime_server import RealtimeServer, Session

SAM = "sam"


def line(number: int, text: str, identity: str = SAM) -> Line:
    return Line(id=f"u{number}", at=number, speaker=identity.capitalize(), identity=identity, text=text)


def endpoint_of(server: RealtimeServer, key: str = "sk-realtime-1", **options: Any) -> Endpoint:
    return Endpoint(
        base_url=server.url, api_key=SecretStr(key), model="gpt-realtime", realtime=True, options=dict(options)
    )


class Stage:
    """What the agent says, and what it warns of."""

    def __init__(self, server: RealtimeServer, tools: ToolUse | None, **options: Any) -> None:
        self.server = server
        self.warnings: list[str] = []
        self.recovered: list[str] = []
        self.used: list[UsageTotals] = []
        given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"))
        choice = realtime_from_endpoint(endpoint_of(server, **options), Voice(name="cedar"))
        meter = UsageMeter(self._take)
        self.answers = RealtimeAnswers(
            given, choice, self.warn, lambda *about: self.recovered.extend(about), meter, tools
        )

    def warn(self, what: str, error: object) -> None:
        self.warnings.append(f"{what}: {error}")

    def _works(self, *about: str) -> None:
        self.recovered.extend(about)

    def _take(self, message: Model) -> None:
        if isinstance(message, UsageTotals):
            self.used.append(message)

    @property
    def session(self) -> Session:
        """The newest at the server."""
        return self.server.sessions[-1]

    def begin(self, grant: Grant) -> Speech:
        speech = self.answers.take(grant)
        speech.grant()
        return speech

    def end(self, grant: Grant, speech: Speech, text: str, heard_s: float | None = None) -> None:
        """The turn is over; a person cut it off where so much was heard."""
        speech.heard_s = sum(frame.duration for frame in speech.sound.pieces) if heard_s is None else heard_s
        cut = heard_s is not None
        said = Line(id=grant.grant_id, at=9, speaker="Ada", identity="ada", text=text, interrupted=cut)
        self.answers.said(grant, speech, said, cut=cut)

    async def says(self, grant: Grant) -> str:
        """Lets it speak to the end."""
        speech = self.begin(grant)
        async with asyncio.timeout(10):
            text = await speech.wait_written()
            async for _ in speech.sound.replay():
                pass
        self.end(grant, speech, text)
        return text

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def staged(server: RealtimeServer, tools: ToolUse | None = None, **options: Any) -> AsyncIterator[Stage]:
    async with utils.http_context.open():
        stage = Stage(server, tools, **options)
        try:
            await stage.until(lambda: server.sessions or server.refuse is not None)
            yield stage
        finally:
            await stage.answers.aclose()
