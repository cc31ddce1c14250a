"""What a model writes that is nothing new, beside what only looks so."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from meetctl_agents.models.novelty import NothingNewError, Novelty, new_words
from meetctl_agents.models.prompt import USED, YOUR_TURN, Message
from meetctl_agents.speaking.moves import NEXT_STEP
from meetctl_agents.text.repeats import SaidBefore

FOUND = "The shop is open on Monday from nine to five."


async def said(prompt: tuple[Message, ...], written: str) -> str:
    async def write(_: tuple[Message, ...]) -> AsyncGenerator[str, None]:
        yield written

    return "".join([piece async for piece in new_words(prompt, write, SaidBefore(), Novelty())])


async def test_what_a_tool_gave_is_said() -> None:
    used = Message("user", f"({USED} hours → I looked. {FOUND})")
    assert await said((used, Message("user", YOUR_TURN)), FOUND) == FOUND


async def test_the_task_of_the_turn_is_not_said() -> None:
    with pytest.raises(NothingNewError):
        await said((Message("user", "Sam: Go on."), Message("user", NEXT_STEP)), NEXT_STEP.strip("()"))
