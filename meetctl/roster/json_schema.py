"""The roster's JSON Schema, for editors. Made from the very models that judge a roster, shorthands included."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import JsonSchemaValue

from meetctl.protocol import FloorMode
from meetctl.roster.written import RosterWritten

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SHORTHANDS: dict[str, JsonSchemaValue] = {
    "LiveKitWritten": {"const": "local"},
    "FaceWritten": {"type": "string", "examples": ["local"]},
    "ModelWritten": {"type": "string", "examples": ["local", "local/tiny", "openai/gpt-4o-mini"]},
    "FloorWritten": {"enum": [mode.value for mode in FloorMode]},
    "ToolWritten": {"const": "write_to_chat"},
    "VoiceWritten": {"type": "string", "examples": ["nova"]},
}
"""What may stand in place of the mapping."""
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_UNFOLDED = ("local", "fallbacks", "builtin")
"""Keys that only shorthands are unfolded to; nobody writes them."""


def roster_json_schema() -> dict[str, Any]:
    """Returns the schema of a whole roster file."""
    schema = RosterWritten.model_json_schema()
    definitions = schema["$defs"]
    for name, shorthand in SHORTHANDS.items():
        mapping = definitions[name]
        for unfolded in _UNFOLDED:
            mapping["properties"].pop(unfolded, None)
        definitions[name] = {"title": mapping.get("title", name), "anyOf": [shorthand, mapping]}
    one = definitions["ModelWritten"]
    row = {"type": "array", "minItems": 1, "items": {"anyOf": list(one["anyOf"])}}
    definitions["ModelWritten"] = {**one, "anyOf": [*one["anyOf"], row]}
    del schema["description"]
    whole: dict[str, Any] = _in_the_standards_words(schema)
    return {"$schema": DIALECT, **whole, "title": "A meetctl roster"}


def _in_the_standards_words(node: Any) -> Any:
    """Returns the schema with bounds named as JSON Schema names them: around a validator, pydantic uses its own."""
    if isinstance(node, dict):
        return {_BOUNDS.get(key, key): _in_the_standards_words(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_in_the_standards_words(item) for item in node]
    return node
