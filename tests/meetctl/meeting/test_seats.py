"""What a seat's process says of itself, and what that proves."""

from __future__ import annotations

import pytest

from meetctl.meeting.seats import shows_face
from meetctl.protocol import Degraded, IceState, LegStats, Ready
from meetctl.supervisor.events import WireEvent


@pytest.mark.parametrize(
    ("event", "shows"),
    [
        (LegStats(leg="simli", ice=IceState.COMPLETED, video_fps=25), True),
        (LegStats(leg="simli", ice=IceState.CHECKING, video_fps=0), False),
        (LegStats(leg="simli", ice=IceState.CHECKING), False),
        (LegStats(leg="room", ice=IceState.CONNECTED, video_fps=25), False),
        (Degraded(reason="no credit"), True),
        (Degraded(reason=None), False),
        (Ready(), False),
    ],
)
def test_a_face_is_proven_by_its_first_picture_or_by_going_on_without_one(event: WireEvent, shows: bool) -> None:
    assert shows_face(event) is shows
