"""What a tool costs: a turn that uses one beside a turn that does not, and the memory of an agent with two servers.

The model is one that answers at once, so that what is left is ours: the call, the second request, and what is told of
it. The tool's own time, as it is told, is taken off.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measuring import command, show, spread
from benchmarks.served import served_room
from meetctl.local.livekit import LiveKitConfig
from meetctl.protocol import (
    Ask,
    CastMember,
    MediaReceived,
    Ready,
    ToolCall,
    ToolRules,
    ToolSource,
    ToolState,
    Utterance,
)
from meetctl.rooms import agent_token, chair_token
from testing.agents.child import Child
from testing.agents.scripted_models import Asks, scripted_models
from testing.agents.staging import CHAIR, assignment, endpoint
from testing.fixtures.models import running_model_server

ROOM = "tools"
TURNS = 20
READY_S = 60.0
SERVED = 2
STEADY_S = 2.0
ADA = CastMember(identity="ada", name="Ada")
FILE = """
from livekit.agents import function_tool

@function_tool
async def look(word: str) -> str:
    "Looks a word up."
    return "it is " + word
"""
SYLLABLES = "ba de fi go hu ka le mi no pu ra se ti vo zu".split()
ROSTER = """
room: tools
defaults:
  llm: {{provider: openai, model: x, base_url: "http://127.0.0.1:9/v1"}}
  tts: {{provider: openai, model: x, base_url: "http://127.0.0.1:9/v1"}}
  stt: {{provider: openai, model: x, base_url: "http://127.0.0.1:9/v1"}}
agents:
  - {{name: Ada, agent: audio}}
  - name: Max
    agent: audio
    tools:
      - {{mcp: ["{python}", -m, mcp_server_time], env: {{NUMBER: "1"}}}}
      - {{mcp: ["{python}", -m, mcp_server_time, --local-timezone, Asia/Kathmandu]}}
"""


def main() -> None:
    """Prints both figures; takes some two minutes."""
    plain, used = asyncio.run(_turns())
    show("a turn without a tool, from the question to the sound", "ms", **spread(plain))
    show("a turn with a tool, without the tool's own time", "ms", **spread(used))
    show("a tool turn beyond the tool", "ms", p50=float(spread(used)["p50"]) - float(spread(plain)["p50"]))
    show("memory of an agent with two tool servers", "MB", **_memory())


_chance = random.Random(1)


def _writes(body: dict[str, Any]) -> str | Asks:
    last = str(body["messages"][-1]["content"])
    if body["messages"][-1]["role"] != "tool" and "look" in last:
        return Asks((("look", '{"word": "blue"}'),))
    words = ["".join(_chance.choices(SYLLABLES, k=3)) for _ in range(6)]  # an agent does not say the same twice
    return f"{' '.join(words).capitalize()}."


async def _turns() -> tuple[list[float], list[float]]:
    with running_model_server(models=("--serve=tts=hibari",)) as (_, voices), tempfile.TemporaryDirectory() as folder:
        async with served_room(ROOM) as config, scripted_models(voices, _writes) as models:
            async with _attending(config, Path(folder), models) as (chair, ada):
                plain, used = [], []
                for number in range(TURNS):
                    plain.append(await _asked(chair, ada, f"And what is new, number {number}?"))
                    used.append(await _asked(chair, ada, f"Please look up number {number}."))
                return plain, used


@asynccontextmanager
async def _attending(config: LiveKitConfig, folder: Path, models: str) -> AsyncIterator[tuple[Child, Child]]:
    """Yields the chair and an agent with a tool."""
    file = folder / "tools.py"
    file.write_text(FILE, encoding="utf-8")
    rules = ToolRules(sources=(ToolSource(name="tools.py", python=str(file)),))
    async with AsyncExitStack() as stack:

        async def begun(identity: str, program: str, **more: Any) -> Child:
            mint = chair_token if identity == CHAIR else agent_token
            token = mint(config.credentials, room=ROOM, identity=identity, name=identity.title())
            given = assignment(config.credentials, ROOM, token, identity, models_url=models, cast=(ADA,))
            llm = endpoint(models, "scripted")
            child = Child(program, given.model_copy(update={"llm": llm, **more}))
            return await stack.enter_async_context(child)

        chair = await begun(CHAIR, "meetctl_agents.chair", llm=None)
        ada = await begun("ada", "meetctl_agents.audio", tools=rules)
        await ada.wait_said(Ready, within=READY_S)
        await chair.wait_said(MediaReceived, within=READY_S)
        yield chair, ada


async def _asked(chair: Child, ada: Child, question: str) -> float:
    """Returns the milliseconds from the question to the first sound, without those of the tool."""
    answers, calls = len(_answers(chair)), len(_done(ada))
    asked = time.time()
    chair.send(Ask(identity="ada", text=question))
    await chair.wait_said(Utterance, lambda _: len(_answers(chair)) > answers, within=READY_S)
    tools_s = sum(call.seconds or 0.0 for call in _done(ada)[calls:])
    return 1000 * (_answers(chair)[-1].line.at - asked - tools_s)


def _answers(chair: Child) -> Sequence[Utterance]:
    return [said for said in chair.said(Utterance) if said.line.identity == "ada" and said.line.text]


def _done(ada: Child) -> Sequence[ToolCall]:
    return [call for call in ada.said(ToolCall) if call.state is ToolState.DONE]


def _memory() -> dict[str, float]:
    """Returns what each takes of its own."""
    with command() as meetctl:
        (meetctl.directory / "roster.yaml").write_text(ROSTER.format(python=sys.executable), encoding="utf-8")
        meetctl("up", "roster.yaml", "-d", "--wait")
        agents = {agent["name"]: agent for agent in meetctl.status()["agents"]}
        bare, able = (psutil.Process(agents[name]["pid"]) for name in ("Ada", "Max"))
        _wait_loaded(able)
        return {
            "without": _megabytes(bare),
            "with_two": _megabytes(able),
            "each_server": sum(map(_megabytes, _servers(able))) / SERVED,
        }


def _wait_loaded(agent: psutil.Process) -> None:
    """Waits until both servers run and grow no more."""
    end, before = time.monotonic() + READY_S, 0.0
    while True:
        servers = _servers(agent)
        now = sum(map(_megabytes, servers))
        if len(servers) == SERVED and now > 1 and now - before < 0.01 * now:
            return
        if time.monotonic() > end:
            raise RuntimeError(f"{len(servers)} of {SERVED} tool servers run")
        before = now
        time.sleep(STEADY_S)


def _servers(agent: psutil.Process) -> list[psutil.Process]:
    return [child for child in agent.children() if "mcp_server_time" in " ".join(child.cmdline())]


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1e6


if __name__ == "__main__":
    main()
