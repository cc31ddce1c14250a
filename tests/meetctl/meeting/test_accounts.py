"""What a seat has used over all its processes, and the avatar sessions that it leaves open."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from meetctl.meeting.accounts import Account, Accounts, booked
from meetctl.protocol import AvatarSession, Purpose, Usage, UsageKind, UsageTotals
from meetctl.supervisor.events import ChildMessage, Exited, Proof, SeatAdded, SeatEvent, SeatKind, SeatRemoved, Started

ADDED = SeatAdded("ada", "Ada", SeatKind.AGENT, "simli", frozenset({Proof.READY}), 0)
BEGUN: list[SeatEvent] = [ADDED, Started("ada", 7, at=1)]


def tokens(amount: float, purpose: Purpose = Purpose.ANSWERS, model: str = "small") -> Usage:
    return Usage(kind=UsageKind.LLM_TOKENS, amount=amount, purpose=purpose, provider="openai", model=model)


def avatar(seconds: float) -> Usage:
    return Usage(kind=UsageKind.AVATAR_SECONDS, amount=seconds)


def said(event: UsageTotals | AvatarSession) -> ChildMessage:
    return ChildMessage("ada", event, at=2)


def account(events: Iterable[SeatEvent]) -> Account:
    folded = Account()
    for event in events:
        folded = booked(folded, event)
    return folded


def test_avatar_time_is_counted_over_all_processes_of_a_seat() -> None:
    assert account(BEGUN).spending.total == ()
    first = (said(UsageTotals(avatar_seconds=10)), said(UsageTotals(avatar_seconds=12.5)))
    again = (Exited("ada", -9, (), at=4), Started("ada", 8, at=5), said(UsageTotals(avatar_seconds=2)))
    assert account([*BEGUN, *first, *again]).spending.total == (avatar(14.5),)


def test_what_is_counted_is_kept_apart_by_purpose_and_model_and_summed_over_restarts() -> None:
    first = said(UsageTotals.of([tokens(5), tokens(3, Purpose.JUDGE), tokens(2, model="large")]))
    again = (Exited("ada", 1, (), at=4), Started("ada", 8, at=5), said(UsageTotals.of([tokens(7), tokens(1)])))
    assert account([*BEGUN, first, *again]).spending.total == (
        tokens(13),
        tokens(3, Purpose.JUDGE),
        tokens(2, model="large"),
    )


def test_the_totals_that_were_there_first_still_say_what_all_records_come_to() -> None:
    used = (tokens(5), tokens(3, Purpose.JUDGE), avatar(1.5), Usage(kind=UsageKind.TTS_CHARACTERS, amount=40))
    totals = UsageTotals.of(used)
    assert (totals.llm_tokens, totals.avatar_seconds, totals.tts_characters, totals.used) == (8, 1.5, 40, used)
    assert totals.records == used


def test_a_program_that_tells_only_totals_is_counted_too() -> None:
    told = UsageTotals(llm_tokens=9, used=(avatar(2),), avatar_seconds=2)
    assert told.records == (avatar(2), Usage(kind=UsageKind.LLM_TOKENS, amount=9))


def test_a_late_word_of_a_process_that_is_gone_counts_for_nothing() -> None:
    gone = [*BEGUN, said(UsageTotals(llm_tokens=9)), Exited("ada", -9, (), at=4)]
    assert account([*gone, said(UsageTotals(llm_tokens=10))]) == account(gone)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_session_that_a_killed_process_left_open_is_remembered_until_it_ends_by_itself(restarted: bool) -> None:
    told = [
        said(AvatarSession(id="a", opened=True, until=1300)),
        said(AvatarSession(id="b", opened=True, until=1900)),
        said(AvatarSession(id="a", opened=False)),
    ]
    assert account([*BEGUN, *told]).sessions.run_on_until(1000) is None
    history: list[SeatEvent] = [*BEGUN, *told, Exited("ada", -9, (), at=4)]
    if restarted:
        history += [Started("ada", 8, at=5), said(AvatarSession(id="c", opened=True, until=2500))]
    assert account(history).sessions.run_on_until(1000) == 1900
    assert account(history).sessions.run_on_until(1901) is None


def test_a_process_that_closed_its_sessions_leaves_none() -> None:
    told = [AvatarSession(id="a", opened=True, until=1300), AvatarSession(id="a", opened=False)]
    assert account([*BEGUN, *map(said, told), Exited("ada", 0, (), at=3)]).sessions.run_on_until(0) is None


def test_a_seat_that_is_taken_away_is_forgotten() -> None:
    accounts = Accounts()
    for event in (*BEGUN, said(UsageTotals(llm_tokens=9)), said(AvatarSession(id="a", opened=True, until=1300))):
        accounts.observe(event)
    assert accounts.used() == {"ada": (Usage(kind=UsageKind.LLM_TOKENS, amount=9),)}
    accounts.observe(Exited("ada", -9, (), at=4))
    assert accounts.avatars_run_on(1000) == {"ada": 1300}
    accounts.observe(SeatRemoved("ada", at=5))
    assert (accounts.used(), accounts.avatars_run_on(1000)) == ({}, {})
