from __future__ import annotations

import pytest

from meetctl.protocol import Step
from meetctl.protocol.steps import KEPT, Steps


def test_what_was_done_before_anybody_asked_is_told_to_who_asks_and_what_follows_too() -> None:
    steps, told = Steps(), list[Step]()
    with steps.step("load"):
        pass
    steps.tell(told.append)
    with pytest.raises(ValueError, match="refused"), steps.step("join"):
        raise ValueError("refused")
    assert [step.name for step in told] == ["load", "join"]
    assert all(step.began <= step.ended for step in told)
    assert told[0].ended <= told[1].began


def test_where_nobody_asks_nothing_is_kept() -> None:
    steps, told = Steps(), list[Step]()
    with steps.step("load"):
        pass
    steps.tell(None)
    with steps.step("join"):
        pass
    steps.tell(told.append)
    assert told == []


def test_a_process_that_is_never_asked_keeps_only_so_many() -> None:
    steps, told = Steps(), list[Step]()
    for number in range(KEPT + 5):
        steps.note(f"step {number}", 0.0)
    steps.tell(told.append)
    assert [step.name for step in told] == [f"step {number}" for number in range(KEPT)]
