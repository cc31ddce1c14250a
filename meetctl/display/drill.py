"""A drill in words: a line for each thing that happens, and the table at its end. Pure: values in, texts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

GAP = "  "
MAX_WORDS = 60
"""Characters of what broke; the whole of it is in `--json`."""
HEAD = ("WHO", "BROKE AFTER", "REPAIR TOOK", "WHAT BROKE")


def line(item: Mapping[str, Any]) -> str:
    """Returns what just happened."""
    match item["kind"]:
        case "began":
            return f"{item['signal']} to {item['seat']} (pid {item['pid']})"
        case "released":
            return f"resumed after {item['after_s']:.1f} s"
        case "broke":
            return f"{item['name']}: {item['what']}"
        case "repaired":
            return f"{item['name']}: recovered after {item['repair_s']:.2f} s"
        case kind:
            return str(kind)


def table(result: Mapping[str, Any]) -> list[str]:
    """Returns the result, one row for each seat that broke, and whether everything recovered."""
    rows = [HEAD, *(_row(found) for found in result["breaks"])] if result["breaks"] else []
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD) - 1)] if rows else []
    lines = [_aligned(row, widths) for row in rows]
    return [*lines, _verdict(result)]


def _verdict(result: Mapping[str, Any]) -> str:
    what = f"{result['fault']} of {result['seat']} in {result['room']}"
    if not result["breaks"]:
        return f"{what}: nothing broke that anybody would notice"
    if result["repaired"]:
        slowest = max(found["back_after_s"] for found in result["breaks"])
        return f"{what}: everything had recovered {slowest:.2f} s after the fault"
    broken = ", ".join(found["name"] for found in result["breaks"] if found["repair_s"] is None)
    return f"{what}: still broken after {result['seconds']:.0f} s: {broken}"


def _row(found: Mapping[str, Any]) -> tuple[str, str, str, str]:
    repair = "not repaired" if found["repair_s"] is None else f"{found['repair_s']:.2f} s"
    what = found["what"] if len(found["what"]) <= MAX_WORDS else found["what"][: MAX_WORDS - 1] + "…"
    return found["name"], f"{found['broke_after_s']:.2f} s", repair, what


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    figures = (text.rjust(width) for text, width in zip(row[1:-1], widths[1:], strict=True))
    return GAP.join((row[0].ljust(widths[0]), *figures, row[-1]))
