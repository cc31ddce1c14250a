"""Warns of what keeps people from being heard or understood, and tells them: names alike, no place, too much chat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from livekit import rtc

from meetctl.protocol import Warn
from meetctl.protocol.likeness import sounds_like, told_apart

from ..process.wire import Report
from ..room.chat import BURST
from .people import People

SOUNDS_LIKE = "{name} sounds like {agent}, an agent here: join by another name if it answers what is said to you."
NOT_HEARD = "Your microphone is not heard: too many people have one. You are read if you write here."


class Notices:
    """Tells of each pair of names once.

    Args:
        tell: tells a person, by identity.
    """

    def __init__(self, report: Report, people: People, tell: Callable[[str, str], None]) -> None:
        self._report = report
        self._people = people
        self._tell = tell
        self._alike: set[tuple[str, str]] = set()

    def of_agents(self, names: Sequence[str]) -> None:
        """Warns of agents' names that cannot be told apart by ear."""
        for number, name in enumerate(names):
            self._sounding_like(name, names[number + 1 :])

    def of_person(self, identity: str, name: str, agents: Iterable[str]) -> None:
        """Warns of a person's name that cannot be told from an agent's, and tells them."""
        alike = self._sounding_like(name, agents)
        if alike is not None:
            self._tell(identity, SOUNDS_LIKE.format(name=name, agent=alike))

    def left_out(self, participant: rtc.RemoteParticipant, most: int) -> None:
        """Takes that somebody's microphone is not heard, for `most` others' are."""
        name = self._people.name_of(participant.identity, participant.name)
        hint = "they can write in the chat, or somebody else switches a microphone off and leaves them the place"
        self._report(Warn(message=f"the microphone of {name!r} is not heard: {most} are, and no more", hint=hint))
        self._tell(participant.identity, NOT_HEARD)

    def flooded(self, identity: str) -> None:
        """Takes that somebody writes more than is read."""
        name = self._people.name_of(identity, identity)
        hint = f"of each person at most {BURST} messages are read at once, then one a second"
        self._report(Warn(message=f"{name!r} writes too much in the chat: some of it is not read", hint=hint))

    def _sounding_like(self, name: str, others: Iterable[str]) -> str | None:
        alike = sounds_like(name, (other for other in others if other != name))
        if alike is not None and (name, alike) not in self._alike:
            self._alike.add((name, alike))
            self._report(Warn(message=told_apart(name, alike), hint="one of them is better called by another name"))
        return alike
