"""The schema against what it describes: every sample fits it, and what the loader refuses by shape does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from meetctl.commands.init import STARTER
from meetctl.roster.json_schema import SHORTHANDS, roster_json_schema
from meetctl.roster.written import Written

SCHEMA = roster_json_schema()
JUDGE = Draft202012Validator(SCHEMA)
SAMPLES = sorted(
    path for path in (Path(__file__).parents[3] / "configs").glob("*.yaml") if path.name != "rehearsal.yaml"
)
"""The rosters; a scenario has a grammar of its own."""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_fits_the_schema(path: Path) -> None:
    assert JUDGE.is_valid(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_the_starter_fits_the_schema() -> None:
    assert JUDGE.is_valid(yaml.safe_load(STARTER.format(path="a.yaml")))


AGENT = {"name": "Ada", "agent": "simli"}


@pytest.mark.parametrize(
    "roster",
    [
        {"livekit": "local", "agents": [AGENT]},
        {"livekit": {"url": "wss://example.org"}, "agents": [AGENT]},
        {"defaults": {"llm": "openai/gpt-4o-mini", "tts": {"provider": "local"}}, "agents": [AGENT]},
        {"agents": [AGENT | {"face": "local", "voice": "nova"}]},
        {"agents": [AGENT | {"face": {"provider": "local", "transport": "direct"}}]},
        {"agents": [AGENT | {"face": {"face_id": "x", "max_idle": "5m", "max_session": 90}, "voice": {"pitch": 1.1}}]},
        {
            "defaults": {"llm": ["openai/gpt-4o-mini", {"provider": "local", "options": {"stop": ["x"]}}]},
            "agents": [AGENT],
        },
        {"meeting": {"floor": {"mode": "addressed", "judge": "openai/gpt-4o-mini"}}, "agents": [AGENT]},
        {"agents": [{"name": "Own", "command": ["python", "own.py"], "env": {"A": "b"}}]},
    ],
)
def test_shorthands_and_mappings_both_fit(roster: dict[str, Any]) -> None:
    assert JUDGE.is_valid(roster)


@pytest.mark.parametrize(
    "roster",
    [
        {},
        {"agents": []},
        {"defaults": {"llm": []}, "agents": [AGENT]},
        {"defaults": {"llm": {"provider": "local", "fallbacks": []}}, "agents": [AGENT]},
        {"agents": [{"agent": "audio"}]},
        {"agents": [AGENT], "rooom": "standup"},
        {"agents": [AGENT | {"agent": "video"}]},
        {"agents": [AGENT | {"face": {"local": True}}]},
        {"agents": [AGENT | {"face": {"face_id": "x", "max_idle": "soon"}}]},
        {"agents": [AGENT | {"face": {"face_id": "x", "max_idle": 0}}]},
        {"agents": [AGENT | {"voice": {"pitch": 9}}]},
        {"livekit": "cloud", "agents": [AGENT]},
    ],
)
def test_what_is_no_roster_does_not_fit(roster: dict[str, Any]) -> None:
    assert not JUDGE.is_valid(roster)


def test_every_mapping_that_has_a_shorthand_has_it_in_the_schema() -> None:
    unfolded = {
        model.__name__
        for model in Written.__subclasses__()
        if "_unfold" in vars(model) and "roster" in model.__module__
    }
    assert unfolded == set(SHORTHANDS)


def test_the_schema_is_json_and_says_which_dialect() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    Draft202012Validator.check_schema(SCHEMA)
