"""What is near a limit and what is over it, as tables."""

from __future__ import annotations

import pytest

from meetctl.meeting.limits import (
    MEMORY_WINDOW_S,
    Near,
    Reached,
    SeatUse,
    booked,
    holds_open,
    idle_too_long,
    judge_memory,
    judge_spending,
)
from meetctl.protocol import Usage, UsageKind, UsageTotals
from meetctl.rooms import ParticipantInfo, ParticipantKind
from meetctl.roster import Budget, Limits
from meetctl.supervisor.events import ChildMessage, Exited, Proof, SeatAdded, SeatEvent, SeatKind, Started, Stopping

LIMITS = Limits(memory_mb=500)


def used(**amounts: float) -> tuple[Usage, ...]:
    return tuple(Usage(kind=UsageKind(kind), amount=amount) for kind, amount in amounts.items() if amount)


NOW = 10_000.0


@pytest.mark.parametrize(
    ("used", "limits", "message"),
    [
        (9999.0, Limits(), None),
        (399.9, LIMITS, None),
        (400.0, LIMITS, "uses 400 MB of memory, of 500 MB that it may"),
        (499.9, LIMITS, "uses 500 MB of memory, of 500 MB that it may"),
    ],
)
def test_memory_is_warned_of_from_four_fifths_on(used: float, limits: Limits, message: str | None) -> None:
    assert judge_memory(used, limits, (), NOW) == (None if message is None else Near(message))


@pytest.mark.parametrize(
    ("ends", "permanent"),
    [
        ((), False),
        ((NOW - 60,), False),
        ((NOW - 120, NOW - 60), True),
        ((NOW - MEMORY_WINDOW_S, NOW - 60), False),
        ((NOW - 300, NOW - 120, NOW - 60), True),
    ],
)
def test_too_much_memory_is_an_end_and_the_third_time_in_the_window_for_good(
    ends: tuple[float, ...], permanent: bool
) -> None:
    verdict = judge_memory(500.0, LIMITS, ends, NOW)
    assert isinstance(verdict, Reached)
    assert verdict.permanent is permanent
    assert verdict.message.startswith("used 500 MB of memory; its limit is 500 MB")
    assert ("3 times within 30 minutes" in verdict.message) is (permanent and len(ends) == 2)
    assert "limits: {memory: …}" in verdict.hint


@pytest.mark.parametrize(
    ("spent", "budget", "verdict"),
    [
        (used(avatar_seconds=1e9), Budget(), None),
        (used(llm_tokens=79), Budget(llm_tokens=100), None),
        (used(llm_tokens=80), Budget(llm_tokens=100), "has spent 80 of 100 tokens of its language model"),
        (used(avatar_seconds=570.2), Budget(avatar_seconds=600), "has spent 570 of 600 seconds of avatar"),
        (
            used(avatar_seconds=500, tts_characters=95),
            Budget(avatar_seconds=600, tts_characters=100),
            "has spent 95 of 100 characters of speech",
        ),
        (used(avatar_seconds=1e9), Budget(llm_tokens=100), None),
    ],
)
def test_spending_is_warned_of_by_the_fullest_part(
    spent: tuple[Usage, ...], budget: Budget, verdict: str | None
) -> None:
    assert judge_spending(spent, budget) == (None if verdict is None else Near(verdict))


def test_a_spent_budget_is_an_end_for_good() -> None:
    verdict = judge_spending(used(llm_tokens=101, tts_characters=90), Budget(llm_tokens=100, tts_characters=100))
    assert verdict == Reached(
        "its budget is spent: 101 of 100 tokens of its language model",
        "raise its budget: {llm_tokens: …} in the roster and run `meetctl up` again, or `meetctl restart` it",
        permanent=True,
    )


def said(tokens: int) -> SeatEvent:
    return ChildMessage("ada", UsageTotals(llm_tokens=tokens), 0.0)


STARTED = Started("ada", 7, 0.0)
CRASHED = Exited("ada", 3, (), 0.0)


@pytest.mark.parametrize(
    ("events", "tokens"),
    [
        ((STARTED, said(10), said(30)), 30),
        ((STARTED, said(30), CRASHED, STARTED), 30),
        ((STARTED, said(30), CRASHED, STARTED, said(5), CRASHED, STARTED, said(1)), 36),
        ((STARTED, said(30), Stopping("ada", 0.0), Exited("ada", 0, (), 0.0), STARTED, said(2)), 2),
        ((STARTED, said(30), SeatAdded("ada", "Ada", SeatKind.AGENT, "audio", frozenset({Proof.READY}), 0.0)), 0),
    ],
)
def test_a_crash_forgives_nothing_and_a_person_who_starts_it_again_everything(
    events: tuple[SeatEvent, ...], tokens: int
) -> None:
    account = SeatUse()
    for event in events:
        account = booked(account, event)
    assert account.spending.total == used(llm_tokens=tokens)


@pytest.mark.parametrize(
    ("kind", "role", "holds"),
    [
        (ParticipantKind.STANDARD, None, True),
        (ParticipantKind.OTHER, None, True),
        (ParticipantKind.AGENT, None, False),
        (ParticipantKind.AGENT, "agent", False),
        (ParticipantKind.AGENT, "chair", False),
        (ParticipantKind.STANDARD, "agent", False),
    ],
)
def test_people_hold_a_meeting_open_and_agents_do_not(kind: ParticipantKind, role: str | None, holds: bool) -> None:
    attributes = {} if role is None else {"mc.role": role}
    assert holds_open(ParticipantInfo("x", "X", kind, True, attributes, frozenset())) is holds


@pytest.mark.parametrize(
    ("last_person_at", "timeout", "over"), [(0, None, False), (9_000, 1000, True), (9_001, 1000, False)]
)
def test_a_meeting_is_over_when_nobody_came_for_so_long(
    last_person_at: float, timeout: float | None, over: bool
) -> None:
    assert idle_too_long(last_person_at, NOW, timeout) is over


def test_an_agent_that_joins_as_a_person_does_not_hold_a_meeting_open() -> None:
    legacy = ParticipantInfo("legacy", "Legacy", ParticipantKind.STANDARD, True, {}, frozenset())
    assert not holds_open(legacy, ("ada", "legacy"))
    assert holds_open(legacy, ("ada",))
