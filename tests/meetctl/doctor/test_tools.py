"""The doctor starts each tool server of a roster once, lists its tools and ends it; files of tools are loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from meetctl.doctor.findings import Level
from meetctl.doctor.tools import look_at_tools
from meetctl.roster import load_roster

ODD = Path(__file__).parents[2] / "programs/tool_server.py"
ROSTER = """
defaults: {{llm: {{provider: openai, model: x, base_url: "http://127.0.0.1:9/v1"}}}}
agents:
  - name: Ada
    agent: audio
    tools:
      - {{mcp: ["{python}", "{odd}", well, "{started}"]}}
      - {{mcp: ["{python}", "{odd}", fails]}}
      - {{mcp: ["{python}", "{odd}", prints], only: [environment, nothing]}}
      - {{mcp: "http://127.0.0.1:9/mcp", headers: {{Authorization: "Bearer hunter22"}}}}
      - {{mcp: [/no/such/program]}}
      - {{python: ./good.py, only: [act]}}
      - {{python: ./raises.py}}
  - {{name: Eve, agent: audio, class: "./team.py:Eve"}}
  - {{name: Lin, agent: audio, class: "./team.py:Lin"}}
  - {{name: Zoe, agent: audio, class: "./team.py:Zoe"}}
  - {{name: Max, agent: audio}}
"""
TEAM = """
from livekit.agents import Agent, function_tool
from livekit.agents.beta import EndCallTool
class Eve(Agent):
    def __init__(self): super().__init__(instructions="")
    @function_tool
    async def keys(self) -> str: return "7"
class Lin(Agent):
    def __init__(self): super().__init__(instructions="", tools=[EndCallTool()])
    @function_tool
    async def keys(self) -> str: return "7"
class Zoe(Agent):
    def __init__(self): raise ValueError("no key")
"""
GOOD = "from livekit.agents import function_tool\n@function_tool\nasync def act() -> str:\n    return 'a'\n"


@pytest.mark.process
async def test_each_source_is_looked_at_once_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "raises.py").write_text(
        f"{GOOD.replace('act', 'other')}\nprint('stray')\nraise ValueError('no luck')\n"
    )
    (tmp_path / "team.py").write_text(TEAM)
    started = tmp_path / "started"
    file = tmp_path / "roster.yaml"
    file.write_text(ROSTER.format(python=sys.executable, odd=ODD, started=started))
    found = await look_at_tools(load_roster(file, environment={}))
    told = [(finding.level, finding.message) for finding in found]
    assert (told[0][0], "tool_server.py: environment, act, in" in told[0][1]) == (Level.OK, True)
    wrong = [message for level, message in told if level is Level.FAILURE]
    assert [words for words in wrong if "its process ended with code 1" in words]
    assert [words for words in wrong if "no such program: /no/such/program" in words]
    assert [words for words in wrong if "127.0.0.1" in words and "hunter22" not in words]
    assert [words for words in wrong if "it has no nothing; it has" in words]
    assert [words for words in wrong if "raises.py: ValueError: no luck" in words]
    assert [words for words in wrong if "Zoe cannot be made: ValueError: no key" in words]
    assert [message for level, message in told if level is Level.OK and "the tools of Eve, team.py: keys" in message]
    assert [words for words in wrong if "two tools named 'act'" in words]
    unused = [message for level, message in told if level is Level.WARNING]
    assert unused == ["the tools of Lin, team.py: left out is its end_call tools"]
    assert not psutil.pid_exists(int(started.read_text()))
