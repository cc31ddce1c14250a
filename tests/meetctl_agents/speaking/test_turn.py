"""A turn ends within its bound, and is known to have been ended for that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from meetctl_agents.speaking import turn as turn_module
from meetctl_agents.speaking.speech import SynthesisedSpeech, verbatim
from meetctl_agents.speaking.turn import Turn

from meetctl.protocol import Grant
from tests.meetctl_agents.speaking.answer_stage import OPTIONS, ScriptedVoice


class Saying:
    """What a session hands out for something it says; ends when it is interrupted."""

    def __init__(self) -> None:
        self.interrupted = False
        self.chat_items: list[object] = []
        self._ended = asyncio.Event()

    def done(self) -> bool:
        return self._ended.is_set()

    def interrupt(self, *, force: bool) -> None:
        self.interrupted = force
        self._ended.set()

    async def wait_for_playout(self) -> None:
        await self._ended.wait()


class Session:
    def __init__(self) -> None:
        self.saying = Saying()

    def generate_reply(self) -> Any:
        return self.saying


@pytest.mark.parametrize("told_to_stop", [False, True])
async def test_an_answer_that_takes_too_long_is_cut_off_and_one_that_was_stopped_did_not_overrun(
    told_to_stop: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_module, "STOP_S", 1.0)
    session: Any = Session()
    turn = Turn(session, Grant(grant_id="g1"), 5.0 if told_to_stop else 0.05)
    speech = SynthesisedSpeech(verbatim("a"), ScriptedVoice(), OPTIONS)
    async with asyncio.timeout(10):
        running = asyncio.create_task(turn.run(speech))
        if told_to_stop:
            await asyncio.sleep(0)
            turn.stop()
        release = await running
    assert release.interrupted and release.text == ""
    assert turn.overran is not told_to_stop
    await speech.aclose()
