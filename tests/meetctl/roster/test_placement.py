"""Where an agent runs, and what keeps it from running on another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.errors import UsageError
from meetctl.roster import Roster, RosterFaults, load_roster
from meetctl.roster.faults import shown_path

SERVER = "livekit: {url: wss://x.example, api_key: k, api_secret: s}\n"


def loaded(folder: Path, text: str, on: str | None = None, **environment: str) -> Roster:
    file = folder / "roster.yaml"
    file.write_text(text, encoding="utf-8")
    return load_roster(file, environment=environment, on=on)


def faults_of(folder: Path, text: str, on: str | None = None) -> dict[str, str]:
    with pytest.raises(RosterFaults) as caught:
        loaded(folder, text, on)
    return {shown_path(fault.path): f"{fault.message}; {fault.hint}" for fault in caught.value.faults}


def test_an_entry_says_where_it_runs_and_an_option_says_it_for_those_that_do_not(tmp_path: Path) -> None:
    text = f"""{SERVER}
agents:
  - {{name: Ada, agent: audio}}
  - {{name: Max, agent: audio, on: workers/gpu}}
  - {{name: Eve, agent: audio, on: local}}
  - {{name: Old, command: [sleep, "1"]}}
"""
    assert [entry.on for entry in loaded(tmp_path, text).agents] == ["local", "workers/gpu", "local", "local"]
    placed = loaded(tmp_path, text, "workers").agents
    assert [entry.on for entry in placed] == ["workers", "workers/gpu", "local", "local"]
    assert [entry.label for entry in placed] == [None, "gpu", None, None]
    with pytest.raises(UsageError, match="'moon' is no place"):
        loaded(tmp_path, text, "moon")


def test_an_agent_on_a_worker_needs_no_key_here_and_takes_none_along(tmp_path: Path) -> None:
    text = f"""{SERVER}defaults: {{llm: openai/gpt-4o, tts: openai/tts-1}}
agents: [{{name: Ada, agent: audio, on: workers}}]
"""
    (ada,) = loaded(tmp_path, text, OPENAI_API_KEY="sk-ours").agents
    assert ada.llm is not None and ada.llm.api_key is None
    assert "defaults.llm.api_key" in faults_of(tmp_path, text.replace("on: workers", "on: local"))


@pytest.mark.parametrize(
    ("entry", "where", "words"),
    [
        ("command: [sleep, '1']", "on", "a command runs on this machine"),
        ("agent: audio, env: {A: b}", "env", "set them where `meetctl worker` is started"),
        ("agent: audio, llm: {provider: openai, model: m, api_key: sk}", "llm.api_key", "export OPENAI_API_KEY="),
        (
            "agent: audio, llm: {provider: openai, model: m, base_url: 'http://h/v1', api_key: sk}",
            "llm.api_key",
            "a key for a server of your own",
        ),
        ("agent: simli", "on", "a local face is drawn on the machine"),
        ("agent: simli, face: {face_id: f, api_key: sk}", "face.api_key", "export SIMLI_API_KEY="),
        ("agent: simli, face: {face_id: f, transport: direct}", "face.transport", "write transport: bridge"),
        ("agent: audio, tools: [{mcp: 'https://h', headers: {A: b}}]", "tools[0].headers", "none goes to a worker"),
    ],
)
def test_what_cannot_go_to_a_worker_is_said_with_what_to_do_instead(
    tmp_path: Path, entry: str, where: str, words: str
) -> None:
    found = faults_of(tmp_path, f"{SERVER}agents: [{{name: Ada, on: workers, {entry}}}]\n")
    assert words in found[f"agents[0].{where}"]


@pytest.mark.parametrize(("tool", "key"), [("https://h", "headers"), ("[clock]", "env")])
def test_a_key_of_a_tool_that_all_have_goes_to_no_worker_either(tmp_path: Path, tool: str, key: str) -> None:
    text = (
        f"{SERVER}defaults: {{tools: [{{mcp: {tool}, {key}: {{TOKEN: b}}}}]}}\nagents: [{{name: Ada, agent: audio}}]\n"
    )
    found = faults_of(tmp_path, text, on="workers")
    assert "none goes to a worker" in found[f"defaults.tools[0].{key}"]
    assert loaded(tmp_path, text).agents[0].tools.choices


def test_the_meeting_s_own_server_is_not_one_that_workers_know(tmp_path: Path) -> None:
    found = faults_of(tmp_path, "agents: [{name: Ada, agent: audio, on: workers}]\n")
    assert "add livekit: {url: …}" in found["agents[0].on"]
