"""The schema against what it describes: all our scenarios fit it, and what the loader refuses by shape does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from meetctl.cli import app
from meetctl.rehearsal import written
from meetctl.rehearsal.json_schema import SHORTHANDS, scenario_json_schema
from meetctl.roster.written import Written

ROOT = Path(__file__).parents[3]
SCENARIOS = [ROOT / "configs/rehearsal.yaml", *sorted((ROOT / "tests/scenarios").glob("*.yaml"))]
SCHEMA = scenario_json_schema()
JUDGE = Draft202012Validator(SCHEMA)


def scenario(step: Any = "Sam leaves", **keys: Any) -> dict[str, Any]:
    return {"roster": "cast.yaml", "people": {"Sam": "alto"}, "steps": [step], **keys}


def says(**expect: Any) -> dict[str, Any]:
    return {"Sam says": "Ada, when?", "expect": expect}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_every_scenario_of_ours_fits_the_schema(path: Path) -> None:
    assert JUDGE.is_valid(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "whole",
    [
        scenario(roster={"agents": [{"name": "Ada", "agent": "audio"}]}),
        scenario(people={"Sam": None, "Eve": {"voice": "bass", "pitch": 1.1}}),
        scenario(says(answers=["Ada", "Max"], within=2.5, silent="others", understood={"matches": "when"})),
        scenario({"wait": "500ms"}),
        scenario({"kill": "chair", "when": "speaking"}),
        scenario({"Eve joins": None, "expect": {"silent": "everyone"}}),
        scenario(expect={"overlap_below": "300ms", "transcript": ["backend", {"speaker": "Sam", "contains": "x"}]}),
    ],
)
def test_shorthands_and_mappings_both_fit(whole: dict[str, Any]) -> None:
    assert JUDGE.is_valid(whole)


@pytest.mark.parametrize(
    "whole",
    [
        {},
        scenario(cast="cast.yaml"),
        scenario(people={}),
        scenario(people={"Sam": "altoo"}),
        scenario(roster={"agents": []}),
        scenario("Sam says"),
        scenario({"Sam sais": "Hi"}),
        scenario({"Sam says": None}),
        scenario({"Eve leaves": "now"}),
        scenario({"wait": "long"}),
        scenario({"Sam says": "Hi", "when": "later"}),
        scenario(says(answer="Ada")),
        scenario(says(within="soon")),
        scenario(says(answers=[])),
        scenario(expect={"transcript": []}),
    ],
)
def test_what_is_no_scenario_does_not_fit(whole: dict[str, Any]) -> None:
    assert not JUDGE.is_valid(whole)


def test_every_mapping_that_has_a_shorthand_has_it_in_the_schema() -> None:
    models = [model for model in vars(written).values() if isinstance(model, type) and issubclass(model, Written)]
    assert {model.__name__ for model in models if hasattr(model, "_unfold")} == set(SHORTHANDS)


def test_the_command_prints_it() -> None:
    printed = CliRunner().invoke(app, ["schema", "--scenario"])
    assert (printed.exit_code, json.loads(printed.stdout)) == (0, SCHEMA)
    assert json.loads(CliRunner().invoke(app, ["schema"]).stdout)["title"] == "A meetctl roster"
