"""What a host may ask of a meeting from outside the room: the words of it. Values only."""

from __future__ import annotations

from enum import StrEnum

from meetctl.web.people import Invited

MAX_WORDS = 2000
"""Characters. LiveKit's RPC carries 15 kB to an agent, and four bytes a character is the most there are."""


class Directive(StrEnum):
    """One thing to ask; the words of the command line too."""

    SAY = "say"
    """That agent says these very words."""
    ASK = "ask"
    """That agent answers this."""
    TELL = "tell"
    """A fact for every agent; nobody answers it."""
    FLOOR = "floor"
    """That agent speaks next, of its own accord."""
    MUTE = "mute"
    """That agent is not given the floor, and falls silent now."""
    UNMUTE = "unmute"

    @property
    def has_words(self) -> bool:
        return self in (Directive.SAY, Directive.ASK, Directive.TELL)

    @property
    def has_agent(self) -> bool:
        return self is not Directive.TELL


class DirectRequest(Invited):
    """What the page sends for a host."""

    do: Directive | None = None
    """None = only look who is there."""
    agent: str = ""
    """Identity or name."""
    text: str = ""
