"""What an agent can do beside talking: where its tools come from, and what is told of each call."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, SecretStr, field_serializer

from meetctl.protocol.values import Line, Model, UtteranceKind

APPROVAL_S = 60.0
"""How long a person has to allow a call; then it is refused."""
EVERY_TOOL = "*"
"""In `approve`: whichever tool it is."""
ACTIVITY_ATTRIBUTE = "mc.activity"
"""Participant attribute of an agent: the tools that it uses at this moment, "search, send"; empty = none."""


class OnInterrupt(StrEnum):
    """What becomes of a call whose turn a person ends."""

    FINISH = "finish"
    """It goes on, and what came of it is remembered."""
    CANCEL = "cancel"


class ToolSource(Model):
    """One entry of `tools:`: a process of ours, a server elsewhere, a Python file, or one of our own."""

    name: str
    """What people are told it is called."""
    command: tuple[str, ...] = ()
    url: str | None = None
    python: str | None = None
    """An absolute path."""
    builtin: str | None = None
    """One that meetctl has itself."""
    agent_class: str | None = None
    """Of the Python file: the Agent class that is the agent, whose tools these are."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    env: dict[str, SecretStr] = Field(default_factory=dict)
    """Of a process: laid over what every child has."""
    only: tuple[str, ...] | None = None
    """The tools that are offered; None = all that it has."""
    approve: tuple[str, ...] = ()
    """The tools that a person allows each time."""
    on_interrupt: OnInterrupt | None = None
    """None = `finish`, unless the tool says of itself that it only reads."""

    @field_serializer("headers", "env", when_used="json")
    def _reveal(self, values: dict[str, SecretStr]) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in values.items()}


class ToolRules(Model):
    """What an agent has in the way of tools, and how it uses them."""

    sources: tuple[ToolSource, ...] = ()
    folder: str = "."
    """The roster's: where its processes run."""
    environment: dict[str, str] = Field(default_factory=dict)
    """What every child of a meeting inherits."""
    secrets: tuple[SecretStr, ...] = ()
    """What no log and no transcript may show, beside the assignment's own."""
    max_steps: int = 5
    """How often in one turn a model may ask for tools."""
    timeout_s: float = 20.0
    """For one call."""
    filler: str | None = None
    """What the agent says where a tool takes its time; empty = nothing; None = words of its language."""
    language: str | None = None

    @field_serializer("secrets", when_used="json")
    def _reveal(self, secrets: tuple[SecretStr, ...]) -> list[str]:
        return [secret.get_secret_value() for secret in secrets]


class ToolState(StrEnum):
    """How far a call is."""

    ASKED = "asked"
    """A person is to allow it."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    """Nobody allowed it."""
    CANCELLED = "cancelled"
    """A person took the floor."""


class ToolCall(Model):
    """Up the wire: an agent uses a tool; told again under the same id whenever its state changes."""

    type: Literal["tool_call"] = "tool_call"
    id: str
    tool: str
    arguments: str
    """JSON, without secrets; shortened, unless somebody is asked."""
    state: ToolState
    at: float
    """Unix time, seconds, when it was asked for."""
    result: str | None = None
    """Shortened, without secrets; None while it runs."""
    seconds: float | None = None
    """How long it ran; None while it does."""
    decided_by: str | None = None
    """Who allowed or refused it; empty = nobody, in the time that there was; None = nobody was asked."""

    @property
    def is_open(self) -> bool:
        """Whether it runs, or somebody is to allow it."""
        return self.state in (ToolState.ASKED, ToolState.RUNNING)

    def line(self, identity: str, name: str) -> Line:
        """Returns what came of it as a line of the transcript, which that agent alone remembers."""
        outcome = "gave" if self.state is ToolState.DONE else self.state.value
        if self.decided_by is not None:
            by = self.decided_by or "nobody in time"
            outcome = f"{outcome} (decided by {by})"
        return Line(
            id=self.id,
            at=self.at,
            speaker=name,
            identity=identity,
            kind=UtteranceKind.TOOL,
            text=f"{self.tool} {self.arguments} → {outcome}: {self.result}",
            ended_at=self.at + (self.seconds or 0.0),
        )


class Decided(Model):
    """Down the wire: what a person decided about a call."""

    type: Literal["decided"] = "decided"
    call_id: str
    allowed: bool
    by: str
    """Who, as people are told; empty = nobody, in the time that there was."""


class ToolsFound(Model):
    """Up, to the doctor: what one source offers, or why it does not."""

    index: int
    """In the rules' sources."""
    seconds: float
    tools: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """What of a class is not used, in words."""
    fault: str | None = None
    hint: str | None = None
