"""A scenario as the rest of a rehearsal sees it: people and agents found, durations in seconds. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meetctl.protocol.rehearsal import Act
from meetctl.roster import Roster


@dataclass(frozen=True, slots=True)
class PlayedPerson:
    """Somebody who will be played."""

    name: str
    identity: str
    """Of the first time of joining; the second is `sam-2`."""
    voice: str
    here: bool
    """Whether in the room from the start: true unless the first step about them is that they join."""


@dataclass(frozen=True, slots=True)
class TextTest:
    """What words must be like; at least one of the two is given."""

    contains: str | None = None
    """Upper and lower case are the same."""
    matches: str | None = None
    """A regular expression, to be found anywhere."""


@dataclass(frozen=True, slots=True)
class ToolTest:
    """A tool that is to be used."""

    called: str
    times: int | None = None
    """None = at least once."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must follow one step. Agents are identities."""

    answers: tuple[str, ...] = ()
    """All of them must be heard after the step."""
    silent: tuple[str, ...] = ()
    """None of them may be heard from its beginning on."""
    within_s: float | None = None
    """From the person's last sound to the first agent's first."""
    silent_within_s: float | None = None
    """From the person's first sound to the last sound of the agent that is interrupted."""
    said: TextTest | None = None
    """Of what the agents say."""
    understood: TextTest | None = None
    """Of what the chair understood of the person."""
    tools: ToolTest | None = None
    """Of what agents used in the step."""


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One step."""

    line: int
    """In the scenario file."""
    act: Act
    person: str | None = None
    """Name."""
    text: str = ""
    seconds: float = 0.0
    target: str | None = None
    """Of a kill: the identity of an agent, or the chair's."""
    while_speaking: bool = False
    expect: Expectation | None = None


@dataclass(frozen=True, slots=True)
class LineTest:
    """A line that the transcript must hold."""

    line: int
    said: TextTest
    speaker: str | None = None
    """Name of a person or an agent; None = anybody."""


@dataclass(frozen=True, slots=True)
class MeetingExpectation:
    """What must hold of the whole meeting."""

    line: int
    overlap_below_s: float | None = None
    """Of the longest time that two agents are heard at once."""
    p50_below_s: float | None = None
    """Of the latencies of all answered turns; likewise p95."""
    p95_below_s: float | None = None
    transcript: tuple[LineTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A rehearsal before it runs."""

    file: Path
    roster: Roster
    people: tuple[PlayedPerson, ...]
    steps: tuple[ScenarioStep, ...]
    expect: MeetingExpectation | None = None

    def name_of(self, identity: str) -> str:
        """Returns the agent's name."""
        return next((entry.name for entry in self.roster.agents if entry.identity == identity), identity)
