"""What a call that failed tells of its server: of wrong arguments, nothing."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import llm
from mcp import MCPError
from mcp.types import CONNECTION_CLOSED, INTERNAL_ERROR, INVALID_PARAMS
from meetctl_agents.tools.failure_words import words_of
from meetctl_agents.tools.servers import Server

from meetctl.protocol import ToolRules, ToolSource


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (MCPError(INVALID_PARAMS, "a word is missing"), None),
        (llm.ToolError("the door is shut"), None),
        (MCPError(CONNECTION_CLOSED, "Connection closed"), "Connection closed"),
        (MCPError(INTERNAL_ERROR, "no answer"), "no answer"),
        (OSError("broken pipe"), "broken pipe"),
    ],
)
async def test_a_server_is_started_again_for_what_is_wrong_with_it_alone(error: Exception, why: str | None) -> None:
    source = ToolSource(name="words", command=("words",))
    server = Server(source, ToolRules(sources=(source,)), lambda what, why: None, lambda about: None)
    server._broken = broken = asyncio.get_running_loop().create_future()
    server.failed(error)
    assert (broken.result() if broken.done() else None) == why


def test_an_error_of_a_server_is_told_in_its_own_words() -> None:
    assert words_of(MCPError(INVALID_PARAMS, "a word is missing", {"at": 1})) == "a word is missing"
