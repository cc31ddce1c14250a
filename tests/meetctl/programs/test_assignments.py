"""What the chair and the agents are told, and what of the environment each of them gets."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from meetctl.catalogue import BETTER
from meetctl.programs.assignments import agent_assignment, chair_assignment
from meetctl.programs.launch import PRELOADER, TOOL_SERVERS, agent_environment, chair_environment, preloader
from meetctl.programs.room_access import RoomAccess, StandIns
from meetctl.protocol import Endpoint, FloorMode, MeetingRules, Voice
from meetctl.roster import AgentEntry, ModelChoice, Program, Roster, ToolChoice, ToolSettings
from meetctl.settings import LiveKitCredentials

PLACE = RoomAccess("standup", "ws://127.0.0.1:1", SecretStr("token"), "chair", "Friday")
STAND_INS = StandIns("http://127.0.0.1:2", None)
CLOUD = ModelChoice(provider="aws", variables={"AWS_PROFILE": SecretStr("work"), "AWS_REGION": SecretStr("eu")})
EARS = ModelChoice(provider="deepgram", model="nova-3", api_key=SecretStr("dg-key"), options={"numerals": True})
RULES = MeetingRules(floor=FloorMode.MODERATED, max_agent_turns=2, opening="ada")


def roster(**given: object) -> Roster:
    ada = AgentEntry(name="Ada", identity="ada", program=Program.AUDIO, llm=CLOUD, tts=EARS)
    return Roster(file=Path("r.yaml"), room="standup", agents=(ada,), stt=EARS, **given)


def test_the_chair_is_told_its_rules_its_ears_and_only_a_moderator_a_language_model() -> None:
    told = chair_assignment(roster(rules=RULES), PLACE, STAND_INS, transcript=(), cast=())
    assert told.rules == RULES
    assert told.stt == Endpoint(
        provider="deepgram", api_key=SecretStr("dg-key"), model="nova-3", options={"numerals": True}
    )
    assert told.llm is not None
    assert (told.llm.provider, told.llm.base_url, told.llm.model) == (
        "openai",
        "http://127.0.0.1:2/v1",
        BETTER["llm"],
    )
    free = RULES.model_copy(update={"floor": FloorMode.FREE})
    assert chair_assignment(roster(rules=free), PLACE, STAND_INS, transcript=(), cast=()).llm is None
    judged = chair_assignment(roster(judge=CLOUD), PLACE, STAND_INS, transcript=(), cast=())
    assert judged.llm is not None and judged.llm.provider == "aws"
    assert chair_environment(roster(judge=CLOUD), {})["AWS_PROFILE"] == "work"


def test_what_a_plugin_looks_for_in_its_environment_is_there_for_whoever_uses_it_and_for_nobody_else() -> None:
    own = LiveKitCredentials("ws://x", "key", SecretStr("secret"))
    (ada,) = roster().agents
    environment = agent_environment(ada, PLACE, {"MARK": "1"}, own)
    assert (environment["AWS_PROFILE"], environment["AWS_REGION"], environment["MARK"]) == ("work", "eu", "1")
    chosen = ada.model_copy(update={"env": {"AWS_REGION": SecretStr("us")}})
    assert agent_environment(chosen, PLACE, {}, own)["AWS_REGION"] == "us"
    other = ada.model_copy(update={"llm": EARS})
    assert "AWS_PROFILE" not in agent_environment(other, PLACE, {}, own)
    assert "AWS_PROFILE" not in chair_environment(roster(llm=CLOUD), {})
    assert chair_environment(roster(llm=CLOUD, rules=RULES), {})["AWS_PROFILE"] == "work"


def test_a_voice_is_chosen_only_where_the_names_of_voices_are_known() -> None:
    def voice(tts: ModelChoice, seat_number: int = 1) -> Voice:
        entry = AgentEntry(name="Ada", identity="ada", program=Program.AUDIO, tts=tts)
        told = agent_assignment(entry, PLACE, STAND_INS, seat_number=seat_number, transcript=(), cast=())
        return told.voice

    assert voice(ModelChoice()) != voice(ModelChoice(), 2)
    assert voice(ModelChoice(provider="openai", model="tts-1")).name
    assert voice(EARS) == Voice()


def test_what_speaks_to_tool_servers_is_loaded_beforehand_where_an_agent_has_some_and_nowhere_else() -> None:
    plain = roster()
    (ada,) = plain.agents
    assert preloader(plain) == PRELOADER
    in_a_file = ada.model_copy(update={"tools": ToolSettings(choices=(ToolChoice(python=Path("/tools.py")),))})
    assert preloader(plain.model_copy(update={"agents": (in_a_file,)})) == PRELOADER
    served = ada.model_copy(update={"tools": ToolSettings(choices=(ToolChoice(command=("uvx", "clock")),))})
    assert preloader(plain.model_copy(update={"agents": (ada, served)})) == (*PRELOADER, f"--also={TOOL_SERVERS}")
