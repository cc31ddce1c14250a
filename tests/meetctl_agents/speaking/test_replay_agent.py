"""What an agent session keeps, which nobody reads."""

from __future__ import annotations

from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage
from livekit.agents.voice.events import ConversationItemAddedEvent
from meetctl_agents.speaking.replay_agent import ReplayAgent, forget


async def test_nothing_of_a_turn_is_kept_in_the_session() -> None:
    session: AgentSession[None] = AgentSession(vad=None)
    mind = ReplayAgent("Be Ada.")
    for number in range(50):
        item = ChatMessage(role="assistant", content=[f"turn {number}"])
        session.history.items.append(item)
        mind._chat_ctx.items.append(item)
        session.emit("conversation_item_added", ConversationItemAddedEvent(item=item))
    assert len(session._recorded_events) == len(session.history.items) == len(mind.chat_ctx.items) == 50
    forget(session, mind)
    assert [*session._recorded_events, *session.history.items, *mind.chat_ctx.items] == []
