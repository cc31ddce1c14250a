from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from meetctl.errors import ConflictError
from meetctl.meeting.reconcile import Plan, Replaced, plan
from meetctl.protocol import FloorMode, MeetingRules, Voice
from meetctl.roster import AgentEntry, ModelChoice, Program, Roster
from meetctl.settings import LiveKitCredentials

ADA = AgentEntry(name="Ada", identity="ada", program=Program.AUDIO, llm=ModelChoice(), tts=ModelChoice())
MAX = ADA.model_copy(update={"name": "Max", "identity": "max"})
ZOE = ADA.model_copy(update={"name": "Zoe", "identity": "zoe"})
OWN = AgentEntry(name="Own", identity="own", program=Program.COMMAND, command=("python", "own.py"))
MODERATED = MeetingRules(floor=FloorMode.MODERATED)
CLOUD = LiveKitCredentials("wss://example.org", "key", SecretStr("secret"))


def roster(*agents: AgentEntry, **changes: object) -> Roster:
    return Roster(file=Path("a.yaml"), room="standup", agents=agents).model_copy(update=changes)


def other(entry: AgentEntry, **changes: object) -> AgentEntry:
    return entry.model_copy(update=changes)


@dataclass(frozen=True)
class Case:
    before: Roster
    after: Roster
    expected: Plan
    joined: frozenset[str] = field(default_factory=frozenset)


CASES = {
    "nothing": Case(roster(ADA, MAX), roster(ADA, MAX), Plan(unchanged=(ADA, MAX))),
    "another file that says the same": Case(roster(ADA), roster(ADA, file=Path("b.yaml")), Plan(unchanged=(ADA,))),
    "from a pipe, with other variables": Case(
        roster(ADA),
        roster(ADA, file=Path("-"), env_file=Path("x.env"), streams={"-": SecretStr("agents: []")}),
        Plan(unchanged=(ADA,)),
    ),
    "another order": Case(roster(ADA, MAX), roster(MAX, ADA), Plan(unchanged=(MAX, ADA))),
    "one added": Case(roster(ADA), roster(ADA, MAX), Plan(added=(MAX,), unchanged=(ADA,))),
    "one removed": Case(roster(ADA, MAX), roster(MAX), Plan(removed=(ADA,), unchanged=(MAX,))),
    "one changed": Case(
        roster(ADA, MAX),
        roster(ADA, other(MAX, persona="Brief.", voice=Voice(pitch=1.2))),
        Plan(
            replaced=(Replaced(other(MAX, persona="Brief.", voice=Voice(pitch=1.2)), ("persona", "voice")),),
            unchanged=(ADA,),
        ),
    ),
    "a key changed": Case(
        roster(other(ADA, env={"KEY": SecretStr("one")})),
        roster(other(ADA, env={"KEY": SecretStr("two")})),
        Plan(replaced=(Replaced(other(ADA, env={"KEY": SecretStr("two")}), ("env",)),)),
    ),
    "another identity of the same name": Case(
        roster(ADA), roster(other(ADA, identity="ada-2")), Plan(added=(other(ADA, identity="ada-2"),), removed=(ADA,))
    ),
    "one who left and is in the file": Case(roster(ADA), roster(ADA, MAX), Plan(added=(MAX,), unchanged=(ADA,))),
    "who joined stays": Case(roster(ADA, ZOE), roster(ADA), Plan(unchanged=(ADA, ZOE)), joined=frozenset({"zoe"})),
    "who joined is named now": Case(
        roster(ADA, ZOE), roster(ADA, ZOE), Plan(unchanged=(ADA, ZOE)), joined=frozenset({"zoe"})
    ),
    "who joined is another now": Case(
        roster(ADA, ZOE),
        roster(ADA, other(ZOE, persona="New.")),
        Plan(replaced=(Replaced(other(ZOE, persona="New."), ("persona",)),), unchanged=(ADA,)),
        joined=frozenset({"zoe"}),
    ),
    "defaults touch nobody": Case(
        roster(ADA),
        roster(ADA, llm=ModelChoice(model="other")),
        Plan(unchanged=(ADA,), settings=("llm",)),
    ),
    "ears are the chair's": Case(
        roster(ADA),
        roster(ADA, stt=ModelChoice(model="other")),
        Plan(unchanged=(ADA,), settings=("stt",), restarts_chair=True),
    ),
    "a moderator's model is the chair's too": Case(
        roster(ADA, rules=MODERATED),
        roster(ADA, rules=MODERATED, llm=ModelChoice(model="other")),
        Plan(unchanged=(ADA,), settings=("llm",), restarts_chair=True),
    ),
    "a judge is the chair's": Case(
        roster(ADA),
        roster(ADA, judge=ModelChoice(model="other")),
        Plan(unchanged=(ADA,), settings=("judge",), restarts_chair=True),
    ),
    "the topic is told to every agent of ours, joined ones too": Case(
        roster(ADA, OWN, ZOE),
        roster(ADA, OWN, topic="Launch"),
        Plan(
            replaced=(Replaced(ADA, ("topic",)), Replaced(ZOE, ("topic",))),
            unchanged=(OWN,),
            settings=("topic",),
        ),
        joined=frozenset({"zoe"}),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_only_what_changed_is_touched(case: Case) -> None:
    found = plan(case.before, case.after, joined=case.joined)
    assert found == case.expected
    assert found.is_empty == (not (found.added or found.removed or found.replaced or found.settings))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"livekit": CLOUD}, "livekit"),
        ({"room": "other"}, "room"),
        ({"livekit": CLOUD, "room": "other"}, "room, livek"),
    ],
)
def test_what_cannot_change_while_it_runs_is_refused_by_name(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConflictError, match=named) as caught:
        plan(roster(ADA), roster(ADA, **changes))
    assert "secret" not in caught.value.message
    assert caught.value.hint == "meetctl down standup, then up again"


def test_a_name_that_somebody_who_joined_bears_is_refused() -> None:
    with pytest.raises(ConflictError, match="joined as zoe"):
        plan(roster(ADA, ZOE), roster(ADA, other(ZOE, identity="zoe-2")), joined={"zoe"})


def test_a_plan_in_words_holds_names_and_no_values() -> None:
    after = roster(other(MAX, env={"KEY": SecretStr("sentinel-4711")}), ZOE)
    told = plan(roster(ADA, MAX), after).as_dict()
    assert told == {
        "added": [{"name": "Zoe", "identity": "zoe", "program": "audio"}],
        "removed": [{"name": "Ada", "identity": "ada", "program": "audio"}],
        "replaced": [{"name": "Max", "identity": "max", "program": "audio", "because": ["env"]}],
        "unchanged": [],
        "settings": [],
        "restarts_chair": False,
    }
