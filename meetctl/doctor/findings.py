"""What the doctor measured and what it made of it. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """A meeting will work, with less or later."""
    FAILURE = "failure"
    """A meeting will not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    check: str
    level: Level
    message: str
    hint: str | None = None
    """What to do; None where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A try to open one: what it was for, where, and what the system said if it did not let us."""

    what: str
    address: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface that is up, with one of its addresses."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy of the environment: its variable, where it is, without what may be secret in it, and its fault."""

    variable: str
    address: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a web server answered, or why it did not."""

    status: int = 0
    body: str = ""
    skew_s: float | None = None
    """How far the server's clock is ahead of ours, by its Date header; None = it told none."""
    error: str | None = None


def ok(check: str, message: str) -> Finding:
    return Finding(check, Level.OK, message)


def warning(check: str, message: str, hint: str) -> Finding:
    return Finding(check, Level.WARNING, message, hint)


def failure(check: str, message: str, hint: str) -> Finding:
    return Finding(check, Level.FAILURE, message, hint)


def document(findings: Iterable[Finding]) -> dict[str, Any]:
    """Returns the findings for `--json`; `ok` is false where one is a failure."""
    found = [{**asdict(finding), "level": finding.level.value} for finding in findings]
    good = all(finding["level"] != Level.FAILURE for finding in found)
    return {"schema_version": SCHEMA_VERSION, "ok": good, "findings": found}
