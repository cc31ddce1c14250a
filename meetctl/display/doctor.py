"""The doctor's findings in words: a line each, the grave ones last, where people look. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from meetctl.doctor.findings import Finding, Level

_ORDER = (Level.OK, Level.WARNING, Level.FAILURE)
_WIDTH = max(len(level) for level in Level)


def lines(findings: Iterable[Finding]) -> list[str]:
    """Returns a line for each finding and one for what to do about it, then the sum."""
    found = sorted(findings, key=lambda finding: _ORDER.index(finding.level))
    told = []
    for finding in found:
        told.append(f"{finding.level:{_WIDTH}}  {finding.check}: {finding.message}")
        if finding.hint is not None:
            told.append(f"{'':{_WIDTH}}  → {finding.hint}")
    return [*told, _sum(found)]


def _sum(found: list[Finding]) -> str:
    counts = {level: sum(finding.level is level for finding in found) for level in Level}
    if counts[Level.FAILURE]:
        failures, warnings = counted(counts[Level.FAILURE], "failure"), counted(counts[Level.WARNING], "warning")
        return f"{failures}, {warnings}: a meeting will not work before each failure is repaired"
    if counts[Level.WARNING]:
        return f"{counted(counts[Level.WARNING], 'warning')}: a meeting will work"
    return "everything is in order: a meeting will work"


def counted(number: int, noun: str) -> str:
    """Returns `1 failure`, `2 failures`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
