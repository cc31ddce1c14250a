"""Direction from outside the room: say, ask, tell, floor, mute. Checks what is asked and hands it to the chair.

The chair decides when it happens: a person who speaks is never interrupted, whoever asks. Who is muted is remembered
here, because a chair that comes back would not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from meetctl.errors import ConflictError, NotRunningError, UsageError
from meetctl.meeting.cast import Cast
from meetctl.programs.room_access import CHAIR_IDENTITY
from meetctl.protocol import Ask, GiveFloor, Model, Mute, Ready, Say, Speaks, Tell
from meetctl.protocol.lines import printable
from meetctl.roster import AgentEntry, Program
from meetctl.supervisor.events import ChildMessage, SeatEvent, SeatRemoved
from meetctl.supervisor.supervisor import Supervisor
from meetctl.supervisor.tasks import begun
from meetctl.web.direction import MAX_WORDS, Directive


class Direction:
    """Carries out what a host, or the command line, asks for."""

    def __init__(self, supervisor: Supervisor, cast: Cast, room: str) -> None:
        self._supervisor = supervisor
        self._cast = cast
        self._room = room
        self._muted: set[str] = set()
        self._telling_again: asyncio.Task[None] | None = None

    @property
    def muted(self) -> frozenset[str]:
        """Returns the identities of those who are muted."""
        return frozenset(self._muted)

    async def direct(self, do: Directive, agent: str = "", text: str = "") -> Mapping[str, Any]:
        """Hands one directive to the chair; returns whom it concerns.

        Raises:
            UsageError: if there is no such agent, it cannot do that, or the words are none or too many.
            ConflictError: if the chair is somebody else's.
            NotRunningError: if the chair or the agent is not there to hear it.
        """
        words = _checked(text) if do.has_words else ""
        if not do.has_agent:
            await self._send(Tell(text=words))
            return {"do": do.value}
        entry = self._entry(agent, do)
        match do:
            case Directive.SAY:
                await self._send(Say(identity=entry.identity, text=words))
            case Directive.ASK:
                await self._send(Ask(identity=entry.identity, text=words))
            case Directive.FLOOR:
                await self._send(GiveFloor(identity=entry.identity))
            case Directive.MUTE:
                await self._send(Mute(identity=entry.identity))
                self._muted.add(entry.identity)
            case Directive.UNMUTE:
                await self._send(Mute(identity=entry.identity, muted=False))
                self._muted.discard(entry.identity)
        return {"do": do.value, "identity": entry.identity, "name": entry.name}

    def knows(self, word: str) -> bool:
        """Returns whether an agent has that name or identity."""
        return self._find(word) is not None

    def view(self) -> Mapping[str, Any]:
        """Returns what a host sees of the agents on the page."""
        state = self._supervisor.state
        agents = [
            {
                "identity": entry.identity,
                "name": entry.name,
                "state": state.seats[entry.identity].state.value,
                "muted": entry.identity in self._muted,
                "can_speak": entry.program is not Program.COMMAND and entry.speaks is not Speaks.NEVER,
            }
            for entry in self._cast.entries.values()
        ]
        return {"floor": state.floor_holder, "agents": agents}

    def observe(self, event: SeatEvent) -> None:
        """Tells a chair that has come back who is muted, and forgets who has left."""
        match event:
            case ChildMessage(seat=seat, event=Ready()) if seat == CHAIR_IDENTITY and self._muted:
                self._telling_again = begun(self._tell_muted(), "tell a chair that came back who is muted")
            case SeatRemoved(seat=seat):
                self._muted.discard(seat)
            case _:
                pass

    async def aclose(self) -> None:
        if self._telling_again is not None:
            self._telling_again.cancel()
            await asyncio.gather(self._telling_again, return_exceptions=True)

    async def _tell_muted(self) -> None:
        for identity in sorted(self._muted):
            await self._supervisor.send(CHAIR_IDENTITY, Mute(identity=identity))

    async def _send(self, message: Model) -> None:
        if not self._cast.own_chair:
            raise ConflictError(
                f"the floor of {self._room} is kept by another meetctl, whose chair was there first",
                hint="ask for it where that meeting was started",
            )
        chair = self._supervisor.state.seats[CHAIR_IDENTITY]
        # Before it is ready it may not have its assignment yet, and what it reads first has to be that.
        if not chair.ready or not await self._supervisor.send(CHAIR_IDENTITY, message):
            raise NotRunningError(
                f"the chair of {self._room} is {chair.state.value}, so nobody gives the floor",
                hint=f"try again when it is running: meetctl status {self._room}",
            )

    def _entry(self, word: str, do: Directive) -> AgentEntry:
        entry = self._named(word)
        if entry.program is Program.COMMAND:
            raise UsageError(
                f"{entry.name} is a program of its own and outside the floor: it cannot be told to {do.value}",
                hint=f"name {_any_of(self._floor_names()) or 'an agent with agent: simli or agent: audio'}",
            )
        if do in (Directive.MUTE, Directive.UNMUTE):
            return entry
        if entry.speaks is Speaks.NEVER:
            raise UsageError(f"{entry.name} never speaks (speaks: never)", hint="change that in the roster")
        if entry.identity in self._muted:
            raise UsageError(f"{entry.name} is muted", hint=f"meetctl unmute {entry.name} --room {self._room}")
        seat = self._supervisor.state.seats[entry.identity]
        if not seat.ready:
            raise NotRunningError(f"{entry.name} is not ready: {seat.state.value}", hint=f"meetctl status {self._room}")
        return entry

    def _named(self, word: str) -> AgentEntry:
        if (entry := self._find(word)) is not None:
            return entry
        names = [entry.name for entry in self._cast.entries.values()]
        raise UsageError(
            f"no agent of {self._room} is named {word!r}; there is {', '.join(names) or 'none'}",
            hint=f"meetctl status {self._room}",
        )

    def _find(self, word: str) -> AgentEntry | None:
        entries, wanted = self._cast.entries.values(), word.casefold()
        return next((entry for entry in entries if wanted in (entry.identity.casefold(), entry.name.casefold())), None)

    def _floor_names(self) -> Sequence[str]:
        return [entry.name for entry in self._cast.entries.values() if entry.program is not Program.COMMAND]


def _checked(text: str) -> str:
    words = printable(text)
    if not words:
        raise UsageError("there are no words to pass on", hint='put them in quotes: meetctl say Ada "Welcome."')
    if len(words) > MAX_WORDS:
        raise UsageError(f"that is {len(words)} characters, and {MAX_WORDS} is the most", hint="say it in parts")
    return words


def _any_of(names: Sequence[str]) -> str:
    return " or ".join(names)
