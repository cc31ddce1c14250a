from __future__ import annotations

from datetime import UTC, datetime

import pytest

from meetctl.display.log_lines import LogLines, spoken_line, without_controls

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
