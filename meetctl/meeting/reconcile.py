"""What has to be done to a running meeting so that it is what a roster says. Pure: decides, does nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from meetctl.errors import ConflictError
from meetctl.roster import AgentEntry, Program, Roster

WHEN_SOMEBODY_JOINS = frozenset({"llm", "tts"})
"""The defaults: every entry holds its own already, so these touch nobody who is there."""
IN_THE_CHAIR = frozenset({"stt", "rules", "judge"})
"""What the chair alone is told; it is started again with it."""
AT_ONCE = frozenset({"max_duration_s", "idle_timeout_s", "admit"})
"""What the meeting itself looks at."""
IN_EVERY_ASSIGNMENT = frozenset({"topic"})
"""What every built-in agent was told, so each is replaced."""
_NEVER = frozenset({"file", "env_file", "streams", "agents"})
"""Where the roster was read from is no part of the meeting; the agents are compared one by one."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """An agent whose entry is another now."""

    entry: AgentEntry
    because: tuple[str, ...]
    """The names of what changed; never values, those may be secret."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is touched; everybody in `unchanged` keeps their process."""

    added: tuple[AgentEntry, ...] = ()
    removed: tuple[AgentEntry, ...] = ()
    replaced: tuple[Replaced, ...] = ()
    unchanged: tuple[AgentEntry, ...] = ()
    settings: tuple[str, ...] = ()
    """What of the meeting itself changes."""
    restarts_chair: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.replaced or self.settings)

    def as_dict(self) -> dict[str, Any]:
        """Returns it for `--json` and for the screen."""
        return {
            "added": [_named(entry) for entry in self.added],
            "removed": [_named(entry) for entry in self.removed],
            "replaced": [_named(change.entry) | {"because": list(change.because)} for change in self.replaced],
            "unchanged": [_named(entry) for entry in self.unchanged],
            "settings": list(self.settings),
            "restarts_chair": self.restarts_chair,
        }


def plan(before: Roster, after: Roster, *, joined: Collection[str] = ()) -> Plan:
    """Returns what makes the one of the other.

    Args:
        before: as the meeting runs now, its agents those that are seated.
        joined: identities that came by `join`: they are not the roster's to remove, unless it names them now.

    Raises:
        ConflictError: naming everything that cannot change while the meeting runs.
    """
    settings = tuple(_changed(before, after, _NEVER))
    stuck = [
        name for name in settings if name not in WHEN_SOMEBODY_JOINS | AT_ONCE | IN_THE_CHAIR | IN_EVERY_ASSIGNMENT
    ]
    if stuck:
        raise ConflictError(
            f"cannot change while {before.room} runs: {', '.join(stuck)}",
            hint=f"meetctl down {before.room}, then up again",
        )
    seated = {entry.identity: entry for entry in before.agents}
    named = {entry.identity for entry in after.agents}
    staying = [entry for entry in before.agents if entry.identity in joined and entry.identity not in named]
    _refuse_names_taken(after, staying)
    everybody = tuple(name for name in settings if name in IN_EVERY_ASSIGNMENT)
    replaced, unchanged = [], []
    for entry in after.agents:
        if (old := seated.get(entry.identity)) is None:
            continue
        told = () if entry.program is Program.COMMAND else everybody
        because = (*_changed(old, entry), *told)
        if because:
            replaced.append(Replaced(entry, because))
        else:
            unchanged.append(entry)
    for entry in staying:
        if everybody and entry.program is not Program.COMMAND:
            replaced.append(Replaced(entry, everybody))
        else:
            unchanged.append(entry)
    return Plan(
        added=tuple(entry for entry in after.agents if entry.identity not in seated),
        removed=tuple(entry for entry in before.agents if entry.identity not in named and entry not in staying),
        replaced=tuple(replaced),
        unchanged=tuple(unchanged),
        settings=settings,
        restarts_chair=any(name in IN_THE_CHAIR for name in settings) or before.moderator != after.moderator,
    )


def _changed(before: Roster | AgentEntry, after: Roster | AgentEntry, skipped: Collection[str] = ()) -> Iterator[str]:
    for name in type(before).model_fields:
        if name not in skipped and getattr(before, name) != getattr(after, name):
            yield name


def _refuse_names_taken(after: Roster, staying: Collection[AgentEntry]) -> None:
    taken = {entry.name.casefold(): entry for entry in staying}
    for entry in after.agents:
        if (other := taken.get(entry.name.casefold())) is not None:
            raise ConflictError(
                f"{entry.name} is in the meeting already: it joined as {other.identity}, and names are how agents are"
                " addressed",
                hint=f"meetctl leave {other.identity} --room {after.room}",
            )


def _named(entry: AgentEntry) -> dict[str, Any]:
    return {"name": entry.name, "identity": entry.identity, "program": entry.program.value}
