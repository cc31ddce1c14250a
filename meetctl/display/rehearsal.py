"""Draws the outcome of a rehearsal: the turns, what failed, the figures. Pure: a document in, a renderable out."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from meetctl.display.rehearsal_document import Check, RehearsalDocument, StepOutcome
from meetctl.display.words import MISSING

PASSED, FAILED = "✓", "✗"


def render_rehearsal(document: RehearsalDocument) -> RenderableType:
    """Returns all of it, as wide as the screen."""
    return Group(_turns(document), *(Text(line) for line in summary(document)))


def summary(document: RehearsalDocument) -> Iterator[str]:
    """Yields what failed, one expectation a line, and then the figures."""
    for step in document.steps:
        for check in step.checks:
            if not check.passed:
                yield _failure(document, check, f"step {step.step}, {step.what}")
    for check in document.checks:
        if not check.passed:
            yield _failure(document, check, "the whole meeting")
    for name, count in document.restarts.items():
        yield f"{name} was restarted {count} times" if count > 1 else f"{name} was restarted once"
    yield _figures(document)


def progress_line(number: int, of: int, step: str, text: str) -> str:
    """Returns a line for the step that begins."""
    return f"{number}/{of} {step}" + (f": {text}" if text else "")


def _turns(document: RehearsalDocument) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("step", ratio=3, overflow="fold")
    table.add_column("answered by", no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("with", ratio=4, overflow="fold")
    table.add_column("", no_wrap=True)
    for step in document.steps:
        table.add_row(*_row(step))
    return table


def _row(step: StepOutcome) -> tuple[Text, ...]:
    failed = step.missed is not None or any(not check.passed for check in step.checks)
    mark = Text(FAILED, style="bold red") if failed else Text(PASSED if step.checks else "", style="green")
    latencies = [_milliseconds(answer.latency_ms) for answer in step.answers]
    if step.silent_after_ms is not None:
        latencies.insert(0, f"silent {_milliseconds(step.silent_after_ms)}")
    return (
        Text(str(step.step)),
        Text(f"{step.what}: {step.text}" if step.text else step.what),
        Text("\n".join(answer.agent for answer in step.answers) or MISSING),
        Text("\n".join(latencies) or MISSING),
        Text("\n".join(answer.text for answer in step.answers)),
        mark,
    )


def _failure(document: RehearsalDocument, check: Check, where: str) -> str:
    return f"{FAILED} {document.scenario}:{check.line}: {where}: {check.what}; got: {check.got}"


def _figures(document: RehearsalDocument) -> str:
    everything = [check for step in document.steps for check in step.checks] + list(document.checks)
    held = len(everything) - len(document.failed)
    parts = [f"{held} of {len(everything)} expectations held", f"{document.seconds:.0f} s"]
    latency = document.latency_ms
    if latency.count:
        middle, late = _milliseconds(latency.p50), _milliseconds(latency.p95)
        count = "1 answer" if latency.count == 1 else f"{latency.count} answers"
        parts.append(f"{count} after {middle} (p50), {late} (p95)")
    parts.append(f"longest overlap {_milliseconds(document.longest_overlap_ms)}")
    return "; ".join(parts)


def _milliseconds(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.2f} s"
