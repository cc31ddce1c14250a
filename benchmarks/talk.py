"""Ten minutes of two people and two agents, in text: what is said twice, what is left out, what is read again in vain.

Memory, prompts, reading ahead, models and what is kept from the voice are the product's; the room and the ears are left
away. People pause between their lines until nothing is left to be read ahead, as they do in a meeting.
"""

from __future__ import annotations

import asyncio
from typing import Any

from meetctl_agents.speaking import speech as speech_module

from benchmarks.measuring import show
from meetctl.catalogue import PAIRS
from meetctl.local.data import locate
from meetctl.local.models.server import Models, bound_socket, served
from meetctl.roster import load_roster
from testing.talk import DEMO
from testing.talk.in_text import LONGEST_S
from testing.talk.reading import CountingServer
from testing.talk.ten_minutes import TURNS, judge
from testing.talk.text_meeting import TextMeeting

SLOTS = 4


def main() -> None:
    """Prints what is said by each pair, and its figures."""
    speech_module.STALL_S = LONGEST_S
    for name, models in PAIRS.items():
        asyncio.run(_measure(f"local/{name}".rstrip("/"), models["llm"]))


async def _measure(label: str, model: str) -> None:
    models = Models(slots=SLOTS)
    loading = asyncio.ensure_future(models.load([locate("llm", model)]))
    async with served(loading, bound_socket(0)) as url:
        await loading
        (chat,) = models.chats.loaded.values()
        llama: Any = chat._llama
        llama._server = counting = CountingServer(llama._server)
        async with TextMeeting(load_roster(DEMO, environment={}), url) as meeting:
            await meeting.hold(TURNS)
        reading = counting.reading
    verdict = judge(meeting.said, meeting.answers)
    repeats = meeting.repeats
    show(
        "turns in which something was left out, or the model asked again",
        "",
        pair=label,
        value=repeats.shortened + repeats.asked_again + repeats.left_out,
        **repeats.model_dump(exclude={"type"}),
    )
    show("sentences of eight words or more that were said twice", "", pair=label, value=len(verdict.said_twice))
    asked = sum(turn.is_open for turn, _ in meeting.answers)
    show("answers of fewer than eight words to open questions", "", pair=label, value=len(verdict.too_short), of=asked)
    show(
        "prompt tokens that were read twice",
        "%",
        pair=label,
        value=100 * reading.again / reading.read,
        read=reading.read,
        asked=reading.asked,
        prompts=reading.prompts,
    )
