"""What a right roster becomes: defaults merged, keys found, texts kept as texts. The samples of `configs/` too."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from meetctl.errors import UsageError
from meetctl.protocol import FloorMode, MeetingRules, RestartPolicy, Speaks, Voice
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
from meetctl.roster.faults import shown_path
from meetctl.roster.written import RosterWritten
from meetctl.settings import LiveKitCredentials
from tests.meetctl.roster.conftest import CLOUD, Load, Write
from tests.meetctl.roster.test_bad_rosters import AGENT

CONFIGS = Path(__file__).parents[3] / "configs"
SCENARIOS = {CONFIGS / "rehearsal.yaml"}
"""Rosters are not all that one may configure."""


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


@pytest.mark.parametrize(
    ("written", "code"),
    [("de", "de"), ("German", "de"), ("pt-br", "pt-BR"), ("zh_Hant", "zh-Hant"), ("AUTO", "auto"), (" yue ", "yue")],
)
def test_a_language_is_a_code_however_it_is_written(load: Load, written: str, code: str) -> None:
    assert load(f"meeting: {{language: '{written}'}}\nagents: [{{name: Ada, agent: audio}}]\n").language == code


def test_only_somebody_who_is_not_there_is_refused_with_who_is(write: Write) -> None:
    with pytest.raises(UsageError, match="no agent is named 'Adda'; there is Ada") as caught:
        load_roster(write(AGENT), environment={}, only=["Adda"])
    assert caught.value.hint == "--only Ada"


def test_a_room_name_on_the_command_line_is_checked_too(write: Write) -> None:
    with pytest.raises(UsageError, match="cannot name a room"):
        load_roster(write(AGENT), environment={}, room="../x")


def test_a_file_with_one_entry_reports_faults_like_a_roster(write: Write) -> None:
    with pytest.raises(RosterFaults) as caught:
        load_entry_file(write("name: Eve\nagent: audoi\nspeeks: never\n"), environment={})
    assert [(f.line, shown_path(f.path), f.hint) for f in caught.value.faults] == [
        (2, "agent", "did you mean audio?"),
        (3, "speeks", "did you mean speaks?"),
    ]


def test_a_roster_where_one_entry_is_wanted_says_which_command_takes_it(write: Write) -> None:
    file = write(AGENT)
    with pytest.raises(RosterFaults, match="a whole roster") as caught:
        load_entry_file(file, environment={})
    assert caught.value.hint == f"meetctl up {file}"
