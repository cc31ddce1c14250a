"""The table of all keys in `docs/roster.md` says what the schema says, and the defaults that a roster gets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from meetctl.roster import AgentEntry, Roster, load_roster
from meetctl.roster.json_schema import roster_json_schema

PAGE = (Path(__file__).parents[1] / "docs/roster.md").read_text(encoding="utf-8")
SCHEMA = roster_json_schema()
NAMES = {
    "LiveKitWritten": "`livekit`",
    "ReachWritten": "`reach`",
    "MeetingWritten": "`meeting`",
    "FloorWritten": "`floor`",
    "DefaultsWritten": "`defaults`",
    "AgentWritten": "an agent",
    "ModelWritten": "a model",
    "VoiceWritten": "`voice`",
    "FaceWritten": "`face`",
    "LimitsWritten": "`limits`",
    "BudgetWritten": "`budget`",
    "ExampleWritten": "an example",
    "ToolWritten": "a tool",
}
"""Of the mappings, as the page calls them."""
ROSTER = """
agents:
  - {name: Ada, agent: simli, persona: You build backends.}
"""


def table() -> dict[tuple[str, str], tuple[str, str]]:
    """Returns type and default of each key on the page, by what it is a key of."""
    section = PAGE.partition("## All keys\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| `([a-z_]+)` \| (.+?) \| (.*?) ?\|$", section, flags=re.M)
    assert len(rows) == len({row[:2] for row in rows})
    return {(of, key): (kind, default) for of, key, kind, default in rows}


def expected() -> dict[tuple[str, str], str]:
    mappings = {"the file": SCHEMA} | {name: SCHEMA["$defs"][ref] for ref, name in NAMES.items()}
    return {(of, key): kind_of(node) for of, mapping in mappings.items() for key, node in properties(mapping).items()}


def properties(mapping: dict[str, Any]) -> dict[str, Any]:
    nodes = [mapping, *mapping.get("anyOf", ())]
    return {key: value for node in nodes for key, value in node.get("properties", {}).items()}


def kind_of(node: dict[str, Any]) -> str:
    """Returns what a value may be, in the page's words."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return NAMES.get(name) or kind_of(SCHEMA["$defs"][name])
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if "anyOf" in node:
        parts = [kind_of(part) for part in node["anyOf"] if part.get("type") != "null"]
        if "a duration" in parts:  # which may be a number of seconds
            parts = [part for part in parts if not part.startswith("a whole number")]
        return " or ".join(dict.fromkeys(parts))
    return plain_kind_of(node)


def plain_kind_of(node: dict[str, Any]) -> str:
    match node.get("type"):
        case "string":
            examples = node.get("examples", ())
            return "a duration" if "90s" in examples else "a size" if "500MB" in examples else "text"
        case "integer" | "number" as kind:
            word = "a whole number" if kind == "integer" else "a number"
            bounds = [("from", node.get("minimum")), ("to", node.get("maximum"))]
            return " ".join([word, *(f"{which} {bound:g}" for which, bound in bounds if bound is not None)])
        case "boolean":
            return "`true`, `false`"
        case "array":
            items = kind_of(node["items"]) if node.get("items") else "anything"
            return f"a list: {items}"
        case "object":
            return "a mapping"
        case _:
            return "anything"


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    file = tmp_path / "roster.yaml"
    file.write_text(ROSTER, encoding="utf-8")
    return load_roster(file, environment={})


def test_every_key_is_in_the_table_with_its_type() -> None:
    assert {key: kind for key, (kind, _) in table().items()} == expected()


def test_what_must_be_written_is_called_required() -> None:
    mappings = {"the file": SCHEMA} | {name: SCHEMA["$defs"][ref] for ref, name in NAMES.items()}
    required = {
        (of, key)
        for of, mapping in mappings.items()
        for node in (mapping, *mapping.get("anyOf", ()))
        for key in node.get("required", ())
    }
    assert {key for key, (_, default) in table().items() if default == "required"} == required


def test_the_defaults_in_the_table_are_those_that_a_roster_gets(roster: Roster) -> None:
    [ada] = roster.agents
    assert isinstance(ada, AgentEntry) and ada.face is not None and roster.llm is not None and ada.tts is not None
    seen = {
        ("`meeting`", "transcript"): roster.transcript.value,
        ("`meeting`", "admit"): roster.admit.value,
        ("`meeting`", "max_agent_turns"): roster.rules.max_agent_turns,
        ("`floor`", "mode"): roster.rules.floor.value,
        ("`floor`", "open_questions"): roster.rules.open_questions.value,
        ("`defaults`", "llm"): roster.llm.provider,
        ("`defaults`", "tts"): ada.tts.provider,
        ("`defaults`", "stt"): roster.stt.provider,
        ("`defaults`", "max_tool_steps"): ada.tools.max_steps,
        ("`defaults`", "tool_timeout"): f"{ada.tools.timeout_s}s",
        ("an agent", "speaks"): ada.speaks.value,
        ("an agent", "restart"): ada.restart.value,
        ("`face`", "api"): ada.face.api,
    }
    assert {key: table()[key][1] for key in seen} == {key: f"`{value}`" for key, value in seen.items()}
