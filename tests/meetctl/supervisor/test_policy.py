from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.protocol import RestartPolicy
from meetctl.supervisor.policy import (
    FIRST_DELAY_S,
    MAX_DELAY_S,
    GiveUp,
    Leave,
    Restart,
    Run,
    next_action,
)


def crashes(count: int, *, apart_s: float = 5.0, ready: bool = False, after: float = 0.0) -> list[Run]:
    return [
        Run(
            started_at=after + index * apart_s,
            ready_at=after + index * apart_s if ready else None,
            ended_at=after + index * apart_s + 0.1,
            returncode=1,
        )
        for index in range(count)
    ]


@pytest.mark.parametrize(
    ("policy", "returncode", "expected"),
    [
        (RestartPolicy.ON_FAILURE, 0, Leave()),
        (RestartPolicy.NO, 0, Leave()),
        (RestartPolicy.ALWAYS, 0, Restart(0.0)),
        (RestartPolicy.ON_FAILURE, 1, Restart(0.0)),
        (RestartPolicy.ON_FAILURE, -9, Restart(0.0)),
        (RestartPolicy.NO, 1, GiveUp("its restart policy is `no`")),
    ],
)
def test_each_policy_decides_by_how_a_healthy_process_ended(
    policy: RestartPolicy, returncode: int, expected: object
) -> None:
    run = Run(started_at=0, ready_at=1, ended_at=100, returncode=returncode)
    assert next_action(policy, [run], 0) == expected


def test_a_process_that_says_it_cannot_be_helped_is_not_started_again() -> None:
    run = Run(started_at=0, ready_at=None, ended_at=1, returncode=1, permanent=True)
    assert isinstance(next_action(RestartPolicy.ALWAYS, [run], 0), GiveUp)


def test_delays_double_from_half_a_second() -> None:
    delays = [next_action(RestartPolicy.ON_FAILURE, crashes(count, apart_s=30), 0) for count in (1, 2, 3)]
    assert delays == [Restart(FIRST_DELAY_S), Restart(FIRST_DELAY_S * 2), Restart(FIRST_DELAY_S * 4)]


def test_five_failures_within_a_minute_are_fatal() -> None:
    assert isinstance(next_action(RestartPolicy.ON_FAILURE, crashes(4), 0), Restart)
    assert isinstance(next_action(RestartPolicy.ON_FAILURE, crashes(5), 0), GiveUp)


def test_slow_failures_are_tried_again_without_end() -> None:
    assert next_action(RestartPolicy.ON_FAILURE, crashes(50, apart_s=40), 0) == Restart(MAX_DELAY_S)


def test_a_minute_of_health_clears_the_record() -> None:
    runs = [*crashes(4), Run(started_at=30, ready_at=31, ended_at=200, returncode=1)]
    assert next_action(RestartPolicy.ON_FAILURE, runs, 0) == Restart(0.0)


@given(st.integers(1, 200), st.floats(0.2, 500), st.floats(-1, 1), st.booleans())
def test_a_delay_is_never_negative_nor_beyond_the_cap(count: int, apart_s: float, jitter: float, ready: bool) -> None:
    action = next_action(RestartPolicy.ON_FAILURE, crashes(count, apart_s=apart_s, ready=ready), jitter)
    assert isinstance(action, GiveUp) or (isinstance(action, Restart) and 0 <= action.delay_s <= MAX_DELAY_S)
