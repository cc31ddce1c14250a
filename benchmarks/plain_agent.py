"""What people write by hand today: an unmodified livekit-agents program with a session of OpenAI's, for one room.

`python -m benchmarks.plain_agent connect --room R`; it knows nothing of meetctl and asks no model in the measure.
"""

from __future__ import annotations

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli
from livekit.plugins import openai

server = AgentServer()


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    """Holds the conversation with whoever is in the room."""
    key = "not-asked"
    session: AgentSession[None] = AgentSession(
        stt=openai.STT(api_key=key), llm=openai.LLM(api_key=key), tts=openai.TTS(api_key=key)
    )
    await session.start(agent=Agent(instructions="You are Ada."), room=ctx.room)


if __name__ == "__main__":
    cli.run_app(server)
