"""What an agent's avatar has cost, and which sessions run on although nobody is left to close them. Values only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from meetctl.protocol import AvatarSession


@dataclass(frozen=True, slots=True)
class AvatarAccount:
    """One seat's avatar sessions, over all its processes. `until` is Unix time in seconds; None = no limit was told."""

    spent: float = 0.0
    """Seconds that earlier processes used."""
    used: float | None = None
    """Seconds of this process; None = it told of none."""
    open: Mapping[str, float | None] = field(default_factory=dict)
    """Sessions of this process, and until when each runs at most."""
    left: Mapping[str, float | None] = field(default_factory=dict)
    """Sessions of processes that are gone."""

    @property
    def seconds(self) -> float | None:
        """All of it; None while no avatar was ever used."""
        return None if self.used is None and not self.spent else self.spent + (self.used or 0.0)

    def told(self, session: AvatarSession) -> AvatarAccount:
        """Returns the account after the process has opened or closed a session."""
        others = {key: until for key, until in self.open.items() if key != session.id}
        return replace(self, open={**others, session.id: session.until} if session.opened else others)

    def counted(self, seconds: float) -> AvatarAccount:
        """Returns the account after the process has told its running total."""
        return replace(self, used=seconds) if seconds or self.used is not None else self

    def exited(self) -> AvatarAccount:
        """Returns the account after the process is gone: what it had open, nobody closes any more."""
        return AvatarAccount(spent=self.spent + (self.used or 0.0), left={**self.left, **self.open})

    def runs_on_until(self, unix_now: float) -> float | None:
        """Returns until when the last session without a process runs, None where there is none (any more)."""
        running = [until for until in self.left.values() if until is not None and until > unix_now]
        return max(running, default=None)


def runs_on(until: float) -> str:
    """Returns the warning, in local time."""
    return f"an avatar session runs on until {time.strftime('%H:%M', time.localtime(until))}"
