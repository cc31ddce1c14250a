"""What must hold of the floor whatever happens, in every mode."""

from __future__ import annotations

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
from meetctl_agents.floor.state import Floor, may_speak

from meetctl.protocol import CastMember, FloorMode, Line, MeetingRules, Speaks

CAST = (
    CastMember(identity="ada", name="Ada"),
    CastMember(identity="max", name="Max"),
    CastMember(identity="shy", name="Shy", speaks=Speaks.ON_ADDRESS),
    CastMember(identity="mute", name="Mute", speaks=Speaks.NEVER),
    CastMember(identity="bot", name="Bot", serves_floor=False),
)
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
    st.builds(CastSet, st.lists(st.sampled_from(CAST), unique=True).map(tuple)),
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
    st.builds(Muted, AGENTS, st.booleans()),
    st.builds(Picked, NUMBERS, st.one_of(st.none(), AGENTS)),
    st.builds(Undecided, NUMBERS),
    st.just(Tick()),
    st.sampled_from(["release", "release of another", "failure"]),
)
HAPPENINGS = st.lists(st.tuples(st.floats(0, 40), EVENTS, NAMED), max_size=60)


class Watched:
    """A floor whose every step is checked."""

    def __init__(self, rules: MeetingRules) -> None:
        self.floor = Floor(run="r", rules=rules)
        self.now = 0.0
        self.holder: str | None = None
        self.turns = 0
        self.seen: set[str] = set()

    def happen(self, happening: Event | str, named: tuple[str, ...] = ()) -> None:
        event = self._release(happening, named) if isinstance(happening, str) else happening
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
                assert most is None or self.turns <= most, "agents talk for ever"
            case Changed(who):
                assert who in (None, self.holder)
                self.holder = who
            case RevokeFloor(identity, _):
                assert identity == self.holder
            case Consult(_, _, candidates):
                assert candidates
                assert self.floor.rules.floor is FloorMode.MODERATED

    def _check_no_question_is_forgotten(self, before: Floor, event: Event, actions: tuple[Action, ...]) -> None:
        held = before.hold
        if held is None or held.cut or held.request.line is None or held.request.verbatim is not None:
            return
        asked = held.request.line.id
        unheard = isinstance(event, Released) and event.grant_id == held.grant_id and event.line is None
        if unheard and held.request.line.identity in ("sam", "eve"):
            after = self.floor
            due = [
                *after.waiting,
                *(owed.request for owed in after.owed),
                *([after.hold.request] if after.hold else []),
            ]
            told = [action.line for action in actions if isinstance(action, NeverAnswered)]
            lines = [*(request.line for request in due), *told]
            assert any(one is not None and one.id == asked for one in lines), "nobody answers, and nobody is told"

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


@settings(max_examples=300, deadline=None)
@given(RULES, HAPPENINGS)
def test_whatever_happens_one_holds_the_floor_no_human_waits_and_every_grant_ends(
    rules: MeetingRules, event_stream: list[tuple[float, Event | str, tuple[str, ...]]]
) -> None:
    watched = Watched(rules)
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
