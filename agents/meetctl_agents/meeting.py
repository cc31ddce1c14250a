"""The meeting as the chair knows it: who is there, what was said, by whom it is answered. Decides by `floor.py`.

People come in by their voices (`hearing.py`) and by chat; agents by `mc.release`. Every line goes to the supervisor,
to the agents and, if a person said it, on screen.
"""

from __future__ import annotations

import asyncio
import logging
import time
from types import TracebackType
from typing import Self

from livekit import rtc
from livekit.agents import utils

from meetctl.protocol import (
    REGISTER,
    RELEASE,
    CastMember,
    Line,
    Register,
    Release,
    TurnLatency,
    Utterance,
    UtteranceKind,
)

from .addressing import addressed, dismisses
from .attendance import display_name, is_human
from .captions import publish_caption
from .chat import Chat
from .floor_control import FloorControl
from .floor_events import AgentGone, CastSet, HumanCame, HumanLeft, NothingSaid, Released, Said, Sounded, TalkBegan
from .hearing import SpeechBegan, SpeechHeard
from .methods import serve
from .turn_clock import TurnClock
from .utterances import Utterances
from .wire import Report

AGENT_STATE = "lk.agent.state"
"""LiveKit's attribute of an agent session; `speaking` from its first sound."""

logger = logging.getLogger(__name__)


class Meeting:
    """Keeps the floor; async context manager around its handlers and what is under way."""

    def __init__(self, room: rtc.Room, *, run: str, cast: tuple[CastMember, ...], report: Report) -> None:
        self._room = room
        self._report = report
        self._given_cast = cast
        self._registered: dict[str, CastMember] = {}
        self._utterances = Utterances(run)
        self._clock = TurnClock()
        self._control = FloorControl(room, run, report, self._clock.granted)
        self._chat = Chat(room, self._on_chat)
        self._captions: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._control.__aenter__()
        self._set_cast()
        for participant in self._room.remote_participants.values():
            self._on_came(participant)
        self._room.on("participant_connected", self._on_came)
        self._room.on("participant_disconnected", self._on_left)
        self._room.on("participant_attributes_changed", self._on_attributes)
        serve(self._room, RELEASE, Release, self._is_cast, self._on_release)
        serve(self._room, REGISTER, Register, self._is_of_kind_agent, self._on_register)
        self._chat.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._chat.aclose()
        for method in (RELEASE, REGISTER):
            self._room.local_participant.unregister_rpc_method(method)
        self._room.off("participant_connected", self._on_came)
        self._room.off("participant_disconnected", self._on_left)
        self._room.off("participant_attributes_changed", self._on_attributes)
        await utils.aio.cancel_and_wait(*self._captions)
        await self._control.__aexit__(kind, error, trace)

    # --- who is there ---

    def is_person(self, participant: rtc.Participant) -> bool:
        """Returns whether to listen to it."""
        return is_human(participant, {member.identity for member in self._control.cast})

    def is_agent(self, participant: rtc.Participant) -> bool:
        """Returns whether its media is to be proven."""
        return self._is_cast(participant.identity)

    def set_cast(self, cast: tuple[CastMember, ...]) -> None:
        """Takes the supervisor's word for who the agents are; those who registered themselves stay."""
        self._given_cast = cast
        self._set_cast()

    def _set_cast(self) -> None:
        given = {member.identity for member in self._given_cast}
        others = tuple(member for name, member in self._registered.items() if name not in given)
        self._control.post(CastSet((*self._given_cast, *others)))

    def _is_cast(self, identity: str) -> bool:
        return any(member.identity == identity for member in self._control.cast)

    def _is_of_kind_agent(self, identity: str) -> bool:
        participant = self._room.remote_participants.get(identity)
        return participant is not None and participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT

    def _on_register(self, register: Register, caller: str) -> str:
        if register.member.identity != caller:
            raise rtc.RpcError(403, f"{caller!r} cannot register {register.member.identity!r}")
        self._registered[caller] = register.member
        self._set_cast()
        return "registered"

    def _on_came(self, participant: rtc.RemoteParticipant) -> None:
        if self.is_person(participant):
            self._control.post(HumanCame(participant.identity))

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if self._is_cast(participant.identity):
            if self._registered.pop(participant.identity, None):
                self._set_cast()
            self._control.post(AgentGone(participant.identity))
        else:
            self._utterances.forget(participant.identity)
            self._control.post(HumanLeft(participant.identity))

    def _on_attributes(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if changed.get(AGENT_STATE) == "speaking" and self._is_cast(participant.identity):
            self._control.post(Sounded(participant.identity))

    # --- what people say ---

    def heard(self, speech: SpeechBegan | SpeechHeard) -> None:
        """Takes what the ears heard."""
        match speech:
            case SpeechBegan(identity):
                self._control.post(TalkBegan(identity))
            case SpeechHeard(identity, _, ""):
                self._control.post(NothingSaid(identity))
            case SpeechHeard(identity=identity, name=name, text=text):
                self._show(identity, speech.track_sid, text)
                line = self._utterances.line(
                    identity=identity,
                    name=name,
                    text=text,
                    began_at=speech.began_at,
                    ended_at=speech.ended_at,
                    kind=UtteranceKind.SPEECH,
                )
                self._clock.heard(line.id, speech.ended_at, speech.stages_ms)
                self._said(line, spoken=True)

    def _on_chat(self, participant: rtc.RemoteParticipant, text: str) -> None:
        if not self.is_person(participant):
            return
        now = time.time()
        line = self._utterances.line(
            identity=participant.identity,
            name=display_name(participant),
            text=text,
            began_at=now,
            ended_at=now,
            kind=UtteranceKind.CHAT,
        )
        self._clock.heard(line.id, now, {})
        self._said(line, spoken=False)

    def _said(self, line: Line, *, spoken: bool) -> None:
        self._report(Utterance(line=line))
        names = addressed(line.text, self._control.cast)
        self._control.post(Said(line, names, spoken, dismisses(line.text)), heard=line)

    def _show(self, identity: str, track_sid: str, text: str) -> None:
        showing = asyncio.create_task(publish_caption(self._room, identity=identity, track_sid=track_sid, text=text))
        self._captions.add(showing)
        showing.add_done_callback(self._captions.discard)

    # --- what agents say ---

    def _on_release(self, release: Release, caller: str) -> None:
        line = None
        if release.text:
            name = next(member.name for member in self._control.cast if member.identity == caller)
            line = Line(
                id=release.grant_id,
                at=release.started_at or time.time(),
                speaker=name,
                identity=caller,
                text=release.text,
                interrupted=release.interrupted,
            )
            self._utterances.agent_was_heard()
            self._report(Utterance(line=line))
        stages = self._clock.released(release)
        if stages is not None:
            self._report(TurnLatency(identity=caller, stages_ms=stages))
        others = [member for member in self._control.cast if member.identity != caller]
        names = addressed(release.text, others, called_only=True)
        self._control.post(Released(caller, release.grant_id, line, names), heard=line)
