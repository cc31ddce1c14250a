"""The door for authors of agents, and the page that shows it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from meetctl_agents import agent_api

README = (Path(__file__).parents[2] / "agents/README.md").read_text(encoding="utf-8")


def test_the_page_imports_only_from_the_door_and_only_what_it_names() -> None:
    shown = re.findall(r"```python\n(.*?)```", README, re.S)
    imports = [node for text in shown for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if (node.module or "").startswith("meetctl")]
    assert [node.module for node in ours] == ["meetctl_agents.agent_api"]
    assert {alias.name for node in ours for alias in node.names} <= set(agent_api.__all__)


def test_what_the_door_names_is_there() -> None:
    assert {
        "Assignment",
        "Degraded",
        "Failed",
        "Inbox",
        "Ready",
        "Report",
        "RoomAudioSink",
        "Speaker",
        "Warn",
        "run_program",
    } <= set(agent_api.__all__)
    assert [name for name in agent_api.__all__ if not hasattr(agent_api, name)] == []
