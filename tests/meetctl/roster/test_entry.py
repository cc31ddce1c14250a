"""Who serves a language model, a voice or ears, with which key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from meetctl.protocol import Example, FloorMode
from meetctl.roster import (
    ModelChoice,
    RosterFaults,
    secrets_of,
)
from tests.meetctl.roster.conftest import CLOUD, Load
from tests.meetctl.roster.test_model_files import gguf


def test_a_moderated_floor_asks_the_default_model_and_so_needs_it(load: Load) -> None:
    text = """
meeting: {floor: moderated}
defaults: {llm: openai/gpt}
agents: [{name: A, agent: audio, llm: local}]
"""
    with pytest.raises(RosterFaults, match="OPENAI_API_KEY is not set"):
        load(text)
    roster = load(text, OPENAI_API_KEY="sk-123456")
    assert roster.moderator == roster.llm
    assert load(text.replace("moderated", "free")).moderator is None


def test_a_judge_is_a_model_of_the_chairs_whose_key_is_needed_and_kept_secret(load: Load) -> None:
    text = """
meeting: {floor: {judge: openai/gpt-4o-mini}}
agents: [{name: A, agent: audio}]
"""
    with pytest.raises(RosterFaults, match="OPENAI_API_KEY is not set"):
        load(text)
    roster = load(text, OPENAI_API_KEY="sk-123456")
    assert roster.rules.floor is FloorMode.ADDRESSED
    assert roster.judge is not None and roster.judge == roster.chair_llm
    assert (roster.judge.provider, roster.judge.model) == ("openai", "gpt-4o-mini")
    assert "sk-123456" in secrets_of(roster)
    local = load(text.replace("openai/gpt-4o-mini", "local/tiny"))
    assert local.judge is not None and ("llm", local.judge.model) in local.local_models
    with pytest.raises(RosterFaults, match="in the mode addressed only, not in free"):
        load(text.replace("{judge:", "{mode: free, judge:"), OPENAI_API_KEY="sk-123456")


def test_a_provider_s_plugin_is_given_the_key_that_it_is_known_for(load: Load) -> None:
    roster = load(
        """
defaults:
  stt: deepgram/nova-3
  tts: {provider: elevenlabs, model: eleven_flash_v2_5, options: {streaming_latency: 3}}
agents:
  - {name: Ada, agent: audio, voice: rachel}
  - {name: Max, agent: audio, tts: {provider: deepgram, base_url: "https://mine/v1"}}
""",
        DEEPGRAM_API_KEY="dg-secret",
        ELEVEN_API_KEY="el-secret",
    )
    assert roster.stt == ModelChoice(provider="deepgram", model="nova-3", api_key=SecretStr("dg-secret"))
    assert roster.agents[0].tts == ModelChoice(
        provider="elevenlabs",
        model="eleven_flash_v2_5",
        api_key=SecretStr("el-secret"),
        options={"streaming_latency": 3},
    )
    assert roster.agents[1].tts == ModelChoice(
        provider="deepgram", base_url="https://mine/v1", api_key=SecretStr("none")
    )
    assert secrets_of(roster) == {"dg-secret", "el-secret"}


def test_a_key_is_looked_for_in_the_entry_then_its_env_file_then_the_environment(load: Load, tmp_path: Path) -> None:
    (tmp_path / "k.env").write_text("export OPENAI_API_KEY='from-file' # mine\nSIMLI_API_KEY=simli-file\n")
    roster = load(
        """
defaults: {llm: openai/gpt}
agents:
  - {name: A, agent: audio, env_file: k.env, env: {OPENAI_API_KEY: from-env}}
  - {name: B, agent: simli, env_file: k.env, face: {face_id: f}}
  - {name: C, agent: audio}
  - {name: D, agent: audio, llm: {provider: openai, model: m, api_key: written}}
  - {name: E, agent: audio, llm: {provider: openai, model: m, base_url: "https://elsewhere/v1"}}
""",
        OPENAI_API_KEY="from-environment",
    )
    keys = [agent.llm.api_key.get_secret_value() for agent in roster.agents if agent.llm and agent.llm.api_key]
    assert keys == ["from-env", "from-file", "from-environment", "written", "none"]
    face = roster.agents[1].face
    assert face is not None
    assert (face.url, face.api_key) == ("https://api.simli.ai", SecretStr("simli-file"))


def test_local_models_are_named_by_pair_by_name_and_by_path(load: Load, tmp_path: Path) -> None:
    (tmp_path / "my.gguf").write_bytes(gguf())
    roster = load(
        """
defaults: {llm: local/tiny, stt: local/whisper-tiny.en}
agents:
  - {name: Ada, agent: audio}
  - {name: Max, agent: audio, llm: {provider: local, model: ./my.gguf}}
  - {name: Zoe, agent: audio, llm: local}
  - name: Tom
    agent: audio
    examples: [{asked: "Ready?", answer: "  Not\n yet. "}]
"""
    )
    assert roster.local_models == (
        ("stt", "whisper-tiny.en"),
        ("llm", "smollm2-135m-instruct"),
        ("tts", "hibari"),
        ("llm", str(tmp_path / "my.gguf")),
        ("llm", "qwen2.5-coder-0.5b-instruct"),
    )
    assert roster.agents[3].examples == (Example(asked="Ready?", answer="Not yet."),)


def test_providers_in_a_row_are_asked_in_their_order_and_each_has_its_own_key(load: Load) -> None:
    text = """
defaults:
  llm: [openai/gpt-4o-mini, {provider: openai, model: llama3.2, base_url: "http://127.0.0.1:11434/v1"}, local]
  stt: [local]
agents: [{name: Ada, agent: audio}]
"""
    roster = load(text, **CLOUD)
    llm = roster.agents[0].llm
    assert llm is not None
    assert [one.provider for one in llm.in_a_row] == ["openai", "openai", "local"]
    keys = [one.api_key.get_secret_value() if one.api_key else None for one in llm.in_a_row]
    assert keys == ["sk-openai-key", "none", None]
    assert roster.stt == ModelChoice()
    assert roster.needs_local_models
    assert "sk-openai-key" in secrets_of(roster)


def test_options_of_any_shape_reach_the_provider(load: Load) -> None:
    options = "{extra_body: {chat_template_kwargs: {enable_thinking: false}}, stop: [x], temperature: 0.2}"
    text = f"""
defaults: {{llm: {{provider: openai, model: m, base_url: "http://127.0.0.1:9/v1", options: {options}}}}}
agents: [{{name: Ada, agent: audio}}]
"""
    llm = load(text).agents[0].llm
    assert llm is not None
    assert llm.options == {
        "extra_body": {"chat_template_kwargs": {"enable_thinking": False}},
        "stop": ["x"],
        "temperature": 0.2,
    }
