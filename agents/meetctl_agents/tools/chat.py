"""The one tool that meetctl has itself: what does not survive being spoken goes to the chat."""

from __future__ import annotations

from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.agents.llm import function_tool

TOPIC = "lk.chat"
LONGEST = 8000
"""Characters of one message."""


def chat_tools(room: rtc.Room) -> dict[str, llm.FunctionTool[Any, Any] | llm.RawFunctionTool[Any, Any]]:
    """Returns it, by its name."""

    @function_tool
    async def write_to_chat(text: str) -> str:
        """Writes to the meeting's chat, for everybody to read. Use it for links, code, tables, numbers and names to
        copy: whatever is lost when it is spoken. Say aloud only what it is.

        Args:
            text: What to write, in plain text or Markdown.
        """
        if not text.strip():
            raise llm.ToolError("there is nothing to write")
        await room.local_participant.send_text(text[:LONGEST], topic=TOPIC)
        return "It is in the chat now; do not read it aloud."

    return {write_to_chat.info.name: write_to_chat}
