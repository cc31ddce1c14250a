from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from meetctl.protocol.secrets import Masker
from meetctl.supervisor.log_reading import SeatLogs, Tail, seats_in
from meetctl.supervisor.logs import ChildLog


def numbers(lines: list[str]) -> list[int]:
    return [int(line.rsplit(" ", 1)[1]) for line in lines]


def test_a_log_that_was_turned_over_is_read_from_its_oldest_part_on(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "ada.log", Masker(), max_bytes=1000)
    for number in range(100):
        log.write(f"line {number}")
    log.close()
    kept = sum(path.read_text().count("\n") for path in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 3 and 0 < kept < 100
    with Tail(tmp_path / "ada.log") as tail:
        assert numbers(tail.read()) == list(range(100 - kept, 100))


def test_a_follower_misses_and_repeats_nothing_while_the_log_is_turned_over(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "ada.log", Masker(), max_bytes=400)
    found: list[int] = []
    with Tail(tmp_path / "ada.log") as tail:
        for number in range(200):
            log.write(f"line {number}")
            if number % 7 == 0:  # a part holds about ten lines
                found += numbers(tail.read())
        found += numbers(tail.read())
    log.close()
    assert found == list(range(200))


def test_a_file_that_comes_later_is_read_and_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    with Tail(path) as tail:
        assert tail.read() == []
        with path.open("w") as file:
            file.write("one\ntw")
            file.flush()
            assert tail.read() == ["one"]
            file.write("o\n")
            file.flush()
            assert tail.read() == ["two"]
        assert tail.read() == []


def written(directory: Path, seat: str, *entries: tuple[int, str]) -> None:
    with (directory / f"{seat}.log").open("a") as file:
        file.writelines(f"2026-01-01T12:00:{second:02}.000+00:00 {text}\n" for second, text in entries)


def test_seats_are_merged_by_time_and_a_new_seat_is_noticed(tmp_path: Path) -> None:
    written(tmp_path, "ada", (1, "a1"), (4, "a2"))
    written(tmp_path, "max", (2, "m1"), (3, "m2"))
    with SeatLogs(tmp_path) as logs:
        assert [(line.seat, line.text) for line in logs.read()] == [
            ("ada", "a1"),
            ("max", "m1"),
            ("max", "m2"),
            ("ada", "a2"),
        ]
        written(tmp_path, "zoe", (5, "z1"))
        written(tmp_path, "ada", (6, "a3"))
        assert [(line.seat, line.text) for line in logs.read()] == [("zoe", "z1"), ("ada", "a3")]
    assert seats_in(tmp_path) == ["ada", "max", "zoe"]


def test_only_the_seats_asked_for_are_read_and_strange_lines_stay_with_the_one_before(tmp_path: Path) -> None:
    written(tmp_path, "ada", (1, "a1"))
    written(tmp_path, "max", (0, "m1"))
    with (tmp_path / "ada.log").open("a") as file:
        file.write("not mine\n")
    with SeatLogs(tmp_path, ["ada"]) as logs:
        lines = logs.read()
    assert [line.text for line in lines] == ["a1", "not mine"]
    assert {line.at for line in lines} == {datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)}
