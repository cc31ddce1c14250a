"""What a session leaves: nothing that the server would keep for ever."""

from __future__ import annotations

import asyncio

import pytest

from meetctl.local.simli.sessions import stage as module
from meetctl.local.simli.sessions.memory import give_back
from meetctl.local.simli.sessions.stage import Stage
from meetctl.local.simli.sessions.tokens import SessionRequest


async def test_what_a_session_used_is_given_back_once_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, given = asyncio.get_running_loop(), asyncio.Event()
    monkeypatch.setattr(module, "LET_GO_S", 0.0)
    monkeypatch.setattr(module, "give_back", lambda: loop.call_soon_threadsafe(given.set))
    stage = Stage(size=64, fps=5)
    try:
        async with stage.session(SessionRequest(face_id="f")):
            assert not given.is_set()
        async with asyncio.timeout(20):
            await given.wait()
    finally:
        stage.close()


def test_where_the_system_takes_nothing_back_nothing_happens() -> None:
    give_back()
