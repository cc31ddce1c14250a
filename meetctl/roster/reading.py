"""From a parsed document to the file's models, with every fault in the user's words. Reads no file, starts nothing.

One wrong key must not hide the next fault: it is noted, dropped, and the rest of its mapping is read again without it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from meetctl.roster.faults import Fault, KeyPath, nearest
from meetctl.roster.written import Written
from meetctl.roster.yaml_source import Document

M = TypeVar("M", bound=Written)
V = TypeVar("V")

_SHOWN_CHARACTERS = 40
_INTERNAL = frozenset({"local", "builtin"})
"""Fields that stand for a shorthand; nobody writes them as keys."""
_WANTED = {
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a number that is not infinite",
}


@dataclass(slots=True)
class Reading:
    """A document being read; faults gather here."""

    document: Document
    faults: list[Fault] = field(default_factory=list)

    def note(self, path: KeyPath, message: str, hint: str | None = None, *, around: bool = False) -> None:
        """Adds a fault at the path, or at the nearest thing around it that is in the file."""
        self.faults.append(Fault(self.document.place(path).line, path, message, hint, around=around))

    def path(self, written: str | None, where: KeyPath) -> Path | None:
        """Returns the path that is written, relative to the roster; None where none is or none can be."""
        if written is None:
            return None
        try:
            if "\0" in written:
                raise ValueError
            return self.document.base / Path(written).expanduser()
        except (RuntimeError, ValueError):  # `~nobody`
            self.note(where, "no path can be made of it", "write a path that starts at the roster, or with /")
            return None

    def made(self, make: Callable[[str], V], written: str | None, where: KeyPath, hint: str) -> V | None:
        """Returns what is made of the text; None where there is none, or `make` says what is wrong with it."""
        try:
            return None if written is None else make(written)
        except ValueError as error:
            self.note(where, str(error), hint)
            return None

    def read(self, model: type[M], value: object, path: KeyPath) -> tuple[M | None, frozenset[str]]:
        """Returns the mapping as the model, and its keys that were wrong and are therefore left out.

        The model is None where too much is wrong to go on.
        """
        wrong: frozenset[str] = frozenset()
        try:
            return model.model_validate(value), wrong
        except ValidationError as error:
            details = error.errors(include_url=False)
        for detail in details:
            self._translate(model, detail, path)
        if isinstance(value, dict):
            wrong = frozenset(str(detail["loc"][0]) for detail in details if detail["loc"])
            try:
                return model.model_validate({key: item for key, item in value.items() if key not in wrong}), wrong
            except ValidationError:
                pass  # a required key is what is wrong
        return None, wrong

    def _translate(self, model: type[Written], detail: ErrorDetails, root: KeyPath) -> None:
        local: KeyPath = tuple(detail["loc"])
        path = (*root, *local)
        kind = detail["type"]
        if kind not in ("missing", "extra_forbidden"):
            while path and path not in self.document.places:
                path = path[:-1]  # pydantic adds parts of its own: a union's branch, an unfolded shorthand
        if any(path[: len(fault.path)] == fault.path for fault in self.document.faults if fault.path):
            return  # its variable is not set or its tag is foreign: that is the fault
        parent = model_at(model, local[:-1])
        if kind == "extra_forbidden" and parent is not None:
            self.note(path, *_unknown_key(str(local[-1]), parent))
        elif kind == "missing":
            parts = path if path in self.document.places else path[:-1]
            inside = "an entry" if not parts else "it"
            self.note(path, "is missing", f"add {path[-1]}: … to {inside}" if local else None)
        else:
            own = model_at(model, local[:-1]) if local and isinstance(local[-1], str) else None
            info = own.model_fields.get(str(local[-1])) if own is not None else None
            self.note(path, *self._wrong_value(detail, path, info))

    def _wrong_value(self, detail: ErrorDetails, path: KeyPath, info: FieldInfo | None) -> tuple[str, str | None]:
        kind, context, value = detail["type"], detail.get("ctx", {}), detail.get("input")
        secret = info is not None and SecretStr in (info.annotation, *get_args(info.annotation))
        got = "" if secret and isinstance(value, str | int | float) else f", got {self._shown(value, path)}"
        if "hint" in context:
            return detail["msg"], str(context["hint"])
        if kind in ("literal_error", "enum"):
            choices = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
            like = nearest(value, choices) if isinstance(value, str) else None
            hint = f"did you mean {like}?" if like else f"write {choices[0]}"
            return f"must be {_any_of(choices)}{got}", hint
        if kind == "too_short":
            return "is empty", "add at least one item"
        if kind in ("greater_than_equal", "less_than_equal"):
            bound = "at least" if kind == "greater_than_equal" else "at most"
            limit = context.get("ge", context.get("le"))
            return f"must be {bound} {limit}{got}", f"write {limit}"
        if kind == "string_too_short":
            return "is empty", "write something, or leave the key out"
        if wanted := _WANTED.get(kind):
            return f"must be {wanted}{got}", self._rewritten(kind, path, value, secret=secret)
        return detail["msg"][:1].lower() + detail["msg"][1:] + got, None

    def _shown(self, value: object, path: KeyPath) -> str:
        """Returns a wrong value for the eye; of one made of variables, the writing, for they may hold a key."""
        if value is None:
            return "nothing"
        if isinstance(value, Mapping):
            return "a mapping"
        if isinstance(value, list):
            return "a list"
        written = self.document.place(path).written
        text = written if "$" in written or not isinstance(value, str) else value
        short = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
        return json.dumps(short, ensure_ascii=False) if isinstance(value, str) else short

    def _rewritten(self, kind: str, path: KeyPath, value: object, *, secret: bool) -> str | None:
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if kind == "string_type" and isinstance(value, bool | int | float):
            shown = "…" if secret else self._shown(value, path)
            return f'put quotes around it: "{shown}"'
        if kind == "list_type" and isinstance(value, str):
            return f"write {key}: [{', '.join(shlex.split(value) if _splits(value) else [value])}]"
        if kind in ("dict_type", "model_type", "model_attributes_type"):
            return f"write its keys below {key}:, indented" if key else "begin with agents:"
        return f"write {key}: …" if key else None


def model_at(model: type[BaseModel], path: Iterable[str | int]) -> type[BaseModel] | None:
    """Returns the model that describes the mapping at the path within a model."""
    current: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        info = current.model_fields.get(part) if current is not None else None
        current = _model_in(info.annotation) if info is not None else None
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _unknown_key(key: str, model: type[BaseModel]) -> tuple[str, str]:
    later: Mapping[str, str] = getattr(model, "LATER", {})
    if key in later:
        return "is not yet in this version of meetctl", later[key]
    known = [name for name in model.model_fields if name not in _INTERNAL]
    like = nearest(key, known)
    return "unknown key", f"did you mean {like}?" if like else f"known here: {', '.join(known)}"


def _any_of(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _splits(text: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False
