"""Realtime models at a table: two agents by them and an ordinary one, two people, and a server of their protocol."""

from __future__ import annotations

import asyncio
import json
from itertools import combinations
from typing import Any

from testing.agents.human import Human, synthesised
from testing.agents.realtime_server import Asked, RealtimeServer, realtime_server
from testing.agents.scripted_models import Asks, scripted_models
from testing.fixtures.command import Meetctl
from tests.system.standing import Standing, standing
from tests.system.test_tools import Person, until

KEY = "sk-of-realtime-4711"
ROSTER = """
room: live
meeting: {{transcript: files, max_agent_turns: 1}}
defaults:
  llm: {{provider: openai, model: gpt-realtime, realtime: true, base_url: "{realtime}", api_key: "${{REALTIME_KEY}}"}}
  stt: {{provider: openai, model: whisper-1, base_url: "{models}/v1"}}
agents:
  - {{name: Ada, agent: audio, persona: You build things., voice: sage}}
  - name: Max
    agent: simli
    face: local
    persona: You keep a shop.
    budget: {{llm_tokens: 100000}}
    tools: [{{python: ./tools.py}}]
  - name: Eve
    agent: audio
    llm: {{provider: openai, model: scripted, base_url: "{models}/v1"}}
    tts: {{provider: openai, model: tts-1, base_url: "{models}/v1"}}
"""
TOOLS = """
from livekit.agents import function_tool

@function_tool
async def opening_hours(day: str) -> str:
    '''Tells when the shop is open.'''
    return f"on {day} from nine to six"
"""
COUNT = " ".join(f"number-{number}" for number in range(1, 41))
"""Twelve seconds of it."""


def spoken(asked: Asked) -> str | Asks:
    """What the realtime models say."""
    last = asked.heard[-1]
    if last.startswith("result"):
        return f"We are open {last.removeprefix('result ')}."
    if "shop" in last and asked.may_call:
        return Asks((("opening_hours", '{"day": "Monday"}'),))
    if "count" in last:
        return COUNT
    return f"I heard {len(asked.items)} things."


def written(body: dict[str, Any]) -> str:
    """What the ordinary one says."""
    told = json.dumps(body["messages"])
    return "Ada and Max have spoken." if "Ada: I heard" in told and "Max: I heard" in told else "I heard nothing."


def overlap_s(sam: Human) -> float:
    """Returns for how long two agents were loud at once, at most."""
    heard = {name: {round(at / 0.05) for at in sound.loud} for name, sound in sam.sounds.items()}
    return max((0.05 * len(heard[one] & heard[other]) for one, other in combinations(heard, 2)), default=0.0)


async def test_realtime_agents_share_a_table_with_an_ordinary_one_and_two_people(
    meetctl: Meetctl, model_server: str
) -> None:
    (meetctl.cwd / "tools.py").write_text(TOOLS)
    meetctl.environment["REALTIME_KEY"] = KEY
    call = await synthesised(model_server, "Stop. Wait a moment please, I have a question.")
    async with realtime_server(spoken) as server, scripted_models(model_server, written) as models:
        server.lasts_s = 30.0
        roster = ROSTER.format(realtime=server.url, models=models)
        await asyncio.to_thread((meetctl.cwd / "roster.yaml").write_text, roster)
        checked = await asyncio.to_thread(meetctl, "check", "roster.yaml")
        assert checked.code == 0, checked.err
        doctor = await asyncio.to_thread(meetctl, "doctor", "roster.yaml")
        asked = [one for one in doctor.out.splitlines() if "gpt-realtime" in one]
        assert len(asked) == 2 and all("answers in" in one for one in asked), doctor.out
        server.sessions.clear()

        def play() -> None:
            with standing(meetctl, roster, "live", "--wait") as meeting:
                asyncio.run_coroutine_threadsafe(_converse(meeting, server, call), loop).result()
                for log in meeting.log_dir.iterdir():
                    assert log.is_dir() or KEY not in log.read_text(errors="replace"), log

        loop = asyncio.get_running_loop()
        await asyncio.to_thread(play)
        for session in server.sessions:
            assert all(response.asked_for for response in session.responses)
            assert (session.microphone, session.turn_detection, session.key) == (0, None, KEY)
            assert session.closed_at is not None


async def _converse(meeting: Standing, server: RealtimeServer, call: bytes) -> None:
    zoe = Person()
    async with Human(*await meeting.link("Sam")) as sam:
        await zoe.join(*await meeting.link("Zoe"))
        try:
            await sam.wait_listened_to()
            await _talk(meeting, server, zoe, sam, call)
            assert overlap_s(sam) < 0.3
        finally:
            await zoe.room.disconnect()


async def _talk(meeting: Standing, server: RealtimeServer, zoe: Person, sam: Human, call: bytes) -> None:
    async def said(identity: str, words: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            lines = [line for line in meeting.lines() if line["identity"] == identity and line["kind"] == "speech"]
            return next((line for line in lines if words in line["text"]), None)

        line: dict[str, Any] = await until(found, f"{identity} did not say {words!r}: {meeting.lines()}")
        return line

    await zoe.types("Ada, what have you heard?")
    await said("ada", "I heard")
    await zoe.types("Max, what have you heard?")
    heard_by_max = (await said("max", "I heard"))["text"]
    asked = [one for session in server.of("You are Max") for one in session.asked][-1]
    assert [text for text in asked.heard if text.startswith("user: Ada: I heard")], asked.heard
    assert "user: Zoe: Max, what have you heard?" in asked.heard
    await zoe.types("Eve, who has spoken?")
    await said("eve", "Ada and Max have spoken.")

    await zoe.types("Max, when is the shop open?")
    await said("max", "We are open on Monday from nine to six.")

    before = len(sam.sounds["ada"].loud)
    await zoe.types("Ada, please count.")
    await until(lambda: len(sam.sounds["ada"].loud) > before + 150, "Ada does not count")
    await sam.say(call)
    counted = await said("ada", "number-1 ")
    assert counted["interrupted"] and counted["text"] != COUNT
    ((_, heard_ms, sent_ms),) = [one for session in server.of("You are Ada") for one in session.truncated]
    assert 1000 < heard_ms < sent_ms

    await until(lambda: len(server.of("You are Ada")) > 1 and len(server.of("You are Max")) > 1, "nothing is renewed")
    await zoe.types("Ada, what do you know now?")
    await until(lambda: server.of("You are Ada")[-1].asked, "Ada is not asked by its next session")
    await said("ada", f"I heard {len(server.of('You are Ada')[-1].asked[-1].items)} things.")
    knows = server.of("You are Ada")[-1].asked[-1].heard
    assert [text for text in knows if heard_by_max in text], knows
    assert [text for text in knows if text.startswith("assistant: number-1 ") and text.endswith("…")], knows

    seats = await asyncio.to_thread(meeting.seats)
    assert {one["kind"] for one in seats["Ada"]["usage"]} == {"llm_tokens"}, seats["Ada"]["usage"]
    assert not [seat for seat in seats.values() if seat["warning"]], seats

    server.drop_after_ms = 1500
    sessions = len(server.of("You are Max"))
    await zoe.types("Max, please count.")
    dropped = await said("max", "number-1")
    assert dropped["interrupted"] and dropped["text"] != COUNT
    log = meeting.log_dir / "max.log"
    await until(lambda: "the realtime session fails" in log.read_text(), "nobody is told that the session dropped")
    await zoe.types("Max, are you there?")
    await until(lambda: len(server.of("You are Max")) > sessions, "no other session is opened")
    await until(lambda: server.of("You are Max")[-1].asked, "Max does not speak again")
