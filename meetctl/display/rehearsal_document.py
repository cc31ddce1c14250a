"""The outcome of a rehearsal, version 1, as types: what `meetctl rehearse --json` prints and the table is drawn from.

Keys are only ever added. Values only.
"""

from __future__ import annotations

from pydantic import Field

from meetctl.status.document import SCHEMA_VERSION, Shown


class Check(Shown):
    """One expectation, and what came of it."""

    what: str
    """`Ada answers`, `within 5 s`, …"""
    passed: bool
    got: str
    """What was seen, in words."""
    line: int
    """In the scenario file."""


class AnswerHeard(Shown):
    """One agent, in one step."""

    agent: str
    latency_ms: float | None = None
    """From the person's last sound to the agent's first; null where nobody spoke."""
    sound_ms: float = 0.0
    """How long it was heard."""
    text: str = ""
    """Its captions."""


class StepOutcome(Shown):
    step: int
    """From 1."""
    line: int
    what: str
    """`Sam says`, `Eve leaves`, `wait 2 s`."""
    text: str = ""
    understood: str = ""
    """What the chair made of the text; empty where it was not spoken."""
    answers: tuple[AnswerHeard, ...] = ()
    """In the order in which they were first heard."""
    silent_after_ms: float | None = None
    """Of an interruption: from the person's first sound to the agent's last."""
    stages_ms: dict[str, float] = Field({})
    """The chair's own account of the turn."""
    tools: tuple[str, ...] = ()
    """The names of the tools that agents used, in their order, each as often as it was."""
    missed: str | None = None
    """Why the step could not be played."""
    checks: tuple[Check, ...] = ()


class Latencies(Shown):
    """Of all answers to something that was said aloud, milliseconds."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    max: float | None = None


class RehearsalDocument(Shown):
    schema_version: int = SCHEMA_VERSION
    scenario: str
    room: str
    passed: bool
    seconds: float
    """Of the play."""
    logs: str | None = None
    """Where logs and transcript are; null where they were thrown away."""
    steps: tuple[StepOutcome, ...]
    checks: tuple[Check, ...] = ()
    """Those of the whole meeting."""
    latency_ms: Latencies = Latencies()
    longest_overlap_ms: float = 0.0
    """Of two agents."""
    restarts: dict[str, int] = Field({})
    """Seats whose process ended before its time, and how often."""

    @property
    def failed(self) -> tuple[Check, ...]:
        """Returns what did not hold, in the order of the file."""
        everything = [check for step in self.steps for check in step.checks] + list(self.checks)
        return tuple(check for check in everything if not check.passed)
