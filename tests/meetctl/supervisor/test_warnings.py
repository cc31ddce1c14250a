"""What is warned of is counted, stays while it holds, and goes when it is over."""

from __future__ import annotations

from meetctl.protocol import (
    Recovered,
    Unanswered,
    Warn,
)
from meetctl.supervisor.events import (
    ChildMessage,
    Warned,
)
from meetctl.supervisor.seat import WARNING_S
from meetctl.supervisor.state import MeetingState, apply, as_of
from tests.meetctl.supervisor.folding import BEGUN, folded, said


def test_a_warning_that_is_repeated_is_counted_figures_aside_and_over_when_it_is_no_longer_said() -> None:
    state = folded([*BEGUN, *(ChildMessage("max", Warn(message=f"slow: {n}.5 s"), 10.0 + n) for n in range(3))])
    seat = state.seats["max"]
    assert (seat.warning, seat.warned_at, seat.warnings) == ("slow: 2.5 s", 12.0, 3)
    assert as_of(state, 12.0 + WARNING_S - 0.1).seats["max"].warning == "slow: 2.5 s"
    over = as_of(state, 12.0 + WARNING_S).seats["max"]
    assert (over.warning, over.warnings) == (None, 0)


def test_a_warning_that_holds_stays_until_it_is_taken_back() -> None:
    state = folded([*BEGUN, Warned("max", "the disk is full", 10.0)])
    assert as_of(state, 10_000.0).seats["max"].warning == "the disk is full"
    assert apply(state, Warned("max", "", 20.0)).seats["max"].warning is None


def test_an_agent_that_did_not_answer_is_said_to_beside_what_it_warned_of_itself(chair: MeetingState) -> None:
    unanswered = said("chair", Unanswered(identity="max", line_id="u1", speaker="sam"))
    state = folded([*BEGUN, unanswered], chair)
    assert state.seats["max"].warning == "did not answer what it was asked"
    failing = [*BEGUN, said("max", Warn(message="could not answer: 503")), unanswered, unanswered]
    assert folded(failing, chair).seats["max"].warning == "did not answer what it was asked: could not answer: 503"


def test_a_warning_that_holds_stays_as_it_is_where_its_agent_does_not_answer_either(chair: MeetingState) -> None:
    held = Warned("max", "wants to use send: meetctl approve 1, or deny 1", 10.0)
    unanswered = said("chair", Unanswered(identity="max", line_id="u1", speaker="sam"))
    state = folded([*BEGUN, held, unanswered], chair)
    assert state.seats["max"].warning == held.message
    later = apply(apply(state, Warned("max", "", 20.0)), unanswered)
    assert later.seats["max"].warning == "did not answer what it was asked"
    over = as_of(later, 10_000.0)
    assert over.seats["max"].warning is None


def test_a_warning_goes_when_its_child_says_that_it_is_over_and_no_other_with_it() -> None:
    failing = [
        *BEGUN,
        ChildMessage("max", Warn(message="the language model fails: 503", about="the language model"), 10.0),
    ]
    other = [*failing, ChildMessage("max", Recovered(about="the speech model"), 11.0)]
    assert folded(other).seats["max"].warning == "the language model fails: 503"
    over = [*other, ChildMessage("max", Recovered(about="the language model"), 12.0)]
    assert (folded(over).seats["max"].warning, folded(over).seats["max"].warned_at) == (None, None)
    untold = [
        *over,
        ChildMessage("max", Warn(message="slow"), 13.0),
        ChildMessage("max", Recovered(about="the language model"), 14.0),
    ]
    assert folded(untold).seats["max"].warning == "slow"


def test_an_older_fault_that_is_over_takes_back_no_warning_of_somebody_else_s() -> None:
    fault = ChildMessage("max", Warn(message="the language model fails: 503", about="the language model"), 10.0)
    asks = Warned("max", "wants to use send: meetctl approve 1, or deny 1", 11.0)
    recovered = ChildMessage("max", Recovered(about="the language model"), 12.0)
    assert folded([*BEGUN, fault, asks, recovered]).seats["max"].warning == asks.message
