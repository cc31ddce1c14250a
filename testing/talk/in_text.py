"""An agent of a roster whose answers are read and not heard: prompt, sampling and models are the product's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from livekit.agents import APIConnectOptions
from meetctl_agents.models.novelty import Novelty
from meetctl_agents.models.providers import close_model, llm_from_endpoint, reader_from_endpoint, tts_from_endpoint
from meetctl_agents.speaking.answers import Answers
from meetctl_agents.text.clauses import ClauseTokenizer
from pydantic import SecretStr

from meetctl.programs.assignments import agent_assignment, cast_member
from meetctl.programs.room_access import RoomAccess, StandIns
from meetctl.protocol import Line
from meetctl.roster import AgentEntry, Roster

LONGEST_S = 180.0
"""A busy machine makes an answer late, and neither senseless nor another one."""
OPTIONS = APIConnectOptions(max_retry=0, timeout=LONGEST_S)


def _ignore(_: object) -> None:
    """Counts nothing."""


@asynccontextmanager
async def answering(
    roster: Roster,
    entry: AgentEntry,
    models_url: str,
    *,
    seat_number: int = 0,
    transcript: Sequence[Line] = (),
    reads_ahead: bool = False,
    count: Callable[[Novelty], None] = _ignore,
) -> AsyncIterator[Answers]:
    """Yields what answers for that agent; `models_url` is without `/v1`."""
    given = agent_assignment(
        entry,
        RoomAccess(roster.room, "ws://127.0.0.1:1", SecretStr("none"), "chair", roster.topic),
        StandIns(models_url, None),
        seat_number=seat_number,
        transcript=transcript,
        cast=[cast_member(one) for one in roster.agents],
    )
    async with AsyncExitStack() as stack:

        def owned(model: Any) -> Any:
            if model is not None:
                stack.push_async_callback(close_model, model)
            return model

        answers = Answers(
            given,
            owned(llm_from_endpoint(given.llm)),
            owned(tts_from_endpoint(given.tts, given.voice, ClauseTokenizer())),
            OPTIONS,
            owned(reader_from_endpoint(given.llm)) if reads_ahead else None,
            count=count,
        )
        stack.push_async_callback(answers.aclose)
        yield answers
