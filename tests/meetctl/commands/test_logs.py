from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from meetctl.commands.logs import parse_since, wanted
from meetctl.errors import UsageError
from meetctl.supervisor.log_reading import LogLine

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("90", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2d", timedelta(days=2)),
    ],
)
def test_a_duration_is_so_long_ago(text: str, ago: timedelta) -> None:
    assert parse_since(text, NOW) == NOW - ago


def test_a_time_with_its_zone_is_that_moment_and_one_without_is_local() -> None:
    assert parse_since("2026-02-28T10:00:00Z", NOW) == datetime(2026, 2, 28, 10, tzinfo=UTC)
    assert parse_since("2026-02-28T10:00:00+02:00", NOW) == datetime(2026, 2, 28, 8, tzinfo=UTC)
    assert parse_since("2026-02-28 10:00", NOW) == datetime(2026, 2, 28, 10).astimezone()
    today = NOW.astimezone()
    assert parse_since("09:30", NOW) == today.replace(hour=9, minute=30)


@pytest.mark.parametrize("text", ["", "yesterday", "5 apples", "25:00", "-5m"])
def test_anything_else_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(UsageError, match="is no time") as caught:
        parse_since(text, NOW)
    assert caught.value.hint is not None and "--since 5m" in caught.value.hint


def test_the_last_lines_are_counted_over_all_seats_after_the_earliest() -> None:
    lines = [LogLine(NOW + timedelta(seconds=n), "ada" if n % 2 else "max", str(n)) for n in range(6)]
    assert [line.text for line in wanted(lines, None, 2)] == ["4", "5"]
    assert [line.text for line in wanted(lines, NOW + timedelta(seconds=3), None)] == ["3", "4", "5"]
    assert list(wanted(lines, NOW + timedelta(seconds=5), 4)) == lines[5:]
    assert list(wanted(lines, None, 0)) == []
