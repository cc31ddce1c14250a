"""The meeting as the chair knows it: who is there, what was said, by whom it is answered.

`floor/machine.py` decides. People come in by their voices (`hearing/listeners.py`) and by chat; agents by `mc.release`,
or by their captions where they are outside the floor. Every line goes to the supervisor, to the agents and, if a person
said it, on screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from livekit import rtc

from meetctl.protocol import (
    REGISTER,
    Ask,
    Assignment,
    CastMember,
    GiveFloor,
    Line,
    Mute,
    Register,
    Say,
    Tell,
    Utterance,
    UtteranceKind,
)

from ..floor.addressing import Decision
from ..floor.addressing.listening import Addressing
from ..floor.control import FloorControl
from ..floor.events import (
    AgentCame,
    AgentGone,
    CastSet,
    Directed,
    GrantFloor,
    HumanCame,
    HumanLeft,
    Muted,
    NothingSaid,
    SpeechStarted,
)
from ..floor.judge import Judge
from ..floor.moderator import Moderator
from ..floor.turn_clock import TurnClock
from ..hearing.echo import EchoGuard
from ..hearing.listener import FinalTranscript, PreflightTranscript
from ..models.speech_faults import SpeechFaults
from ..process.wire import Report
from ..room.agent_transcripts import AgentTranscripts
from ..room.captions import Captions
from ..room.chat import Chat
from ..room.events import RoomEvents
from ..room.methods import serve
from ..room.seating import participant_in, seat_of
from .agent_calls import AgentCalls
from .cast import Cast
from .deciding import Deciding, Judging
from .lines import Lines, Utterances
from .moderating import Moderating
from .notices import Notices
from .people import People
from .recent import Recent
from .silences import Silences

AGENT_STATE = "lk.agent.state"
"""LiveKit's attribute of an agent session; `speaking` from its first sound."""
HOST = "host"  # who asks from outside

Clock = Callable[[], float]
"""Unix time, seconds."""
Direction = Say | Ask | Tell | GiveFloor | Mute


class Meeting:
    """Keeps the floor; async context manager around its handlers and what is under way."""

    def __init__(
        self,
        room: rtc.Room,
        assignment: Assignment,
        *,
        run: str,
        report: Report,
        moderator: Moderator | None,
        judge: Judge | None = None,
        clock: Clock = time.time,
        cast: Cast | None = None,
    ) -> None:
        self._now = clock
        self._room = room
        self._report = report
        self._cast = cast or Cast(room, assignment.cast)
        self._utterances = Utterances(run)
        self._people = People()
        me = room.local_participant
        self._lines = Lines(self._utterances, self._people, self._cast, clock, (me.identity, me.name))
        self.notices = Notices(report, self._people, lambda identity, words: self._chat.tell(identity, words))
        self._recent = Recent(assignment.transcript)
        self._addressing = Addressing(assignment.language, assignment.transcript)
        self._clock = TurnClock()
        self._echo = EchoGuard()
        self._faults = SpeechFaults(report)
        self._silences = Silences(report, self._tell_people, self._cast.name_of)
        self._control = FloorControl(
            room,
            run,
            assignment.rules,
            report,
            granted=self._on_granted,
            consulted=lambda consult: self._moderating.consult(consult, self._control.cast),
            unanswered=self._silences.take,
            spoken_before=any(line.kind is not UtteranceKind.FACT for line in assignment.transcript),
        )
        self._agents = AgentCalls(
            room,
            cast=self._cast,
            control=self._control,
            lines=self._lines,
            utterances=self._utterances,
            addressing=self._addressing,
            echo=self._echo,
            clock=self._clock,
            report=report,
            book=self._book,
            now=clock,
        )
        self._chat = Chat(room, self._on_chat, self.notices.flooded)
        self._events = RoomEvents(
            room,
            participant_connected=self._on_came,
            participant_disconnected=self._on_left,
            participant_attributes_changed=self._on_attributes,
        )
        self._agent_transcripts = AgentTranscripts(room, self._cast.is_outside, self._agents.overheard)
        self._captions = Captions(room)
        self._moderating = Moderating(moderator, self._recent, self._faults, self._control.post)
        self._judging = Judging(judge, self._recent, lambda: (self._control.cast, self._people.names), self._faults)
        self._deciding = Deciding(self._addressing, self._judging, lambda: self._control.floor, report)

    async def __aenter__(self) -> Self:
        await self._control.__aenter__()
        self._cast_set()
        for participant in self._room.remote_participants.values():
            self._came(participant)
        if self._recent.state is not None or self._people.here:
            self._tell_who_is_here()  # people may have come and gone while there was no chair
        self._events.attach()
        self._agents.serve()
        serve(self._room, REGISTER, Register, self._cast.is_of_kind_agent, self._on_register)
        self._chat.open()
        self._agent_transcripts.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._agent_transcripts.aclose()
        await self._chat.aclose()
        self._agents.close()
        self._room.local_participant.unregister_rpc_method(REGISTER)
        self._events.detach()
        await self._captions.aclose()
        await self._judging.aclose()
        await self._moderating.aclose()
        await self._control.__aexit__(kind, error, trace)

    # --- who is there ---

    def is_person(self, participant: rtc.Participant) -> bool:
        """Returns whether to listen to it."""
        return self._cast.is_person(participant)

    def set_cast(self, cast: tuple[CastMember, ...]) -> None:
        """Takes the supervisor's word for who the agents are; those who registered themselves stay."""
        self._cast.set_given(cast)
        self._cast_set()

    def _on_register(self, register: Register, caller: str) -> str:
        if register.member.identity != caller:
            raise rtc.RpcError(403, f"{caller!r} cannot register {register.member.identity!r}")
        self._cast.register(register.member)
        self._cast_set()
        self._control.tell_one(caller, self._recent.lines)
        self._control.post(AgentCame(caller))
        return "registered"

    def _cast_set(self) -> None:
        self._people.reserve(self._cast.names)
        self._addressing.set_agents(self._cast.members)
        self.notices.of_agents(self._cast.names)
        self._addressing.set_people(self._people.names)
        self._control.post(CastSet(self._cast.members))

    def _came(self, participant: rtc.RemoteParticipant) -> None:
        seat = seat_of(participant)
        if self.is_person(participant):
            self._people.come(seat, participant.name)
            self._addressing.set_people(self._people.names)
            self._control.post(HumanCame(seat))
        elif self._cast.has(seat):
            self._control.post(AgentCame(seat))

    def _on_came(self, participant: rtc.RemoteParticipant) -> None:
        seat = seat_of(participant)
        if self.is_person(participant):
            name = self._people.come(seat, participant.name)
            self.notices.of_person(seat, name, self._cast.names)
            self._fact(f"{name} joined the meeting.", here=self._people.here)
        elif self._cast.has(seat):
            # what was said while it was on its way; what it knows already takes its own place
            self._control.tell_one(seat, self._recent.lines)
        self._came(participant)

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        seat = seat_of(participant)
        if self._cast.has(seat):
            if participant_in(self._room, seat) is not None:
                return  # a ghost of an earlier job: the seat is filled
            self._agents.gone(seat)
            if self._cast.leave(seat):
                self._cast_set()
            self._control.post(AgentGone(seat))
        else:
            name = self._people.name_of(seat, participant.name)
            self._people.leave(seat)
            self._addressing.set_people(self._people.names)
            if seat in self._control.floor.humans:
                self._fact(f"{name} left the meeting.", here=self._people.here)
            self._utterances.forget(seat)
            self._captions.forget(seat)
            self._control.post(HumanLeft(seat))

    def _on_attributes(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if changed.get(AGENT_STATE) == "speaking" and self._cast.has(seat := seat_of(participant)):
            self._agents.sounds(seat)

    # --- what people say ---

    def heard(self, speech: SpeechStarted | PreflightTranscript | FinalTranscript) -> None:
        """Takes what microphones gave, but for agents' voices that came back through a microphone."""
        for said in self._echo.passed(speech, self._now()):
            self._take_heard(said)

    def _take_heard(self, speech: SpeechStarted | PreflightTranscript | FinalTranscript) -> None:
        match speech:
            case SpeechStarted():
                self._control.post(speech)
            case PreflightTranscript():
                self._show(speech, final=False)
                self._prepare(speech)
            case FinalTranscript(identity, _, ""):
                self._control.post(NothingSaid(identity))
            case FinalTranscript():
                self._show(speech, final=True)
                self._take(speech)

    def _take(self, speech: FinalTranscript) -> None:
        self._judging.settle()
        decision = self._deciding.by_rules(self._lines.foreseen(speech))
        if self._deciding.lets_go_on(speech.text, decision):
            # A line of its own: it neither continues what the person said before, nor is it continued.
            self._utterances.agent_was_heard()
            line = self._lines.spoken(speech)
            self._utterances.agent_was_heard()
            self._deciding.remember(line, self._deciding.by_rules(line))
            self._report(Utterance(line=line))
            self._control.post(NothingSaid(speech.identity))
            return
        line = self._lines.spoken(speech)
        self._clock.heard(line.id, speech.ended_at, speech.stages_ms)
        self._said(line, spoken=True)

    def _prepare(self, speech: PreflightTranscript) -> None:
        line = self._lines.foreseen(speech)
        decision = self._deciding.by_rules(line)
        if not self._deciding.lets_go_on(speech.text, decision):
            self._judging.foresee(line, decision)
            self._control.prepare(self._deciding.as_said(line, decision, spoken=True), line)

    def _on_chat(self, participant: rtc.RemoteParticipant, text: str) -> None:
        if self.is_person(participant):
            line = self._typed_line(
                participant.identity, self._people.name_of(participant.identity, participant.name), text
            )
            self._said(line, spoken=False)

    def _typed_line(self, identity: str, name: str, text: str) -> Line:
        line = self._lines.typed(identity, name, text)
        self._clock.heard(line.id, line.at, {})
        return line

    def _said(self, line: Line, *, spoken: bool) -> None:
        def take(decision: Decision, _: float | None) -> None:
            self._book(line)
            self._control.post(self._deciding.as_said(line, decision, spoken=spoken), heard=line)

        self._deciding.decide(line, take)

    def _on_granted(self, order: GrantFloor, seconds: float) -> None:
        self._clock.granted(order, seconds)
        if order.line is not None:
            self._addressing.granted(order.line.id, order.identity)

    def _book(self, line: Line) -> None:
        self._recent.add(line)
        self._report(Utterance(line=line))

    def _show(self, speech: PreflightTranscript | FinalTranscript, *, final: bool) -> None:
        self._captions.show(identity=speech.identity, track_sid=speech.track_sid, text=speech.text, final=final)

    def _tell_people(self, words: str) -> None:
        for person in self._control.floor.humans:
            self._chat.tell(person, words)

    # --- direction from outside ---

    def direct(self, command: Direction) -> None:
        """Does what somebody who may direct the meeting wants."""
        match command:
            case Say(identity=identity, text=text):
                self._control.post(Directed(identity, text))
            case Ask(identity=identity, text=text):
                line = self._typed_line(HOST, HOST.title(), text)
                self._book(line)
                self._control.post(Directed(identity, line=line), heard=line)
            case Tell(text=text):
                self._fact(text)
            case GiveFloor(identity=identity):
                self._control.post(Directed(identity))
            case Mute(identity=identity, muted=muted):
                self._control.post(Muted(identity, muted))

    def _fact(self, text: str, *, here: tuple[str, ...] | None = None) -> None:
        line = self._lines.fact(text, here)
        self._book(line)
        self._control.tell(line)

    def _tell_who_is_here(self) -> None:
        line = self._lines.fact("", self._people.here)
        self._recent.add(line)
        self._control.tell(line)
