"""What the doctor says of a proxy in front, by what arrived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from meetctl.doctor.findings import Level
from meetctl.doctor.proxy import Passed, judge_proxy
from meetctl.local.ports import free_tcp_port
from meetctl.reach import opening
from meetctl.reach.opening import Reach, open_reach
from meetctl.roster import PublicUrl, ReachChoice
from tests.meetctl.reach.conftest import HERE

WELL = Passed(status=200, is_ours=True, host="meet.example.org", names_visitor=True, echoes=True)


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    public = PublicUrl("meet.example.org", "/team")
    with open_reach(ReachChoice(host="auto", port=free_tcp_port(), public_url=public), tmp_path) as reach:
        assert reach is not None
        yield reach


def test_one_that_passes_everything_on_is_good(reach: Reach) -> None:
    (finding,) = judge_proxy(reach, WELL)
    assert (finding.level, "https://meet.example.org/team/ arrives here" in finding.message) == (Level.OK, True)


@pytest.mark.parametrize(
    ("passed", "level", "told", "hint"),
    [
        (Passed("Name or service not known"), Level.FAILURE, "cannot be asked from here: Name or", "let the name lead"),
        (Passed(status=502), Level.FAILURE, "answers 502, and not from here", "pass it on to http://127.0.0.1:"),
        (
            replace(WELL, host="127.0.0.1:7444"),
            Level.FAILURE,
            "passes on Host: 127.0.0.1:7444, not meet.example.org",
            "proxy_set_header Host $http_host",
        ),
        (replace(WELL, echoes=False), Level.FAILURE, "lets no WebSocket through", "proxy_http_version 1.1"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    reach: Reach, passed: Passed, level: Level, told: str, hint: str
) -> None:
    (finding,) = judge_proxy(reach, passed)
    assert finding.level is level
    assert told in finding.message and hint in str(finding.hint)


def test_one_that_does_not_say_who_asks_is_warned_of(reach: Reach) -> None:
    warning, well = judge_proxy(reach, replace(WELL, names_visitor=False))
    assert (warning.level, well.level) == (Level.WARNING, Level.OK)
    assert "does not say who asks" in warning.message and "X-Forwarded-For" in str(warning.hint)
