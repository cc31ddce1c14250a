from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from meetctl.display.log_lines import LogLines, spoken_line, without_controls
from meetctl.display.plan_lines import plan_lines

AT = datetime(2026, 1, 1, 12, 0, 1, 5000, tzinfo=UTC)
CLOCK = f"{AT.astimezone():%H:%M:%S}"


def test_names_have_one_width_and_each_its_own_colour() -> None:
    plain = LogLines(["ada", "livekit-server"], colours=False)
    assert plain.line(AT, "ada", "hello") == f"{CLOCK}.005 ada            | hello"
    coloured = LogLines(["ada", "max"], colours=True)
    ada, max_, late = (coloured.line(AT, seat, "x") for seat in ("ada", "max", "zoe"))
    assert ada.startswith("\x1b[") and ada.endswith("\x1b[0m x")
    assert len({line.split("m", 1)[0] for line in (ada, max_, late)}) == 3


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;aGVsbG8=\x1b\\text", "text"),
        ("a\tb", "a    b"),
        ("a\rb\x00\x9bc", "a bc"),
        ("Zoë — ok", "Zoë — ok"),
    ],
)
def test_nothing_in_a_line_can_drive_the_terminal(written: str, shown: str) -> None:
    assert without_controls(written) == shown


def test_what_was_said_has_its_time_its_speaker_and_where_it_was_cut_off() -> None:
    assert spoken_line(AT, "Ada", "Hello.", interrupted=False) == f"{CLOCK} Ada: Hello."
    assert spoken_line(AT, "A\x1b[2Jda", "I was", interrupted=True) == f"{CLOCK} Ada: I was —"
    assert spoken_line(AT, None, "Max was muted", interrupted=False) == f"{CLOCK} * Max was muted"


def test_a_plan_says_what_is_touched_and_what_is_not() -> None:
    ada, max_, zoe, leo = (
        {"name": name, "identity": name.lower(), "program": "audio"} for name in ("Ada", "Max", "Zoe", "Leo")
    )
    plan = {
        "added": [zoe],
        "removed": [leo],
        "replaced": [max_ | {"because": ["persona", "voice"]}],
        "unchanged": [ada],
        "settings": ["stt"],
        "restarts_chair": True,
    }
    assert plan_lines("standup", plan) == [
        "standup: ~ stt of the meeting",
        "standup: ~ Chair: started again",
        "standup: - Leo (audio)",
        "standup: ~ Max (audio): persona, voice",
        "standup: + Zoe (audio)",
        "standup: = Ada unchanged",
    ]
    untouched: dict[str, Any] = {"added": [], "removed": [], "replaced": [], "settings": [], "restarts_chair": False}
    assert plan_lines("standup", untouched | {"unchanged": [ada]}) == ["standup: nothing to change"]
