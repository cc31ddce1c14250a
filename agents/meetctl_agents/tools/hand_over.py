"""The tool by which an agent passes a question on: another one answers in its place, told what this one knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.agents.llm import function_tool

LONGEST = 2000
"""Characters of a note."""
HandOverTo = Callable[[str, str], Awaitable[str]]
"""Hands over to who is called so, with a note; returns the name. Raises RpcError where that cannot be."""


def hand_over_tool(others: Sequence[str], hand_over: HandOverTo) -> dict[str, llm.RawFunctionTool[Any, Any]]:
    """Returns it, by its name; nothing where there is nobody else."""
    if not others:
        return {}
    schema = {
        "name": "hand_over",
        "description": "Passes the question on to another agent, who then answers it in your place. Use it where they "
        "know better than you. You need not say anything more.",
        "parameters": {
            "type": "object",
            "properties": {
                "to": {"type": "string", "enum": list(others), "description": "Who is to answer."},
                "note": {"type": "string", "description": "What you know that helps them. They alone are told."},
            },
            "required": ["to", "note"],
        },
    }

    async def run(raw_arguments: dict[str, object]) -> llm.ToolResult:
        to, note = str(raw_arguments.get("to", "")), str(raw_arguments.get("note", ""))
        try:
            name = await hand_over(to, note[:LONGEST])
        except rtc.RpcError as error:
            raise llm.ToolError(f"not handed over: {error.message}") from error
        return llm.ToolResult(f"{name} answers now.", reply_required=False)

    return {"hand_over": function_tool(run, raw_schema=schema)}
