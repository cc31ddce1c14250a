"""Every kind of fault that a meeting is put to: its name, whom it strikes, and how. The kinds register themselves."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .house import House


class Process(StrEnum):
    """What a meeting is made of."""

    ADA = "Ada"
    MAX = "Max"
    FLOOD = "Flood"
    """A command that knows nothing of meetings."""
    CHAIR = "Chair"
    LIVEKIT = "livekit-server"
    MODELS = "models"
    SIMLI = "simli-server"
    SUPERVISOR = "supervisor"
    GUARD = "guard"
    PRELOADER = "preloader"


AGENTS = (Process.ADA, Process.MAX)
SEATED = (*AGENTS, Process.FLOOD, Process.CHAIR, Process.LIVEKIT)
"""The seats of a meeting without an avatar; its models are the test's own."""
HELPERS = (Process.SUPERVISOR, Process.GUARD, Process.PRELOADER)
EVERYBODY = (*SEATED, *HELPERS, *HELPERS)
"""Helpers twice: nothing but these faults strikes them."""
AVATAR = (Process.ADA, Process.MODELS, Process.SIMLI, Process.CHAIR, Process.LIVEKIT)
"""Whom to strike in a meeting that has an avatar, and models of its own."""

Strike = Callable[["House", random.Random, Process | None], Awaitable[None]]
"""Injects the fault, and undoes what would not end by itself."""


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    strike: Strike
    targets: tuple[Process, ...] = ()
    """Whom it may strike; empty = it strikes no process in particular."""
    avatar_targets: tuple[Process, ...] = ()
    """The same in a meeting with an avatar; empty = it is not done there."""


KINDS: dict[str, Kind] = {}


def kind(name: str, *targets: Process, with_avatar: tuple[Process, ...] = ()) -> Callable[[Strike], Strike]:
    """Registers a kind of fault."""

    def register(strike: Strike) -> Strike:
        assert name not in KINDS, name
        KINDS[name] = Kind(name, strike, targets, with_avatar)
        return strike

    return register
