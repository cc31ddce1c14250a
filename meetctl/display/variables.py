"""Where a roster's variables come from, in words and as a document. Pure; never a value, not even its length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meetctl.protocol.secrets import MASK
from meetctl.roster import Origin, shown


def as_lines(origins: Iterable[Origin]) -> list[str]:
    """Returns a line for each variable: whose it is, its name, and where it comes from."""
    rows = [(f"{one.agent}: {one.name}" if one.agent else one.name, MASK if one.is_set else "", one) for one in origins]
    width = max((len(name) for name, _, _ in rows), default=0)
    return [f"{name:{width}}  {mask:{len(MASK)}}  {_where(origin)}" for name, mask, origin in rows]


def as_documents(origins: Iterable[Origin]) -> list[dict[str, Any]]:
    """Returns the same for scripts; `from` is shell, env_file, default, roster, or null where it is not set."""
    return [
        {
            "name": one.name,
            "agent": one.agent,
            "from": one.kind,
            "file": str(one.file) if one.file is not None else None,
            "line": one.line,
        }
        for one in origins
    ]


def _where(origin: Origin) -> str:
    if origin.kind is None:
        return "not set"
    if origin.kind == "shell":
        return "the shell's environment"
    place = f"{shown(origin.file)}:{origin.line}" if origin.file is not None else ""
    return f"default in {place}" if origin.kind == "default" else place
