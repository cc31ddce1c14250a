"""Agents that use tools in a meeting: a person asks what only a tool knows, of servers that nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from livekit import rtc

from testing.agents.scripted_models import Asks, scripted_models
from testing.fixtures.command import Meetctl
from tests.meetctl_agents.tools.serving import served_over_http
from tests.system.standing import WAIT_S, Standing, standing

ROSTER = """
room: able
meeting: {{transcript: files}}
defaults:
  llm: {{provider: openai, model: scripted, base_url: "{models}/v1"}}
  tts: {{provider: openai, model: tts-1, base_url: "{models}/v1"}}
  stt: {{provider: openai, model: whisper-1, base_url: "{models}/v1"}}
agents:
  - name: Ada
    agent: audio
    env: {{OF_ADA_KEY: secret-of-ada}}
    tools:
      - {{mcp: ["{python}", -m, mcp_server_time]}}
      - {{mcp: "{stamp}", headers: {{Authorization: Bearer hunter22}}, only: [calculate]}}
      - {{python: ./tools.py, approve: [send]}}
    hand_over: true
  - {{name: Eve, agent: audio, class: "./team.py:Eve"}}
  - {{name: Max, agent: audio, env: {{OF_MAX_KEY: secret-of-max}}}}
"""
TOOLS = """
from livekit.agents import RunContext, function_tool

@function_tool
async def knock(ctx: RunContext, secret: str) -> str:
    '''Knocks at a door.'''
    return f"{ctx.function_call.name}: nobody opens"

@function_tool
async def send(to: str) -> str:
    '''Sends a letter.'''
    return f"sent to {to}"
"""


TEAM = """
from livekit.agents import Agent, RunContext, function_tool

class Eve(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You keep the keys.")
        self.entered = 0

    async def on_enter(self) -> None:
        self.entered += 1
        await self.session.say("Eve has come in.")

    @function_tool
    async def keys(self, ctx: RunContext) -> str:
        'Counts the keys.'
        return f"{self.entered + 6} keys"

    async def llm_node(self, chat_ctx, tools, model_settings):
        async for chunk in Agent.default.llm_node(self, chat_ctx, tools, model_settings):
            if chunk.delta and chunk.delta.content:
                chunk.delta.content = chunk.delta.content.replace("found", "counted")
            yield chunk

    def tts_node(self, text, model_settings):
        return Agent.default.tts_node(self, text, model_settings)
"""


def script(body: dict[str, Any]) -> str | Asks:
    """Asks for the tool that the question is about, and says what came of it."""
    last = body["messages"][-1]
    told = json.dumps(body["messages"])
    if "pass it on" in told and "You are Max" in told:
        return "Max has the key." if "Ada: The key is under the mat." in told else "Max knows nothing."
    if last["role"] == "tool":
        found = re.search(r"\d\d:\d\d(?=:00\+00:00)", last["content"])
        return f"I found this: {found[0] if found else last['content'][:120]}"
    asked = next(one["content"] for one in reversed(body["messages"]) if one["role"] == "user")
    offered = {tool["function"]["name"] for tool in body.get("tools", ())}
    wanted = {
        "keys": ("keys", "{}"),
        "17": ("calculate", '{"expression": "17*23"}'),
        "noon": ("convert_time", '{"source_timezone": "Asia/Kathmandu", "time": "12:00", "target_timezone": "UTC"}'),
        "knock": ("knock", '{"secret": "hunter22"}'),
        "pass": ("hand_over", '{"to": "Max", "note": "The key is under the mat."}'),
        "letter": ("send", '{"to": "Zoe"}'),
        "link": ("write_to_chat", '{"text": "https://example.org/a?b=c"}'),
    }
    for word, call in wanted.items():
        if word in asked and call[0] in offered:
            return Asks((call,), "Let me see." if word == "noon" else "")
    return "Good."


class Person:
    """Somebody in the room who types, and reads what is written."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.read: list[str] = []
        self.activity: list[str] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def join(self, url: str, token: str) -> None:
        self.room.register_text_stream_handler("lk.chat", self._on_chat)
        self.room.on("participant_attributes_changed", self._on_attributes)
        await self.room.connect(url, token)

    async def types(self, text: str) -> None:
        await self.room.local_participant.send_text(text, topic="lk.chat")

    def _on_chat(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            self.read.append(f"{identity}: {await reader.read_all()}")

        task = asyncio.create_task(read())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    def _on_attributes(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if "mc.activity" in changed:
            self.activity.append(f"{participant.identity}: {changed['mc.activity']}")


async def until(holds: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + WAIT_S
    while not (found := await asyncio.to_thread(holds)):
        assert time.monotonic() < end, what
        await asyncio.sleep(0.1)
    return found


def asked_for(meeting: Standing, count: int) -> bool:
    return len(meeting.document()["requests"]) == count


def tool_servers(meeting: Standing) -> list[psutil.Process]:
    agent = psutil.Process(meeting.pids()["Ada"])
    return [child for child in agent.children(recursive=True) if "mcp_server_time" in " ".join(child.cmdline())]


async def test_a_person_is_answered_with_what_only_a_tool_knows(meetctl: Meetctl, model_server: str) -> None:
    (meetctl.cwd / "tools.py").write_text(TOOLS)
    (meetctl.cwd / "team.py").write_text(TEAM)
    async with scripted_models(model_server, script) as models, served_over_http() as stamp:
        roster = ROSTER.format(models=models, stamp=stamp, python=sys.executable)
        await asyncio.to_thread(_play, meetctl, roster)


def _play(meetctl: Meetctl, roster: str) -> None:
    with standing(meetctl, roster, "able", "--wait") as meeting:
        asyncio.run(_converse(meetctl, meeting))
        (left,) = tool_servers(meeting)
    assert not left.is_running()


async def _converse(meetctl: Meetctl, meeting: Standing) -> None:
    sam = Person()
    await sam.join(*await meeting.link("Sam"))

    async def asks(question: str, *words: str) -> dict[str, Any]:
        await sam.types(question)

        def answered() -> dict[str, Any] | None:
            said = (line for line in meeting.lines() if line["identity"] == "ada" and line["kind"] == "speech")
            return next((line for line in said if all(word in line["text"] for word in words)), None)

        found: dict[str, Any] = await until(answered, f"nobody answered {question!r}: {meeting.lines()}")
        return found

    try:
        (server,) = await until(lambda: tool_servers(meeting), "no tool server was started")
        seen = server.environ()
        assert seen["OF_ADA_KEY"] == "secret-of-ada" and "MEETCTL_MEETING" in seen
        assert not [name for name in seen if name in ("OF_MAX_KEY", "OPENAI_API_KEY", "LIVEKIT_TOKEN")]
        assert Path(server.cwd()) == meetctl.cwd.resolve()

        await until(lambda: any("Eve has come in" in line["text"] for line in meeting.lines()), "Eve said nothing")
        await asks("Ada, what is 17 times 23?", "I found this", "391")
        await asks("Ada, what time is it in London at noon in Kathmandu?", "Let me see. I found this", "06:15")
        await asks("Ada, please knock.", "nobody opens")
        await asks("Ada, give me the link.", "in the chat")
        await until(lambda: "ada: https://example.org/a?b=c" in sam.read, "the link was not written")
        seen_at_work = {"ada: calculate", "ada: knock", "ada: "}
        await until(lambda: seen_at_work <= set(sam.activity), f"not seen at work: {sam.activity}")

        await sam.types("Ada, please pass it on.")
        await until(lambda: any("Max has the key" in line["text"] for line in meeting.lines()), "Max did not answer")
        passed = [line["identity"] for line in meeting.lines() if "pass that on" in line["text"]]
        assert passed == ["ada"], meeting.lines()

        await sam.types("Eve, how many keys are there?")
        await until(
            lambda: any("I counted this: 7 keys" in line["text"] for line in meeting.lines()), "Eve counted not"
        )

        for count in (1, 2):
            await sam.types("Ada, send a letter.")
            await until(partial(asked_for, meeting, count), "nobody is asked to allow it")
        first, second = (await asyncio.to_thread(meeting.document))["requests"]
        assert (first["name"], first["what"], first["detail"]) == ("Ada", "send", '{"to": "Zoe"}')
        await asks("Ada, how are you?", "Good.")  # they wait, and it speaks meanwhile
        allowed = await asyncio.to_thread(meetctl, "approve", second["id"], "--json")
        assert (allowed.code, allowed.json()["request"]["id"]) == (0, second["id"])
        refused = await asyncio.to_thread(meetctl, "deny")
        assert refused.out == 'able: refused Ada send {"to": "Zoe"}\n'
        await until(lambda: sum("sent to Zoe" in one["text"] for one in meeting.lines()) >= 2, "it was not sent")
        await until(lambda: any("refused by the host" in one["text"] for one in meeting.lines()), "it was not refused")
        sends = [line["text"] for line in meeting.lines() if line["text"].startswith("send ")]
        assert sorted("decided by the host" in text for text in sends) == [True, True]

        used = {line["text"].split(" ")[0]: line for line in meeting.lines() if line["kind"] == "tool"}
        assert list(used) == ["calculate", "convert_time", "knock", "write_to_chat", "hand_over", "keys", "send"]
        assert all(line["end_time"] for line in used.values())
        assert "hunter22" not in meeting.transcript.read_text()
        seats = await asyncio.to_thread(meeting.seats)
        tools = seats["Ada"]["tools"]
        assert (tools["calls"], tools["failed"], tools["open"]) == (7, 0, [])
        assert tools["refused"] == 1
        assert seats["Max"]["tools"] is None

        await asyncio.to_thread(meeting.kill, "Ada")
        await until(lambda: not server.is_running(), "the tool server outlived its agent")
        await until(lambda: tool_servers(meeting), "no tool server was started for the next Ada")
    finally:
        await sam.room.disconnect()
