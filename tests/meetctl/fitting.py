"""Judges a value as JSON Schema says, so that a schema can be held against what it describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
NOTES = {"title", "description", "default", "examples", "format", "writeOnly", "$defs", "$schema"}


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Judges by the words that our schemas use; a word it does not know is an error."""
    return _Judge(schema.get("$defs", {})).fits(value, schema)


class _Judge:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def fits(self, value: Any, schema: Any) -> bool:
        if schema is True:
            return True
        return all(self._fits(word, bound, value, schema) for word, bound in schema.items() if word not in NOTES)

    def _fits(self, word: str, bound: Any, value: Any, schema: Mapping[str, Any]) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        match word:
            case "$ref":
                return self.fits(value, self._definitions[bound.rsplit("/", 1)[1]])
            case "anyOf" | "oneOf":
                return any(self.fits(value, choice) for choice in bound)
            case "type":
                return isinstance(value, TYPES[bound]) and (bound == "boolean") == isinstance(value, bool)
            case "const":
                return bool(value == bound)
            case "enum":
                return value in bound
            case "properties":
                known = {key: item for key, item in value.items() if key in bound} if isinstance(value, dict) else {}
                return all(self.fits(item, bound[key]) for key, item in known.items())
            case "additionalProperties":
                mapping = value if isinstance(value, dict) else {}
                known = schema.get("properties", {})
                patterns = schema.get("patternProperties", {})
                others = [
                    item
                    for key, item in mapping.items()
                    if key not in known and not any(re.search(pattern, key) for pattern in patterns)
                ]
                return all(bound is not False and self.fits(item, bound) for item in others)
            case "patternProperties":
                mapping = value if isinstance(value, dict) else {}
                return all(
                    self.fits(item, inner)
                    for key, item in mapping.items()
                    for pattern, inner in bound.items()
                    if re.search(pattern, key)
                )
            case "minProperties":
                return not isinstance(value, dict) or len(value) >= bound
            case "required":
                return not isinstance(value, dict) or all(key in value for key in bound)
            case "items":
                return not isinstance(value, list) or all(self.fits(item, bound) for item in value)
            case "minItems":
                return not isinstance(value, list) or len(value) >= bound
            case "minLength":
                return not isinstance(value, str) or len(value) >= bound
            case "maxLength":
                return not isinstance(value, str) or len(value) <= bound
            case "minimum":
                return not is_number or value >= bound
            case "maximum":
                return not is_number or value <= bound
            case "pattern":
                return not isinstance(value, str) or re.search(bound, value) is not None
            case _:
                raise AssertionError(f"the schema uses {word!r}, which JSON Schema or this test does not know")
