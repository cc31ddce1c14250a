"""When a step of a scenario is over. Pure: what is heard and known goes in with the time, a decision comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meetctl.protocol.rehearsal import Act, ScriptedStep

SETTLED_S = 0.7
"""Of silence after an awaited answer: longer than a voice pauses between two sentences."""
UNASKED_S = 2.5
"""Of silence where no answer is awaited: whoever is to answer has begun to think long before."""
UNDERSTOOD_S = 12.0
"""For the person's words to be transcribed; half a second on an idle machine."""
INSTEAD_S = 8.0
"""Of silence after somebody else answered in place of who is awaited: nobody thinks any more, so nobody will."""
LONGEST_S = 90.0
"""After the act, whatever is going on: an agent that never stops must not hold up a rehearsal for ever."""
INTERRUPT_AFTER_S = 0.8
"""Of an agent's sound before somebody speaks over it."""

BUSY = ("thinking", "speaking")
"""LiveKit's agent states in which sound is on its way."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the ear knows at one moment."""

    sounding_since: Mapping[str, float]
    """Agents that are heard right now."""
    last_sound: Mapping[str, float]
    """When each agent was last heard."""
    first_sound_after: Mapping[str, float]
    """Agents that began after the act, and when."""
    states: Mapping[str, str]
    """`lk.agent.state` of those agents that tell it and are in the room."""
    busy_until: float
    """When an agent was last seen busy; now, if one is."""
    understood_at: float | None
    """When the chair had put down the person's words."""


def is_over(step: ScriptedStep, acted_at: float, hearing: Hearing, now: float) -> bool:
    """Returns whether the next step may begin. `acted_at`: the person's last sound, or when the act was done."""
    if step.hands_over and hearing.sounding_since:
        return True
    if now - acted_at > LONGEST_S:
        return True
    if step.act is Act.WAITS:
        return now - acted_at >= step.seconds
    quiet_since = max(acted_at, hearing.busy_until, *hearing.last_sound.values())
    if hearing.sounding_since:
        return False
    if step.awaits or step.hands_over:
        lacking = set(step.awaits) - set(hearing.first_sound_after)
        if not lacking and not step.hands_over:
            return now - quiet_since >= SETTLED_S
        if hearing.first_sound_after and now - quiet_since >= INSTEAD_S:
            return True
        last_start = max((acted_at, *hearing.first_sound_after.values()))
        return now - last_start >= step.patience_s and now - quiet_since >= SETTLED_S
    if step.act is Act.SAYS:
        if hearing.understood_at is None and now - acted_at < UNDERSTOOD_S:
            return False
        quiet_since = max(quiet_since, hearing.understood_at or 0.0)
    elif step.act is not Act.WRITES:
        return True
    return now - quiet_since >= UNASKED_S


def may_interrupt(hearing: Hearing, now: float) -> bool:
    """Returns whether an agent has been heard for long enough to be spoken over."""
    return any(now - since >= INTERRUPT_AFTER_S for since in hearing.sounding_since.values())
