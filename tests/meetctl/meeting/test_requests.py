"""Whatever is asked over the control socket is answered: what it says wrongly by name, a bug as a bug."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meetctl.errors import BugError, UsageError
from meetctl.meeting.meeting import Meeting
from meetctl.meeting.requests import handlers, streams
from meetctl.supervisor.control import ControlServer, ask, follow

NOBODY = cast(Meeting, SimpleNamespace())
"""A meeting that knows nothing: whatever is looked up in it is a bug."""

WRONG = [
    ({"do": "join"}, "entry or name"),
    ({"do": "join", "entry": {"name": "Ada", "sentinel": "4711"}}, "entry.identity"),
    ({"do": "leave"}, "agent"),
    ({"do": "restart", "agent": 7}, "agent"),
    ({"do": "reconcile", "roster": {}}, "roster.file"),
    ({"do": "reconcile"}, "roster"),
    ({"do": "direct", "directive": "dance"}, "directive"),
    ({"do": "down", "timeout_s": "soon"}, "timeout_s"),
    ({"do": "down", "timeout_s": -1}, "timeout_s"),
    ({"do": "down", "timeout_s": float("inf")}, "timeout_s"),
    ({"do": "wait"}, "timeout_s"),
    ({"do": "wait", "timeout_s": 1, "seats": "all"}, "seats"),
    ({"do": "link", "name": ["Bob"]}, "name"),
]


@pytest.mark.parametrize(("request_", "named"), WRONG, ids=lambda value: str(value)[:60])
async def test_a_request_that_says_too_little_or_wrong_is_answered_with_what(
    tmp_path: Path, request_: dict[str, Any], named: str
) -> None:
    async with ControlServer(tmp_path / "s", handlers(NOBODY)):
        with pytest.raises(UsageError, match=named) as caught:
            await ask(tmp_path / "s", request_, timeout_s=60)
    assert "4711" not in caught.value.message, "what stands there may be secret"


@pytest.mark.parametrize("what", [{}, {"fault": "earthquake"}, {"fault": "kill", "stall_s": 1}])
async def test_a_drill_that_says_too_little_or_wrong_is_answered_with_what(
    tmp_path: Path, what: dict[str, Any]
) -> None:
    async with ControlServer(tmp_path / "s", {}, streams(NOBODY)):
        with pytest.raises(UsageError, match=r"fault|bound_s"):
            async for _ in follow(tmp_path / "s", {"do": "drill", **what}):
                raise AssertionError


@pytest.mark.parametrize(
    "request_",
    [{"do": "status"}, {"do": "where"}, {"do": "link"}, {"do": "down"}, {"do": "leave", "agent": "Ada"}],
    ids=lambda request: str(request["do"]),
)
async def test_a_bug_in_any_request_is_answered_as_a_bug(tmp_path: Path, request_: dict[str, Any]) -> None:
    bugs: list[str] = []
    async with ControlServer(tmp_path / "s", handlers(NOBODY), bug=lambda do, _: bugs.append(do)):
        with pytest.raises(BugError, match="AttributeError"):
            await ask(tmp_path / "s", request_, timeout_s=60)
    assert bugs == [request_["do"]]
