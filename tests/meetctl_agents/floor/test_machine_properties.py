"""What must hold of the floor whatever happens, in every mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from meetctl_agents.floor.events import (
    Action,
    AgentCame,
    AgentGone,
    CastSet,
    Changed,
    Consult,
    Directed,
    Event,
    GrantFloor,
    HandedOver,
    HumanCame,
    HumanLeft,
    Muted,
    NeverAnswered,
    NothingSaid,
    Overheard,
    Picked,
    PlaybackStarted,
    Released,
    RevokeFloor,
    SpeechStarted,
    Tick,
    Undecided,
    UtteranceFinal,
)
from meetctl_agents.floor.machine import LONGEST_S, TALK_S, next_deadline, step
from meetctl_agents.floor.state import Floor, FloorRequest, may_speak

from meetctl.protocol import CastMember, FloorMode, Line, MeetingRules, Speaks

CAST = (
    CastMember(identity="ada", name="Ada"),
    CastMember(identity="max", name="Max"),
    CastMember(identity="shy", name="Shy", speaks=Speaks.ON_ADDRESS),
    CastMember(identity="mute", name="Mute", speaks=Speaks.NEVER),
    CastMember(identity="bot", name="Bot", serves_floor=False),
)
CASTS = st.lists(st.sampled_from(CAST), unique=True).map(tuple)
AGENTS = st.sampled_from(["ada", "max", "shy", "mute", "bot", "stranger"])
HUMANS = st.sampled_from(["sam", "eve"])
NAMED = st.lists(AGENTS, max_size=3).map(tuple)
NUMBERS = st.integers(1, 6)
RULES = st.builds(
    MeetingRules,
    floor=st.sampled_from(FloorMode),
    max_agent_turns=st.sampled_from([1, 2, 4, None]),
    opening=st.sampled_from([None, "ada", "shy", "mute", "stranger"]),
    agents_alone=st.booleans(),
)


def line(identity: str, id: str = "u1") -> Line:
    return Line(id=id, at=0, speaker=identity.title(), identity=identity, text="words")


EVENTS = st.one_of(
    st.builds(CastSet, CASTS),
    st.builds(HumanCame, HUMANS),
    st.builds(HumanLeft, HUMANS),
    st.builds(SpeechStarted, HUMANS),
    st.builds(NothingSaid, HUMANS),
    st.builds(
        lambda who, named, talked, stop: UtteranceFinal(line(who), named, talked, stop),
        HUMANS,
        NAMED,
        st.booleans(),
        st.booleans(),
    ),
    st.builds(PlaybackStarted, AGENTS),
    st.builds(lambda who, named: Overheard(line(who), named), AGENTS, NAMED),
    st.builds(AgentCame, AGENTS),
    st.builds(AgentGone, AGENTS),
    st.builds(Directed, AGENTS, st.sampled_from([None, "Hello."])),
    st.builds(HandedOver, AGENTS, AGENTS),
    st.builds(Muted, AGENTS, st.booleans()),
    st.builds(Picked, NUMBERS, st.one_of(st.none(), AGENTS)),
    st.builds(Undecided, NUMBERS),
    st.just(Tick()),
    st.sampled_from(["release", "release of another", "failure"]),
)
BEGUN: tuple[Event, ...] = (CastSet(CAST), *(AgentCame(one.identity) for one in CAST[:4]), HumanCame("sam"))
HAPPENINGS = st.lists(st.tuples(st.floats(0, 40), EVENTS, NAMED), max_size=60)

FAILINGS = st.one_of(
    st.builds(CastSet, CASTS),
    st.builds(AgentCame, AGENTS),
    st.builds(AgentGone, AGENTS),
    st.builds(HandedOver, st.sampled_from(["ada", "max"]), AGENTS),
    st.just(Tick()),
    st.sampled_from(["release", "failure"]),
)
"""What befalls agents, while people only wait for them."""


class Watched:
    """A floor whose every step is checked."""

    def __init__(self, rules: MeetingRules) -> None:
        self.floor = Floor(run="r", rules=rules)
        self.now = 0.0
        self.holder: str | None = None
        self.turns = 0
        self.seen: set[str] = set()
        self.lines = 0

    def happen(self, happening: Event | str, named: tuple[str, ...] = ()) -> None:
        event = self._release(happening, named) if isinstance(happening, str) else happening
        if isinstance(event, UtteranceFinal | Overheard):
            self.lines += 1
            event = replace(event, line=event.line.model_copy(update={"id": f"u{self.lines}"}))
        if isinstance(event, UtteranceFinal | Directed):
            self.turns = 0
        before = self.floor
        self.floor, actions = step(before, event, self.now)
        for action in actions:
            self._check(action)
        assert self.holder == self.floor.holder
        self._check_human_waits_for_nobody(before, event, actions)
        self._check_no_question_is_forgotten(before, event, actions)
        due = next_deadline(self.floor, self.now)
        assert due is None or due > self.now, "time would stand still"

    def _release(self, how: str, named: tuple[str, ...]) -> Event:
        held = self.floor.hold
        if held is None or how == "release of another":
            return Released("ada", "r-0", line("ada", id="r-0"), named)
        said = None if how == "failure" else line(held.request.identity, id=held.grant_id)
        return Released(held.request.identity, held.grant_id, said, named)

    def _check(self, action: Action) -> None:
        match action:
            case GrantFloor(identity, grant_id):
                assert self.holder is None, "two holders"
                assert grant_id not in self.seen, "a grant given twice"
                held = self.floor.hold
                assert held is not None
                directed = held.request.directed
                assert self.floor.humans or self.floor.rules.agents_alone or directed, "nobody is there to hear it"
                assert not any(self.now - since < TALK_S for _, since in self.floor.talking), "over a human"
                assert identity not in self.floor.muted
                assert directed or may_speak(self.floor, identity, addressed=True)
                self.seen.add(grant_id)
                self.holder = identity
                self.turns += held.request.tries == 0
                most = self.floor.rules.max_agent_turns
                assert most is None or self.turns <= most or directed, "agents talk for ever"
            case Changed(who):
                assert who in (None, self.holder)
                self.holder = who
            case RevokeFloor(identity, _):
                assert identity == self.holder
            case Consult(_, _, candidates):
                assert candidates
                assert self.floor.rules.floor is FloorMode.MODERATED

    def _check_no_question_is_forgotten(self, before: Floor, event: Event, actions: tuple[Action, ...]) -> None:
        """Exempt: what people have replaced or given up, the agent that the host muted, and whoever's turn would be one
        more in a row than the meeting allows: in a round of many that is every round's end, and nothing to be told."""
        if isinstance(event, UtteranceFinal) or (isinstance(event, HumanLeft) and not self.floor.humans):
            return
        told = {(one.identity, one.line.id) for one in actions if isinstance(one, NeverAnswered) and one.line}
        after = {(one.identity, one.line.id) for one in _to_be_answered(self.floor) if one.line} | told
        for request in self._unanswered(before, event):
            assert request.line is not None
            asked = request.line.id
            answered_for = {who for who, line_id in after if line_id == asked}
            muted = isinstance(event, Muted) and event.muted and event.identity == request.identity
            one_too_many = self.floor.exhausted and not request.directed and not request.tries
            assert muted or one_too_many or request.identity in answered_for or (request.is_by_turn and answered_for), (
                "nobody answers, and nobody is told"
            )

    def _unanswered(self, before: Floor, event: Event) -> Iterator[FloorRequest]:
        """Yields what people had asked and nothing was heard of, even after the event."""
        for request in before.waiting:
            yield from _asked_by_people(request)
        for owed in before.owed:
            yield from _asked_by_people(owed.request)
        held = before.hold
        if held is None or held.cut or isinstance(event, SpeechStarted):
            return
        released = isinstance(event, Released) and event.grant_id == held.grant_id
        answered = isinstance(event, Released) and released and event.line is not None
        heard_to_its_end = held.sounded and self.now >= held.deadline and not released
        if not answered and not heard_to_its_end:
            yield from _asked_by_people(held.request)

    def _check_human_waits_for_nobody(self, before: Floor, event: Event, actions: tuple[Action, ...]) -> None:
        held = before.hold
        if isinstance(event, SpeechStarted) and held is not None and not held.cut:
            assert any(isinstance(action, RevokeFloor) for action in actions), "a human is talked over"
        if isinstance(event, UtteranceFinal) and not event.dismisses and self.floor.attended and not self.floor.talking:
            asked = [name for name in event.addressed if may_speak(self.floor, name, addressed=True)]
            if asked:
                after = self.floor.hold
                assert after is not None, "a question to somebody who could answer is left"
                assert after.cut or after.request.directed or after.request.line is not None


def _asked_by_people(request: FloorRequest) -> Iterator[FloorRequest]:
    if request.verbatim is None and request.line is not None and request.line.identity in ("sam", "eve"):
        yield request


def _to_be_answered(floor: Floor) -> tuple[FloorRequest, ...]:
    held = (floor.hold.request,) if floor.hold else ()
    return (*held, *floor.waiting, *(owed.request for owed in floor.owed))


@settings(max_examples=300, deadline=None)
@given(RULES, st.sampled_from([(), BEGUN]), HAPPENINGS)
def test_whatever_happens_one_holds_the_floor_no_human_waits_and_every_grant_ends(
    rules: MeetingRules, begun: tuple[Event, ...], event_stream: list[tuple[float, Event | str, tuple[str, ...]]]
) -> None:
    watched = Watched(rules)
    for event in begun:
        watched.happen(event)
    for passed, happening, named in event_stream:
        watched.now += passed
        watched.happen(happening, named)
    held = watched.floor.hold
    if held is not None:
        assert next_deadline(watched.floor, watched.now) is not None
        watched.now += LONGEST_S + 1
        watched.happen(Tick())
        after = watched.floor.hold
        assert after is None or after.grant_id != held.grant_id, "a grant that never ends"


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([mode for mode in FloorMode if mode is not FloorMode.MODERATED]),
    st.lists(st.lists(st.sampled_from(["ada", "max", "shy"]), max_size=3, unique=True), min_size=1, max_size=2),
    st.lists(st.tuples(st.floats(0, 40), FAILINGS), min_size=1, max_size=12),
)
def test_whatever_befalls_agents_each_that_was_asked_answers_or_people_are_told(
    mode: FloorMode, asked: list[list[str]], failings: list[tuple[float, Event | str]]
) -> None:
    watched = Watched(MeetingRules(floor=mode, max_agent_turns=None))
    for event in (*BEGUN, HumanCame("eve")):
        watched.happen(event)
    for person, named in zip(("sam", "eve"), asked, strict=False):
        watched.happen(UtteranceFinal(line(person), tuple(named), spoken=False))
    for passed, happening in failings:
        watched.now += passed
        watched.happen(happening)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FloorMode), st.lists(st.sampled_from(["release", "failure"]), min_size=12, max_size=12))
def test_nobody_who_may_speak_is_forgotten(mode: FloorMode, endings: list[str]) -> None:
    watched = Watched(MeetingRules(floor=mode))
    for event in (CastSet(CAST), AgentCame("ada"), AgentCame("max"), HumanCame("sam")):
        watched.happen(event)
    spoke: list[str] = []
    for ending in endings:
        watched.now += 1
        watched.happen(SpeechStarted("sam"))
        watched.happen(UtteranceFinal(line("sam")))
        if watched.floor.consulting is not None:
            watched.happen(Undecided(watched.floor.consulting.number))
        while watched.floor.hold is not None:
            spoke.append(watched.floor.hold.request.identity)
            watched.happen(ending)
            if watched.floor.consulting is not None:
                watched.happen(Undecided(watched.floor.consulting.number))
    for start in range(len(spoke) - 3):
        assert set(spoke[start : start + 4]) == {"ada", "max"}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FloorMode), st.lists(NAMED, min_size=1, max_size=30))
def test_time_alone_ends_whatever_was_begun(mode: FloorMode, named: list[tuple[str, ...]]) -> None:
    watched = Watched(MeetingRules(floor=mode))
    for event in (CastSet(CAST), HumanCame("sam")):
        watched.happen(event)
    for addressed in named:
        watched.happen(UtteranceFinal(line("sam"), addressed, spoken=False))
    for _ in range(60):
        due = next_deadline(watched.floor, watched.now)
        if due is None:
            break
        watched.now = due
        watched.happen(Tick())
    assert watched.floor.hold is None
    assert not watched.floor.waiting
