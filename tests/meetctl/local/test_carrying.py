from __future__ import annotations

import pytest

from meetctl.local.carrying import AUDIO, BRIDGED, DIRECT, MEETING, Machine


@pytest.mark.parametrize("picture_ms", [0.5, 2.3, 10.0, 40.0])
def test_as_many_as_there_is_room_for_fit_and_one_more_does_not(picture_ms: float) -> None:
    machine = Machine(4, picture_ms)
    for price in (BRIDGED, DIRECT, AUDIO):
        count = machine.room_for(price)
        assert MEETING.on(picture_ms) + count * price.on(picture_ms) <= machine.percent
        assert MEETING.on(picture_ms) + (count + 1) * price.on(picture_ms) > machine.percent
    assert machine.room_for(BRIDGED) <= machine.room_for(DIRECT) <= machine.room_for(AUDIO)


def test_two_avatars_and_two_voices_are_bridged_where_two_cores_are_fast_and_one_is_not_where_they_are_slow() -> None:
    assert Machine(2, 2.3).bridged_of(2, 2) == 2
    assert Machine(2, 10.0).bridged_of(2, 2) == 2
    assert Machine(2, 10.0).bridged_of(3, 2) == 1
    assert Machine(2, 17.0).bridged_of(2, 2) == 1
    assert Machine(1, 10.0).bridged_of(1, 0) == 1
    assert Machine(1, 40.0).bridged_of(1, 0) == 0


def test_cores_that_others_use_carry_nobody() -> None:
    assert Machine(2, 2.3, free=0.5).percent == Machine(1, 2.3).percent
    assert Machine(2, 2.3, free=0.0).room_for(AUDIO) == 0
