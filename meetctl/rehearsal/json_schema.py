"""The scenario's JSON Schema, for editors. Made from the very models that judge a scenario, shorthands included.

A step's first key is a sentence (`Sam says`), which no model has: its shape is described here.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import JsonSchemaValue

from meetctl.rehearsal.written import DURATION, LONGEST_TEXT, VOICES, PersonWritten, ScenarioWritten, StepWritten
from meetctl.roster.json_schema import DIALECT, roster_json_schema

SHORTHANDS: dict[str, JsonSchemaValue] = {
    "PersonWritten": {"enum": [*VOICES, None]},
    "TextWritten": {"type": "string", "minLength": 1},
    "LineWritten": {"type": "string", "minLength": 1},
}
"""What may stand in place of the mapping."""
_ROSTER = "Roster"


def scenario_json_schema() -> dict[str, Any]:
    """Returns the schema of a whole scenario file."""
    schema = _of(ScenarioWritten)
    definitions = schema.pop("$defs")
    for model in (PersonWritten, StepWritten):
        own = _of(model)
        definitions |= own.pop("$defs", {}) | {model.__name__: own}
    for name, shorthand in SHORTHANDS.items():
        definitions[name] = {"title": definitions[name]["title"], "anyOf": [shorthand, definitions[name]]}
    roster = roster_json_schema()
    definitions |= roster.pop("$defs") | {_ROSTER: {key: item for key, item in roster.items() if key != "$schema"}}
    beside = definitions.pop("StepWritten")["properties"]
    schema["properties"] |= {
        "roster": {"anyOf": [{"type": "string"}, _reference(_ROSTER)]},
        "people": {"type": "object", "additionalProperties": _reference("PersonWritten"), "minProperties": 1},
        "steps": {"type": "array", "items": _step(beside), "minItems": 1},
    }
    del schema["description"]
    return {"$schema": DIALECT, **schema, "title": "A meetctl scenario", "$defs": definitions}


def _step(beside: dict[str, Any]) -> JsonSchemaValue:
    sentences = {
        r"^.+ (says|interrupts|writes)$": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
        r"^.+ (joins|leaves)$": {"type": "null"},
    }
    single = {"wait": {"anyOf": [{"type": "number"}, DURATION]}, "kill": {"type": "string"}}
    return {
        "anyOf": [
            {"type": "string", "pattern": r"^.+ (joins|leaves)$"},
            {
                "type": "object",
                "properties": {**beside, **single},
                "patternProperties": sentences,
                "additionalProperties": False,
                "minProperties": 1,
            },
        ]
    }


def _of(model: type[PersonWritten | ScenarioWritten | StepWritten]) -> dict[str, Any]:
    return model.model_json_schema(ref_template="#/$defs/{model}")


def _reference(name: str) -> JsonSchemaValue:
    return {"$ref": f"#/$defs/{name}"}
