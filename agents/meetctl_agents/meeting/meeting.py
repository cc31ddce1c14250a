"""The meeting as the chair knows it: who is there, what was said, by whom it is answered.

`floor/machine.py` decides. People come in by their voices (`hearing/listeners.py`) and by chat; agents by `mc.release`,
or by their captions where they are outside the floor. Every line goes to the supervisor, to the agents and, if a person
said it, on screen.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from livekit import rtc

from meetctl.protocol import (
    DRAFT,
    REGISTER,
    RELEASE,
    Ask,
    Assignment,
    CastMember,
    Draft,
    FloorDecided,
    FloorMode,
    GiveFloor,
    Line,
    Mute,
    Register,
    Release,
    Say,
    Tell,
    TurnLatency,
    Utterance,
    UtteranceKind,
    Warn,
)
from meetctl.protocol.likeness import names_alike, told_apart

from ..floor.addressing import Decision
from ..floor.addressing.listening import Addressing
from ..floor.backchannel import is_hum, is_nod
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
    Overheard,
    PlaybackStarted,
    Released,
    SpeechStarted,
    UtteranceFinal,
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
from ..room.chat import BURST, Chat
from ..room.events import RoomEvents
from ..room.methods import serve
from .agent_turns import AgentTurns
from .cast import Cast
from .judging import Judging
from .moderating import Moderating
from .people import People
from .recent import Recent
from .silences import Silences
from .utterances import Utterances

AGENT_STATE = "lk.agent.state"
"""LiveKit's attribute of an agent session; `speaking` from its first sound."""
HOST = "host"
"""Who asks from outside."""
SOUNDS_LIKE = "{name} sounds like {agent}, an agent here: join by another name if it answers what is said to you."
NOT_HEARD = "Your microphone is not heard: too many people have one. You are read if you write here."

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
    ) -> None:
        self._now = clock
        self._room = room
        self._report = report
        self._cast = Cast(room, assignment.cast)
        self._utterances = Utterances(run)
        self._people = People()
        self._recent = Recent(assignment.transcript)
        self._addressing = Addressing(assignment.language, assignment.transcript)
        self._turns = AgentTurns()
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
        self._chat = Chat(room, self._on_chat, self._on_flood)
        self._events = RoomEvents(
            room,
            participant_connected=self._on_came,
            participant_disconnected=self._on_left,
            participant_attributes_changed=self._on_attributes,
        )
        self._overhearing = AgentTranscripts(room, self._cast.is_outside, self._on_overheard)
        self._captions = Captions(room)
        self._alike: set[tuple[str, str]] = set()
        """Pairs of names that sound alike, and were told of."""
        self._moderating = Moderating(moderator, self._recent, self._faults, self._control.post)
        self._judging = Judging(judge, self._recent, lambda: (self._control.cast, self._people.names), self._faults)

    async def __aenter__(self) -> Self:
        await self._control.__aenter__()
        self._cast_set()
        for participant in self._room.remote_participants.values():
            self._came(participant)
        if self._recent.state is not None or self._people.here:
            self._tell_who_is_here()  # people may have come and gone while there was no chair
        self._events.attach()
        serve(self._room, RELEASE, Release, self._cast.has, self._on_release)
        serve(self._room, DRAFT, Draft, self._cast.has, self._on_draft)
        serve(self._room, REGISTER, Register, self._cast.is_of_kind_agent, self._on_register)
        self._chat.open()
        self._overhearing.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._overhearing.aclose()
        await self._chat.aclose()
        for method in (RELEASE, DRAFT, REGISTER):
            self._room.local_participant.unregister_rpc_method(method)
        self._events.detach()
        await self._captions.aclose()
        await self._judging.aclose()
        await self._moderating.aclose()
        await self._control.__aexit__(kind, error, trace)

    # --- who is there ---

    def is_person(self, participant: rtc.Participant) -> bool:
        """Returns whether to listen to it."""
        return self._cast.is_person(participant)

    def is_agent(self, participant: rtc.Participant) -> bool:
        """Returns whether its media is to be proven."""
        return self._cast.has(participant.identity)

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
        self._people.reserve(tuple(member.name for member in self._cast.members))
        self._addressing.set_agents(self._cast.members)
        names = [member.name for member in self._cast.members]
        for number, name in enumerate(names):
            self._warn_of_alike(name, names[number + 1 :])
        self._addressing.set_people(self._people.names)
        self._control.post(CastSet(self._cast.members))

    def _warn_of_alike(self, name: str, others: Iterable[str]) -> str | None:
        """Says that somebody cannot be told from an agent by ear; returns whom, None where they can."""
        alike = next((other for other in others if other != name and names_alike(name, other)), None)
        if alike is not None and (name, alike) not in self._alike:
            self._alike.add((name, alike))
            self._report(Warn(message=told_apart(name, alike), hint="one of them is better called by another name"))
        return alike

    def _came(self, participant: rtc.RemoteParticipant) -> None:
        if self.is_person(participant):
            self._people.come(participant.identity, participant.name)
            self._addressing.set_people(self._people.names)
            self._control.post(HumanCame(participant.identity))
        elif self._cast.has(participant.identity):
            self._control.post(AgentCame(participant.identity))

    def _on_came(self, participant: rtc.RemoteParticipant) -> None:
        if self.is_person(participant):
            name = self._people.come(participant.identity, participant.name)
            alike = self._warn_of_alike(name, [member.name for member in self._cast.members])
            if alike is not None:
                self._chat.tell(participant.identity, SOUNDS_LIKE.format(name=name, agent=alike))
            self._fact(f"{name} joined the meeting.", here=self._people.here)
        elif self._cast.has(participant.identity):
            # what was said while it was on its way; what it knows already takes its own place
            self._control.tell_one(participant.identity, self._recent.lines)
        self._came(participant)

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if self._cast.has(participant.identity):
            broken_off = self._turns.broken_off(participant.identity, self._now())
            if broken_off is not None:
                self._take_release(broken_off, participant.identity)
            if self._cast.leave(participant.identity):
                self._cast_set()
            self._control.post(AgentGone(participant.identity))
        else:
            name = self._people.name_of(participant.identity, participant.name)
            self._people.leave(participant.identity)
            self._addressing.set_people(self._people.names)
            if participant.identity in self._control.floor.humans:
                self._fact(f"{name} left the meeting.", here=self._people.here)
            self._utterances.forget(participant.identity)
            self._captions.forget(participant.identity)
            self._control.post(HumanLeft(participant.identity))

    def _on_attributes(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if changed.get(AGENT_STATE) == "speaking" and self._cast.has(participant.identity):
            held = self._control.floor.hold
            if held is not None and held.request.identity == participant.identity:
                self._turns.sounded(participant.identity, held.grant_id, self._now())
                self._echo.sounds(participant.identity, self._now())
            self._control.post(PlaybackStarted(participant.identity))

    # --- what people say ---

    def heard(self, speech: SpeechStarted | PreflightTranscript | FinalTranscript) -> None:
        """Takes what the ears heard, but for agents' voices that came back through a microphone."""
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
        foreseen = self._foreseen(speech)
        if self._goes_on(speech.text, self._decided(foreseen)):
            # A line of its own: it neither continues what the person said before, nor is it continued.
            self._utterances.agent_was_heard()
            line = self._spoken_line(speech)
            self._utterances.agent_was_heard()
            self._remember(line, self._decided(line))
            self._report(Utterance(line=line))
            self._control.post(NothingSaid(speech.identity))
            return
        line = self._spoken_line(speech)
        self._clock.heard(line.id, speech.ended_at, speech.stages_ms)
        self._said(line, spoken=True)

    def _goes_on(self, text: str, decision: Decision) -> bool:
        """Returns whether the words want nothing but that whoever was talking goes on."""
        if self._control.floor.cut_off is not None and (is_hum(text) or is_nod(text)):
            return True
        return decision.passive and not self._addressing.dismisses(text)

    def _spoken_line(self, speech: FinalTranscript) -> Line:
        return self._utterances.line(
            identity=speech.identity,
            name=self._people.name_of(speech.identity, speech.name),
            text=speech.text,
            began_at=speech.began_at,
            ended_at=speech.ended_at,
            kind=UtteranceKind.SPEECH,
        )

    def _prepare(self, speech: PreflightTranscript) -> None:
        line = self._foreseen(speech)
        decision = self._decided(line)
        if not self._goes_on(speech.text, decision):
            self._judging.foresee(line, decision)
            self._control.prepare(self._as_said(line, decision, spoken=True), line)

    def _foreseen(self, speech: PreflightTranscript | FinalTranscript) -> Line:
        return self._utterances.foreseen(
            identity=speech.identity,
            name=self._people.name_of(speech.identity, speech.name),
            text=speech.text,
            began_at=speech.began_at,
            kind=UtteranceKind.SPEECH,
        )

    def left_out(self, participant: rtc.RemoteParticipant, most: int) -> None:
        """Takes that somebody's microphone is not heard, for `most` others' are."""
        name = self._people.name_of(participant.identity, participant.name)
        hint = "they can write in the chat, or somebody else switches a microphone off and leaves them the place"
        self._report(Warn(message=f"the microphone of {name!r} is not heard: {most} are, and no more", hint=hint))
        self._chat.tell(participant.identity, NOT_HEARD)

    def _on_chat(self, participant: rtc.RemoteParticipant, text: str) -> None:
        if self.is_person(participant):
            line = self._typed_line(
                participant.identity, self._people.name_of(participant.identity, participant.name), text
            )
            self._said(line, spoken=False)

    def _on_flood(self, identity: str) -> None:
        name = self._people.name_of(identity, identity)
        hint = f"of each person at most {BURST} messages are read at once, then one a second"
        self._report(Warn(message=f"{name!r} writes too much in the chat: some of it is not read", hint=hint))

    def _typed_line(self, identity: str, name: str, text: str) -> Line:
        now = self._now()
        line = self._utterances.line(
            identity=identity, name=name, text=text, began_at=now, ended_at=now, kind=UtteranceKind.CHAT
        )
        self._clock.heard(line.id, now, {})
        return line

    def _said(self, line: Line, *, spoken: bool) -> None:
        def take(decision: Decision, judge_ms: float | None) -> None:
            self._remember(line, decision, judge_ms)
            self._book(line)
            self._control.post(self._as_said(line, decision, spoken=spoken), heard=line)

        self._judging.decide(line, self._decided, take)

    def _decided(self, line: Line) -> Decision:
        """Returns for whom the line is meant."""
        cut_off = self._control.floor.cut_off
        return self._addressing.decide(line, cut_off.identity if cut_off is not None else None)

    def _remember(self, line: Line, decision: Decision, judge_ms: float | None = None) -> None:
        """Keeps for whom the line was meant, and says why."""
        self._addressing.said(line, decision)
        self._report(
            FloorDecided(
                line_id=line.id,
                speaker=line.identity,
                rule=decision.rule,
                agents=decision.agents,
                candidates=decision.candidates,
                judge_ms=judge_ms,
            )
        )

    def _as_said(self, line: Line, decision: Decision, *, spoken: bool) -> UtteranceFinal:
        picks = self._control.floor.rules.floor in (FloorMode.MODERATED, FloorMode.FREE)
        # In these modes somebody else picks among the agents, unless it is for people that the words are meant.
        open_to_all = decision.to_anybody or (picks and not decision.people and not decision.passive)
        return UtteranceFinal(
            line,
            decision.agents,
            spoken,
            self._addressing.dismisses(line.text),
            decision.excluded,
            to_nobody=not decision.agents and not open_to_all,
            to_the_room=decision.to_the_room,
        )

    def _on_granted(self, give: GrantFloor, seconds: float) -> None:
        self._clock.granted(give, seconds)
        if give.line is not None:
            self._addressing.granted(give.line.id, give.identity)

    def _book(self, line: Line) -> None:
        self._recent.add(line)
        self._report(Utterance(line=line))

    def _show(self, speech: PreflightTranscript | FinalTranscript, *, final: bool) -> None:
        self._captions.show(identity=speech.identity, track_sid=speech.track_sid, text=speech.text, final=final)

    # --- what agents say ---

    def _on_release(self, release: Release, caller: str) -> None:
        if self._turns.is_new(caller, release):
            self._take_release(release, caller)

    def _take_release(self, release: Release, caller: str) -> None:
        line = None
        self._echo.falls_silent(caller, release.text, self._now())
        if release.text:
            line = self._line_of(caller, release.grant_id, release.text, release.started_at)
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

    def _tell_people(self, words: str) -> None:
        for person in self._control.floor.humans:
            self._chat.tell(person, words)

    def _on_draft(self, draft: Draft, caller: str) -> None:
        """Whoever is next prepares while this one still speaks."""
        self._turns.drafted(caller, draft)
        self._echo.will_say(caller, draft.text)
        if not draft.whole:
            return
        line = self._line_of(caller, draft.grant_id, draft.text, None)
        self._control.prepare(Released(caller, draft.grant_id, line, self._called(caller, draft.text)), line)

    def _on_overheard(self, identity: str, text: str) -> None:
        line = self._line_of(identity, f"overheard-{uuid.uuid4().hex[:12]}", text, None)
        self._utterances.agent_was_heard()
        self._book(line)
        self._addressing.answered(line)
        self._control.post(Overheard(line, self._called(identity, text)), heard=line)

    def _line_of(self, identity: str, id: str, text: str, at: float | None) -> Line:
        name = self._cast.name_of(identity)
        return Line(id=id, at=at or self._now(), speaker=name, identity=identity, text=text)

    def _called(self, speaker: str, text: str) -> tuple[str, ...]:
        return self._addressing.called_by_agent(speaker, text)

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
        line = self._fact_line(text, here)
        self._book(line)
        self._control.tell(line)

    def _tell_who_is_here(self) -> None:
        line = self._fact_line("", self._people.here)
        self._recent.add(line)
        self._control.tell(line)

    def _fact_line(self, text: str, here: tuple[str, ...] | None) -> Line:
        return Line(
            id=f"fact-{uuid.uuid4().hex[:12]}",
            at=self._now(),
            speaker=self._room.local_participant.name or "Chair",
            identity=self._room.local_participant.identity,
            kind=UtteranceKind.FACT,
            text=text,
            here=here,
        )
