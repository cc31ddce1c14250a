"""Realtime models in a roster: what they resolve to, and where they cannot be; nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.programs.assignments import endpoint, voice_of
from meetctl.roster import Roster, RosterFaults, load_roster, secrets_of
from meetctl.roster.faults import shown_path

REALTIME = "llm: {provider: openai, model: gpt-realtime, realtime: true}"
KEY = "sk-of-realtime"


def loaded(folder: Path, text: str, **environment: str) -> Roster:
    file = folder / "roster.yaml"
    file.write_text(text, encoding="utf-8")
    return load_roster(file, environment=environment)


def faults_of(folder: Path, text: str, **environment: str) -> list[tuple[str, str]]:
    with pytest.raises(RosterFaults) as found:
        loaded(folder, text, **environment)
    return [(shown_path(fault.path), fault.message) for fault in found.value.faults]


def test_a_realtime_agent_needs_no_other_voice_and_has_one_that_its_neighbours_have_not(tmp_path: Path) -> None:
    text = f"""defaults: {{{REALTIME}}}
agents:
  - {{name: Ada, agent: audio}}
  - {{name: Max, agent: simli, face: local, voice: sage}}
  - {{name: Eve, agent: audio, llm: local/tiny}}
"""
    roster = loaded(tmp_path, text, OPENAI_API_KEY=KEY)
    ada, max_, eve = roster.agents
    assert ada.llm is not None and ada.llm.realtime and ada.tts is None and max_.tts is None
    assert eve.llm is not None and not eve.llm.realtime and eve.tts is not None
    assert secrets_of(roster) == {KEY}
    assert [voice_of(one, one.llm, number).name for number, one in enumerate((ada, max_)) if one.llm] == [
        "marin",
        "sage",
    ]


def test_the_wire_says_that_it_is_one(tmp_path: Path) -> None:
    (entry,) = loaded(tmp_path, f"agents: [{{name: Ada, agent: audio, {REALTIME}}}]", OPENAI_API_KEY=KEY).agents
    assert entry.llm is not None
    given = endpoint(entry.llm, "llm", None)
    assert (given.realtime, given.model, given.api_key.get_secret_value()) == (True, "gpt-realtime", KEY)


@pytest.mark.parametrize(
    ("llm", "path", "message"),
    [
        ("{provider: local, realtime: true}", "llm", "local has no realtime model"),
        (
            "{provider: elevenlabs, realtime: true}",
            "llm",
            "elevenlabs has no language model",
        ),
        (
            "[{provider: openai, model: gpt-realtime, realtime: true}, local]",
            "llm",
            "a realtime model has nobody who is asked in its place",
        ),
        (
            "{provider: openai, model: gpt-realtime, realtime: true, options: {turn_detection: {}}}",
            "llm.options.turn_detection",
            "whose turn it is, is the chair's to decide",
        ),
    ],
)
def test_one_that_cannot_be_is_refused_with_the_reason(tmp_path: Path, llm: str, path: str, message: str) -> None:
    faults = faults_of(tmp_path, f"agents: [{{name: Ada, agent: audio, llm: {llm}}}]", OPENAI_API_KEY=KEY)
    assert (f"agents[0].{path}", message) in faults


def test_the_key_that_it_needs_is_named(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, f"agents: [{{name: Ada, agent: audio, {REALTIME}}}]")
    assert faults == [("agents[0].llm.api_key", "is not given and OPENAI_API_KEY is not set")]


def test_nothing_of_a_voice_that_it_makes_itself_can_be_said(tmp_path: Path) -> None:
    text = f"agents: [{{name: Ada, agent: audio, {REALTIME}, tts: local, voice: {{pitch: 0.7}}}}]"
    assert faults_of(tmp_path, text, OPENAI_API_KEY=KEY) == [
        ("agents[0].tts", "a realtime model speaks by itself"),
        ("agents[0].voice.pitch", "belongs to the local voice, not to openai's"),
    ]


def test_it_is_nobody_s_judge_ears_or_moderator(tmp_path: Path) -> None:
    text = f"""defaults: {{{REALTIME}, stt: {{provider: openai, model: whisper-1, realtime: true}}}}
meeting: {{floor: {{mode: addressed, judge: {{provider: openai, model: gpt-realtime, realtime: true}}}}}}
agents: [{{name: Ada, agent: audio}}]
"""
    assert faults_of(tmp_path, text, OPENAI_API_KEY=KEY) == [
        ("defaults.stt", "a realtime model is an agent's voice, and no transcription"),
        ("meeting.floor.judge", "a realtime model is an agent's voice, and no judge"),
    ]
    text = f"defaults: {{{REALTIME}}}\nmeeting: {{floor: moderated}}\nagents: [{{name: Ada, agent: audio}}]\n"
    assert faults_of(tmp_path, text, OPENAI_API_KEY=KEY) == [
        ("defaults.llm", "a realtime model speaks, and cannot moderate")
    ]


def test_a_class_that_makes_its_own_words_cannot_have_one(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(
        "from livekit.agents import Agent\n"
        "class Ada(Agent):\n"
        "    async def llm_node(self, chat_ctx, tools, model_settings): ...\n"
        "class Max(Agent):\n"
        "    async def on_enter(self): ...\n"
    )
    text = f"""agents:
  - {{name: Ada, agent: audio, {REALTIME}, class: "team.py:Ada"}}
  - {{name: Max, agent: audio, {REALTIME}, class: "team.py:Max"}}
"""
    assert faults_of(tmp_path, text, OPENAI_API_KEY=KEY) == [
        (
            "agents[0].class",
            "Ada.llm_node cannot be honoured: a realtime model makes its words and sound itself",
        )
    ]
