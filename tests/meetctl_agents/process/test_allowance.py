"""A burst, then a steady rate, for each person alone."""

from __future__ import annotations

from meetctl_agents.process.allowance import Allowances, Verdict


def test_a_burst_is_taken_and_then_one_a_second() -> None:
    allowances = Allowances(10, 1.0)
    verdicts = [allowances.take("sam", 0.1 * number) for number in range(100)]
    assert verdicts[:10] == [Verdict.TAKEN] * 10
    assert verdicts.count(Verdict.TAKEN) == 10 + 9


def test_a_flood_is_told_once_however_long_it_lasts_and_again_after_a_rest() -> None:
    allowances = Allowances(10, 1.0)
    flood = [allowances.take("sam", 0.01 * number) for number in range(5000)]
    assert flood.count(Verdict.REFUSED_FIRST) == 1
    assert [allowances.take("sam", 70 + 0.01 * number) for number in range(11)] == [
        *[Verdict.TAKEN] * 10,
        Verdict.REFUSED_FIRST,
    ]


def test_nobody_pays_for_another() -> None:
    allowances = Allowances(10, 1.0)
    for _ in range(3000):
        allowances.take("mallory", 0.0)
    assert allowances.take("sam", 0.0) is Verdict.TAKEN


def test_who_did_nothing_for_a_while_is_forgotten() -> None:
    allowances = Allowances(10, 1.0)
    for number in range(1000):
        allowances.take(f"guest-{number}", float(number))
    assert len(allowances) <= 11
