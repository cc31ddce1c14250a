"""What a right roster becomes: defaults merged, keys found, texts kept as texts. The samples of `configs/` too."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from meetctl.protocol import Example, FloorMode, MeetingRules, RestartPolicy, Speaks, Voice
from meetctl.roster import (
    AgentEntry,
    Budget,
    FaceChoice,
    Limits,
    ModelChoice,
    Program,
    Roster,
    RosterFaults,
    TranscriptMode,
    is_room_name,
    load_entry_file,
    load_roster,
    readable_room,
    secrets_of,
)
from meetctl.roster.written import RosterWritten
from meetctl.settings import LiveKitCredentials
from tests.meetctl.roster.test_model_files import gguf

CONFIGS = Path(__file__).parents[3] / "configs"
SCENARIOS = {CONFIGS / "rehearsal.yaml"}
"""Rosters are not all that one may configure."""
CLOUD = {
    "LIVEKIT_URL": "wss://cloud.example",
    "LIVEKIT_API_KEY": "APIkey-of-cloud",
    "LIVEKIT_API_SECRET": "secret-of-cloud",
    "OPENAI_API_KEY": "sk-openai-key",
    "SIMLI_API_KEY": "simli-key",
    "SIMLI_FACE_ID": "face-1",
}

Load = Callable[..., Roster]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str, *, only: tuple[str, ...] = (), room: str | None = None, **environment: str) -> Roster:
        file = tmp_path / "roster.yaml"
        file.write_text(text, encoding="utf-8")
        return load_roster(file, environment=environment, only=only, room=room, chance=random.Random(7))

    return load_text


@pytest.mark.parametrize(
    ("written", "megabytes"),
    [("500MB", 500.0), ("1.5GB", 1500.0), ("2 g", 2000.0), ("512MiB", 536.870912), ("2000k", 2.0)],
)
def test_memory_is_written_with_its_unit(load: Load, written: str, megabytes: float) -> None:
    roster = load(f"agents: [{{name: Max, agent: audio, limits: {{memory: {written}}}}}]")
    assert roster.agents[0].limits == Limits(memory_mb=megabytes)


def test_a_meeting_may_end_when_nobody_is_there_and_an_agent_when_its_budget_is_spent(load: Load) -> None:
    roster = load(
        "meeting: {idle_timeout: 30m}\n"
        "agents: [{name: Ada, agent: simli, budget: {avatar_seconds: 600, llm_tokens: 9000, tts_characters: 5000}}]"
    )
    assert roster.idle_timeout_s == 1800
    assert roster.agents[0].budget == Budget(avatar_seconds=600, llm_tokens=9000, tts_characters=5000)


def test_every_key_of_a_meeting_arrives(load: Load) -> None:
    roster = load("""
meeting: {topic: T, floor: round-robin, max_agent_turns: 6, opening: ADA, max_duration: 1h30m, transcript: memory}
agents: [{name: Ada, agent: audio}, {name: Max, agent: audio}]
""")
    assert roster.rules == MeetingRules(floor=FloorMode.ROUND_ROBIN, max_agent_turns=6, opening="ada")
    assert (roster.topic, roster.max_duration_s, roster.transcript) == ("T", 5400, TranscriptMode.MEMORY)


def test_agents_that_need_nobody_between_their_turns_are_a_meeting_of_agents_alone(load: Load) -> None:
    text = """
meeting: {max_agent_turns: none, max_duration: 2m, opening: Ada}
agents: [{name: Ada, agent: audio}, {name: Max, agent: audio}]
"""
    assert load(text).rules == MeetingRules(max_agent_turns=None, opening="ada", agents_alone=True)
    assert load(text, only=("Max",)).rules == MeetingRules(max_agent_turns=None)
    assert not load(text.replace(", opening: Ada", "")).rules.agents_alone


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


@pytest.mark.parametrize("livekit", ["local", "{url: ws://192.168.1.5:7880, api_key: k, api_secret: s}"])
def test_a_local_face_may_join_the_room_itself_wherever_that_is(load: Load, livekit: str) -> None:
    face = "{provider: local, transport: direct}"
    (ada,) = load(f"livekit: {livekit}\nagents: [{{name: Ada, agent: simli, face: {face}}}]").agents
    assert ada.face == FaceChoice(transport="direct")


def test_the_smallest_roster_is_local_throughout(load: Load, tmp_path: Path) -> None:
    local = ModelChoice(provider="local")
    ada = AgentEntry(
        name="Ada", identity="ada", program=Program.SIMLI, face=FaceChoice(transport="auto"), llm=local, tts=local
    )
    roster = load("agents: [{name: Ada, agent: simli}]")
    assert roster == Roster(file=tmp_path / "roster.yaml", room=roster.room, stt=local, agents=(ada,))
    assert is_room_name(roster.room)
    assert roster.needs_local_models
    assert roster.needs_local_simli
    assert secrets_of(roster) == set()


def test_every_key_of_an_entry_arrives(load: Load, tmp_path: Path) -> None:
    (tmp_path / "max.env").write_text("A=1\nB=file\n", encoding="utf-8")
    roster = load(
        """
agents:
  - name: Zoë K.
    agent: simli
    persona: |
      First line.
      Second line.
    voice: {pitch: 1.05, formant: "${FORMANT}"}
    face: {face_id: f/0, api_key: face-key, url: http://127.0.0.1:9/, api: compose, max_session: 1h30m, max_idle: 90,
           transport: bridge}
    speaks: on-address
    restart: no
    env_file: max.env
    env: {B: entry, PORT: 08080, ON: yes, FLAG: true}
    llm: {provider: openai, model: m, base_url: "http://localhost:1/v1/", options: {temperature: 0.5}}
    tts: {provider: local, options: {speed: 2}}
""".replace("${FORMANT}", "$FORMANT"),
        FORMANT="0.9",
    )
    assert roster.agents == (
        AgentEntry(
            name="Zoë K.",
            identity="zoe-k",
            program=Program.SIMLI,
            persona="First line.\nSecond line.",
            voice=Voice(pitch=1.05, formant=0.9),
            face=FaceChoice(
                local=False,
                face_id="f/0",
                api_key=SecretStr("face-key"),
                url="http://127.0.0.1:9",
                max_session_s=5400,
                max_idle_s=90,
                idle_close_s=300,
            ),
            speaks=Speaks.ON_ADDRESS,
            restart=RestartPolicy.NO,
            env={
                "A": SecretStr("1"),
                "B": SecretStr("entry"),
                "PORT": SecretStr("08080"),
                "ON": SecretStr("yes"),
                "FLAG": SecretStr("true"),
            },
            llm=ModelChoice(
                provider="openai",
                model="m",
                base_url="http://localhost:1/v1",
                api_key=SecretStr("none"),
                options={"temperature": 0.5},
            ),
            tts=ModelChoice(provider="local", options={"speed": 2}),
        ),
    )
    assert not roster.needs_local_simli


def test_a_command_runs_beside_the_roster_and_brings_its_own_models(load: Load, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    roster = load("""
defaults: {llm: openai/x}
agents:
  - {name: One, command: [python, -c, "{room} $$", 8080]}
  - {name: Two, command: [x], cwd: sub, livekit_api_credentials: yes, restart: always, start_timeout: 3m}
""")
    assert roster.agents == (
        AgentEntry(
            name="One",
            identity="one",
            program=Program.COMMAND,
            command=("python", "-c", "{room} $", "8080"),
            cwd=tmp_path,
        ),
        AgentEntry(
            name="Two",
            identity="two",
            program=Program.COMMAND,
            command=("x",),
            cwd=tmp_path / "sub",
            livekit_api_credentials=True,
            start_timeout_s=180,
            restart=RestartPolicy.ALWAYS,
        ),
    )


def test_a_livekit_mapping_takes_from_the_environment_what_it_leaves_out(load: Load) -> None:
    text = "livekit: {url: 'ws://mine:1'}\nagents: [{name: A, agent: audio}]"
    roster = load(text, LIVEKIT_URL="ws://other", LIVEKIT_API_KEY="key", LIVEKIT_API_SECRET="secret")
    assert roster.livekit == LiveKitCredentials("ws://mine:1", "key", SecretStr("secret"))


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


def test_only_leaves_the_others_and_their_missing_keys_out(load: Load) -> None:
    text = """
agents:
  - {name: Ada, agent: simli, face: {face_id: f}, persona: "${UNSET}"}
  - {name: Max, agent: audio}
"""
    assert [agent.name for agent in load(text, only=("max",)).agents] == ["Max"]


def test_the_room_of_the_command_line_goes_before_the_file(load: Load) -> None:
    text = "room: file\nagents: [{name: A, agent: audio}]"
    assert load(text).room == "file"
    assert load(text, room="line").room == "line"


def test_aliases_and_merge_keys_work_and_the_entry_s_own_keys_win(load: Load) -> None:
    roster = load("""
agents:
  - &base {name: A, agent: audio, persona: shared, speaks: never}
  - <<: *base
    name: B
    persona: own
""")
    second = roster.agents[1]
    assert (second.name, second.persona, second.speaks) == ("B", "own", Speaks.NEVER)


def test_a_file_with_one_entry_is_an_entry(tmp_path: Path) -> None:
    file = tmp_path / "eve.yaml"
    file.write_text("name: Eve\nagent: audio\nllm: openai/gpt\n", encoding="utf-8")
    eve = load_entry_file(file, environment={"OPENAI_API_KEY": "sk-123456"})
    assert (eve.identity, eve.program) == ("eve", Program.AUDIO)
    assert eve.llm == ModelChoice(provider="openai", model="gpt", api_key=SecretStr("sk-123456"))


@pytest.mark.parametrize("file", sorted(set(CONFIGS.glob("*.yaml")) - SCENARIOS), ids=lambda file: file.name)
def test_every_sample_loads_with_the_variables_it_names(file: Path) -> None:
    roster = load_roster(file, environment=CLOUD)
    assert roster.agents


def test_the_demo_needs_no_key_and_no_network() -> None:
    roster = load_roster(CONFIGS / "demo.yaml", environment={})
    assert [(agent.name, agent.program) for agent in roster.agents] == [("Ada", Program.SIMLI), ("Max", Program.AUDIO)]
    assert roster.livekit is None
    assert roster.stt.is_local
    assert all(agent.llm and agent.llm.is_local and agent.tts and agent.tts.is_local for agent in roster.agents)
    assert secrets_of(roster) == set()


def test_the_secrets_of_the_cloud_sample_are_all_known_and_none_is_printed() -> None:
    roster = load_roster(CONFIGS / "cloud.yaml", environment=CLOUD)
    assert secrets_of(roster) == {CLOUD[name] for name in CLOUD if name.endswith(("KEY", "SECRET"))}
    printed = repr(roster)
    assert not [name for name in CLOUD if name.endswith(("OPENAI_API_KEY", "SECRET")) and CLOUD[name] in printed]


def test_values_of_env_that_look_like_secrets_are_masked_and_plain_ones_are_not(load: Load) -> None:
    roster = load("agents: [{name: A, command: [x], env: {DB_PASSWORD: hunter22, LOG_LEVEL: warning, TOKEN: ab}}]")
    assert secrets_of(roster) == {"hunter22"}


@given(st.integers())
def test_a_made_up_room_name_is_a_room_name(seed: int) -> None:
    name = readable_room(random.Random(seed))
    assert is_room_name(name)
    assert name == readable_room(random.Random(seed))


def test_the_file_s_schema_can_be_written_for_editors() -> None:
    schema = RosterWritten.model_json_schema()
    assert set(schema["properties"]) == {"room", "livekit", "reach", "meeting", "defaults", "agents"}


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


@pytest.mark.parametrize(
    ("written", "code"),
    [("de", "de"), ("German", "de"), ("pt-br", "pt-BR"), ("zh_Hant", "zh-Hant"), ("AUTO", "auto"), (" yue ", "yue")],
)
def test_a_language_is_a_code_however_it_is_written(load: Load, written: str, code: str) -> None:
    assert load(f"meeting: {{language: '{written}'}}\nagents: [{{name: Ada, agent: audio}}]\n").language == code


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
