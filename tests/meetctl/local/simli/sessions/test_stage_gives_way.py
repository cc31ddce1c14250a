"""The stage draws less while its pictures come too late, and tells so; what it draws less of is everything but lips."""

from __future__ import annotations

import asyncio

import numpy as np
import psutil
import pytest

from meetctl.local.simli.face.pose import IDLE
from meetctl.local.simli.program import GIVING_WAY, _tell_manner
from meetctl.local.simli.sessions import giving_way, stage
from meetctl.local.simli.sessions.giving_way import Manner
from meetctl.local.simli.sessions.stage import Stage
from meetctl.local.simli.sessions.tokens import SessionRequest
from meetctl.protocol import Model, Recovered, Warn


async def test_late_pictures_make_it_draw_less_and_room_makes_it_draw_all_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stage, "LOOK_S", 0.0)
    monkeypatch.setattr(giving_way, "STRAIN_S", 0.0)
    monkeypatch.setattr(giving_way, "ROOM_S", 0.0)
    monkeypatch.setattr(psutil, "cpu_percent", lambda: 0.0)
    here = Stage(size=64, fps=25)
    here.pace.due, here.pace.left_out = 25, 20
    told: list[Manner] = []

    def tell(manner: Manner) -> None:
        told.append(manner)
        here.pace.due, here.pace.left_out = (25, 20) if len(told) < 2 else (25, 0)
        if len(told) == 4:
            giving.cancel()

    giving = asyncio.create_task(here.give_way(tell))
    try:
        async with asyncio.timeout(5):
            while not giving.done():
                here.pace.due = here.pace.due or 25
                await asyncio.sleep(0)
    finally:
        here.close()
    assert told == [Manner(15), Manner(15, only_lips=True), Manner(15), Manner(25)]
    assert here.pace.manner == Manner(25)


async def test_where_only_the_lips_move_a_face_that_speaks_moves_them_and_nothing_else() -> None:
    here = Stage(size=64, fps=25)
    try:
        async with here.session(SessionRequest(face_id="ada")) as session:
            tone = np.sin(np.arange(16_000) * 2 * np.pi * 220 / 16_000) * 12_000
            session.playout.push(tone.astype("<i2").tobytes())
            for _ in range(30):
                session.next_audio()
            assert session.pose_at(0.5).breath != IDLE.breath
            here.pace.manner = Manner(15, only_lips=True)
            pose = session.pose_at(0.55)
            assert pose.mouth != IDLE.mouth
            assert (pose.blink, pose.turn, pose.nod, pose.breath, pose.gaze_x) == (0, 0, 0, 0, 0)
    finally:
        here.close()


def test_people_are_told_why_faces_are_drawn_less_and_when_that_is_over() -> None:
    told: list[Model] = []
    for manner in (Manner(15), Manner(15, only_lips=True), Manner(25)):
        _tell_manner(told.append, 25, manner)
    first, second, last = told
    assert isinstance(first, Warn) and isinstance(second, Warn)
    assert first.message == "the cores are busy: local faces are drawn 15 times a second instead of 25"
    assert second.message == "the cores are busy: only the lips of local faces move, 15 times a second"
    assert first.about == second.about == GIVING_WAY
    assert last == Recovered(about=GIVING_WAY)
