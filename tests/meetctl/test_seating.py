"""Whose seat a participant is in: told by its attribute, and only where its identity says the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.protocol.seating import SEAT_ATTRIBUTE, job_identity, job_of, seat_of
from meetctl.roster.kinds import _IDENTITY

SEATS = st.from_regex(_IDENTITY, fullmatch=True)


@given(SEATS, st.integers(1, 10**12))
def test_a_job_is_in_the_seat_that_it_was_made_for(seat: str, job: int) -> None:
    identity = job_identity(seat, job)
    assert seat_of(identity, {SEAT_ATTRIBUTE: seat}, is_agent=True) == seat
    assert job_of(identity) == job


@given(SEATS)
def test_whoever_has_the_identity_of_the_seat_is_in_it_by_no_job(seat: str) -> None:
    assert seat_of(seat, {SEAT_ATTRIBUTE: seat}, is_agent=True) == seat
    assert job_of(seat) == 0


@pytest.mark.parametrize(
    ("identity", "said", "is_agent"),
    [
        ("eve", "chair", True),
        ("eve~7", "chair", True),
        ("chair~", "chair", True),
        ("chair~x", "chair", True),
        ("chair~7", "chair", False),
        ("chair~7", "", True),
    ],
)
def test_nobody_takes_another_seat_by_an_attribute_or_by_an_identity_alone(
    identity: str, said: str, is_agent: bool
) -> None:
    assert seat_of(identity, {SEAT_ATTRIBUTE: said}, is_agent=is_agent) == identity
