"""Tools in a roster: what they resolve to, and every way in which they can be wrong; nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.programs.tools import tool_rules
from meetctl.protocol import OnInterrupt
from meetctl.roster import AgentEntry, RosterFaults, load_roster, secrets_of
from meetctl.roster.faults import shown_path

HEAD = 'defaults: {llm: {provider: openai, model: x, base_url: "http://127.0.0.1:1/v1"}}\n'
FILE = """
from livekit.agents import function_tool
from livekit import agents
@function_tool
async def search(word: str) -> str: ...
@agents.function_tool(name="send")
async def _send() -> str: ...
"""


def agents_of(folder: Path, text: str, head: str = HEAD, **environment: str) -> tuple[AgentEntry, ...]:
    file = folder / "roster.yaml"
    file.write_text(head + text, encoding="utf-8")
    return load_roster(file, environment=environment).agents


def test_an_agent_s_own_tools_take_the_place_of_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(FILE)
    head = HEAD.replace("}}", "}, tools: [{mcp: [uvx, mcp-server-time]}], tool_timeout: 5s, filler: none}")
    text = """agents:
  - {name: Ada, agent: audio}
  - {name: Max, agent: audio, filler: Wait., tools: [{python: tools.py, only: [search], on_interrupt: cancel}]}
  - {name: Eve, agent: audio, tools: []}
  - {name: Zoe, agent: audio, tools: [write_to_chat]}
  - {name: Lin, agent: audio, tools: [], hand_over: true}
  - {name: Own, command: [sleep, "1"]}
"""
    ada, max_, eve, zoe, lin, own = agents_of(tmp_path, text, head)
    assert [choice.name for choice in ada.tools.choices] == ["mcp-server-time", "write_to_chat"]
    assert (ada.tools.timeout_s, ada.tools.max_steps, ada.tools.filler) == (5, 5, "")
    assert [choice.name for choice in max_.tools.choices] == ["tools.py", "write_to_chat"]
    assert max_.tools.choices[0].python == tmp_path / "tools.py"
    assert max_.tools.choices[0].on_interrupt is OnInterrupt.CANCEL
    assert max_.tools.filler == "Wait."
    assert (eve.tools.choices, own.tools.choices) == ((), ())
    assert [choice.name for choice in zoe.tools.choices] == ["write_to_chat"]
    assert [choice.name for choice in lin.tools.choices] == ["hand_over"]
    assert (ada.folder, eve.folder) == (tmp_path, None)


def test_a_server_is_told_its_own_agent_s_variables_and_headers_and_they_are_secret(tmp_path: Path) -> None:
    text = """agents:
  - name: Ada
    agent: audio
    env: {ADA_KEY: of-ada-alone}
    tools:
      - {mcp: [a, -b], env: {OWN_TOKEN: of-the-tool}, approve: all}
      - {mcp: "https://host/mcp", headers: {Authorization: "Bearer ${TOKEN}"}}
  - {name: Max, agent: audio, env: {MAX_KEY: of-max-alone}, tools: [{mcp: [c]}]}
"""
    ada, max_ = agents_of(tmp_path, text, TOKEN="hunter22")
    rules, other = tool_rules(ada, None, {"MARK": "1"}), tool_rules(max_, None, {})
    assert rules is not None and other is not None
    assert {name: value.get_secret_value() for name, value in rules.sources[0].env.items()} == {
        "ADA_KEY": "of-ada-alone",
        "OWN_TOKEN": "of-the-tool",
    }
    assert (
        rules.sources[1].env == {} and rules.sources[1].headers["Authorization"].get_secret_value()[-8:] == "hunter22"
    )
    assert rules.sources[0].approve == ("*",)
    assert rules.environment["MARK"] == "1" and "ADA_KEY" not in rules.environment
    assert set(other.sources[0].env) == {"MAX_KEY"}
    hidden = {"of-ada-alone", "of-the-tool", "Bearer hunter22", "hunter22"}
    assert {secret.get_secret_value() for secret in rules.secrets} == hidden
    roster = load_roster(tmp_path / "roster.yaml", environment={"TOKEN": "hunter22"})
    assert secrets_of(roster) >= hidden


AGENT = "agents:\n  - name: Ada\n    agent: audio\n"


@pytest.mark.parametrize(
    ("text", "path", "message", "hint"),
    [
        ("    tools: x\n", "tools", "must be a list", "write tools: [x]"),
        ("    tools: [search]\n", "tools[0]", "no tool of meetctl's own is named 'search'", "write_to_chat"),
        ("    tools: [{}]\n", "tools[0]", "must have either mcp or python", "{mcp: […]}"),
        ("    tools: [{mcp: [a], python: b}]\n", "tools[0]", "must have either mcp or python", "{mcp: […]}"),
        ("    tools: [{mcp: uvx x}]\n", "tools[0].mcp", "must be an address or a list", "write mcp: [uvx, x]"),
        ("    tools: [{mcp: []}]\n", "tools[0].mcp", "names no program", "uvx"),
        ("    tools: [{mcp: 'http://'}]\n", "tools[0].mcp", "must be an address like", "https://"),
        (
            "    tools: [{mcp: [a], headers: {a: b}}]\n",
            "tools[0]",
            "headers belong to a server with an address",
            "remove",
        ),
        (
            "    tools: [{python: a.py, env: {a: b}}]\n",
            "tools[0]",
            "env belongs to a server that is a process",
            "remove",
        ),
        (
            "    tools: [{mcp: [a], approve: send}]\n",
            "tools[0].approve",
            "must be all or a list",
            "write approve: [send]",
        ),
        ("    tools: [{mcp: [a], onli: [b]}]\n", "tools[0].onli", "unknown key", "did you mean only?"),
        ("    tools: [{mcp: [a], on_interrupt: stop}]\n", "tools[0].on_interrupt", "must be finish or cancel", "write"),
        ("    tools: [{mcp: [a]}]\n    max_tool_steps: 0\n", "max_tool_steps", "must be at least 1", "write 1"),
        ("    tools: [{mcp: [a]}]\n    tool_timeout: 5m\n", "tool_timeout", "must be at most 50", "write 50"),
        ("    tools: [{mcp: [a]}]\n    llm: local/tiny\n", "llm", "cannot use tools", "write llm: local"),
        ("    tools: [{mcp: [a]}]\n    llm: [local, local/tiny]\n", "llm", "cannot use tools", "write llm: local"),
        ("    hand_over: true\n    llm: local\n", "hand_over", "does not know when to hand over", "remove hand_over"),
        (
            "    tools: [{python: tools.py, approve: [sendd]}]\n",
            "tools[0].approve[0]",
            "has no tool 'sendd'",
            "mean send?",
        ),
        ("    tools: [{python: tools.py, only: [x]}]\n", "tools[0].only[0]", "has no tool 'x'", "it has search, send"),
        ("    tools: [{python: none.py}]\n", "tools[0].python", "no such file", "relative to the roster"),
        ("    tools: [{python: bad.py}]\n", "tools[0].python", "bad.py:1 is no Python", "says the same"),
        (
            "    tools: [{python: twice.py}]\n",
            "tools[0].python",
            "twice.py:5 the tool 'a' is there twice",
            "another name",
        ),
        (
            "    tools: [{python: tools.py}, {python: more.py}]\n",
            "tools[1].python",
            "the tool 'search' is in tools.py too",
            "another name",
        ),
        (
            "    class: team.py:Ada\n    tools: [{python: tools.py}, {python: more.py}]\n",
            "tools[1].python",
            "the tool 'search' is in tools.py too",
            "another name",
        ),
    ],
)
def test_what_is_wrong_with_tools_is_said_without_starting_anything(
    tmp_path: Path, text: str, path: str, message: str, hint: str
) -> None:
    (tmp_path / "tools.py").write_text(FILE)
    (tmp_path / "more.py").write_text(FILE.replace('name="send"', 'name="other"'))
    (tmp_path / "team.py").write_text(TEAM)
    (tmp_path / "bad.py").write_text("def (:\n")
    twice = "from livekit.agents import function_tool\n@function_tool\nasync def a(): ...\n@function_tool(name='a')\n"
    (tmp_path / "twice.py").write_text(twice + "async def b(): ...\n")
    with pytest.raises(RosterFaults) as caught:
        agents_of(tmp_path, AGENT + text)
    (fault,) = caught.value.faults
    assert shown_path(fault.path) == f"agents[0].{path}"
    assert message in fault.message
    assert fault.hint is not None and hint in fault.hint


TEAM = """
from livekit.agents import Agent, function_tool
class Ada(Agent):
    def __init__(self, mood: str = "good") -> None: ...
    @function_tool
    async def search(self, word: str) -> str: ...
class Needs(Agent):
    def __init__(self, mood: str) -> None: ...
class Hears(Agent):
    async def on_user_turn_completed(self, turn_ctx, new_message): ...
class Named(Agent):
    def __init__(self, *, mood: str) -> None: ...
class Passes(Agent):
    @function_tool
    async def transfer(self): return Ada()
class Asks(Agent):
    @function_tool
    async def address(self) -> str: return await beta.workflows.GetEmailTask(chat_ctx=self.chat_ctx)
class Plain: ...
"""


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("team.py", "names no class"),
        ("none.py:Ada", "no such file"),
        ("team.py:Eve", "has no class named 'Eve'"),
        ("team.py:Plain", "Plain is no Agent"),
        ("team.py:Needs", "cannot be made without arguments"),
        ("team.py:Named", "cannot be made without arguments"),
        ("team.py:Hears", "the chair hears"),
        ("team.py:Passes", "Passes.transfer returns another agent"),
        ("team.py:Asks", "Asks.address awaits GetEmailTask"),
    ],
)
def test_a_class_that_cannot_work_is_refused_without_running_it(tmp_path: Path, written: str, message: str) -> None:
    (tmp_path / "team.py").write_text(TEAM)
    with pytest.raises(RosterFaults) as caught:
        agents_of(tmp_path, f"{AGENT}    class: {written}\n")
    (fault,) = caught.value.faults
    assert shown_path(fault.path) == "agents[0].class"
    assert message in fault.message


def test_a_class_of_one_s_own_brings_its_tools_and_needs_a_model_that_can_use_them(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(TEAM)
    (ada,) = agents_of(tmp_path, f"{AGENT}    class: team.py:Ada\n")
    (choice,) = ada.tools.choices
    assert (choice.python, choice.agent_class) == (tmp_path / "team.py", "Ada")
    with pytest.raises(RosterFaults, match="cannot use tools"):
        agents_of(tmp_path, f"{AGENT}    class: team.py:Ada\n    llm: local/tiny\n")


def test_a_command_has_tools_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(RosterFaults, match="a command has tools of its own"):
        agents_of(tmp_path, "agents: [{name: Own, command: [a], tools: [{mcp: [b]}]}]\n")
