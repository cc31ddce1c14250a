"""What agents tell the chair and ask of it: what they will say and have said, who is to answer, the floor for more."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from livekit import rtc

from meetctl.protocol import (
    DRAFT,
    HAND_OVER,
    RELEASE,
    WANT,
    Draft,
    HandOver,
    Line,
    Release,
    TurnLatency,
    UtteranceKind,
    Want,
)

from ..floor.addressing.listening import Addressing
from ..floor.control import FloorControl
from ..floor.events import Directed, HandedOver, Overheard, PlaybackStarted, Released
from ..floor.state import may_speak
from ..floor.turn_clock import TurnClock
from ..hearing.echo import EchoGuard
from ..process.wire import Report
from ..room.methods import serve
from .agent_turns import AgentTurns
from .cast import Cast
from .lines import Lines, Utterances


class AgentCalls:
    """Serves the methods of agents that are behind the floor.

    Args:
        utterances: told that an agent was heard in between.
        book: told each line that an agent has said.
        clock: of the stages of each turn.
        now: Unix time, seconds.
    """

    def __init__(
        self,
        room: rtc.Room,
        *,
        cast: Cast,
        control: FloorControl,
        lines: Lines,
        utterances: Utterances,
        addressing: Addressing,
        echo: EchoGuard,
        clock: TurnClock,
        report: Report,
        book: Callable[[Line], None],
        now: Callable[[], float],
    ) -> None:
        self._room = room
        self._cast = cast
        self._control = control
        self._lines = lines
        self._utterances = utterances
        self._addressing = addressing
        self._echo = echo
        self._clock = clock
        self._report = report
        self._book = book
        self._now = now
        self._turns = AgentTurns()

    def serve(self) -> None:
        """Answers agents from now on."""
        serve(self._room, RELEASE, Release, self._cast.has, self._on_release)
        serve(self._room, DRAFT, Draft, self._cast.has, self._on_draft)
        serve(self._room, HAND_OVER, HandOver, self._cast.has, self._on_hand_over)
        serve(self._room, WANT, Want, self._cast.has, self._on_want)

    def close(self) -> None:
        """Answers them no more."""
        for method in (RELEASE, DRAFT, HAND_OVER, WANT):
            self._room.local_participant.unregister_rpc_method(method)

    def sounds(self, identity: str) -> None:
        """Takes that an agent can be heard now."""
        held = self._control.floor.hold
        if held is not None and held.request.identity == identity:
            self._turns.sounded(identity, held.grant_id, self._now())
            self._echo.sounds(identity, self._now())
        self._control.post(PlaybackStarted(identity))

    def gone(self, identity: str) -> None:
        """Takes that an agent is gone: of a turn under way, what was heard of it is what it said."""
        broken_off = self._turns.broken_off(identity, self._now())
        if broken_off is not None:
            self._take_release(broken_off, identity)

    def _on_release(self, release: Release, caller: str) -> None:
        if self._turns.is_new(caller, release):
            self._take_release(release, caller)

    def _take_release(self, release: Release, caller: str) -> None:
        line = None
        self._echo.falls_silent(caller, release.text, self._now())
        if release.text:
            line = self._lines.of_agent(caller, release.grant_id, release.text, release.started_at)
            line = line.model_copy(update={"interrupted": release.interrupted, "ended_at": self._now()})
            self._utterances.agent_was_heard()
            self._book(line)
            self._addressing.answered(line)
            self._clock.heard(line.id, self._now(), {})
        stages = self._clock.released(release)
        if stages is not None:
            self._report(TurnLatency(identity=caller, stages_ms=stages, line_id=release.grant_id))
        called = self._called(caller, release.text)
        self._control.post(Released(caller, release.grant_id, line, called, release.unsaid), heard=line)

    def _on_draft(self, draft: Draft, caller: str) -> None:
        """Whoever is next prepares while this one still speaks."""
        self._turns.drafted(caller, draft)
        self._echo.will_say(caller, draft.text)
        if not draft.whole:
            return
        line = self._lines.of_agent(caller, draft.grant_id, draft.text, None)
        self._control.prepare(Released(caller, draft.grant_id, line, self._called(caller, draft.text)), line)

    def _on_hand_over(self, hand_over: HandOver, caller: str) -> str:
        """Lets another agent answer in place of the one that holds the floor; it alone is told the note."""
        if self._control.floor.holder != caller:
            raise rtc.RpcError(403, "only who holds the floor can hand it over")
        floor, word = self._control.floor, hand_over.to.casefold()
        others = (one for one in floor.cast if one.identity != caller)
        able = {one.identity: one.name for one in others if may_speak(floor, one.identity, addressed=True)}
        to = next((who for who, name in able.items() if word in (who.casefold(), name.casefold())), None)
        if to is None:
            raise rtc.RpcError(
                409, f"it cannot go to {hand_over.to!r}; there is {', '.join(able.values()) or 'nobody'}"
            )
        if hand_over.note.strip():
            note = self._lines.of_agent(caller, f"note-{uuid.uuid4().hex[:12]}", hand_over.note, None)
            self._control.tell_one(to, [note])
        self._control.post(HandedOver(caller, to))
        return able[to]

    def _on_want(self, want: Want, caller: str) -> str:
        """An agent has the floor again when it is free, for what it had to wait for."""
        line = want.line
        if line.identity != caller or line.kind is not UtteranceKind.FACT:
            raise rtc.RpcError(403, f"{caller!r} cannot want the floor for this")
        self._control.post(Directed(caller, line=line))
        return "noted"

    def overheard(self, identity: str, text: str) -> None:
        """Takes what an agent outside the floor was captioned to say."""
        line = self._lines.of_agent(identity, f"overheard-{uuid.uuid4().hex[:12]}", text, None)
        self._utterances.agent_was_heard()
        self._book(line)
        self._addressing.answered(line)
        self._control.post(Overheard(line, self._called(identity, text)), heard=line)

    def _called(self, speaker: str, text: str) -> tuple[str, ...]:
        return self._addressing.called_by_agent(speaker, text)
