"""A library that repeats itself does not fill a log."""

from __future__ import annotations

import logging

from meetctl_agents.process.allowance import LOG_LINES
from meetctl_agents.process.repeated import FewOfEach

BURST = LOG_LINES[0]


def written(records: list[logging.LogRecord]) -> list[str]:
    few = FewOfEach()
    return [record.getMessage() for record in records if few.filter(record)]


def line(name: str, text: str, *arguments: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, text, arguments, None)


def test_of_a_warning_that_comes_again_a_few_are_written_and_that_there_are_more() -> None:
    found = written([line("client", "no message: %d", number) for number in range(1000)])
    assert found == [
        *(f"no message: {number}" for number in range(BURST)),
        f"no message: {BURST} (more of these are left out)",
    ]


def test_another_warning_our_own_and_what_only_informs_are_written_all_the_while() -> None:
    records = [
        record
        for number in range(20)
        for record in (
            line("client", "no message"),
            line("meetctl_agents.room", "refused"),
            line("client", "told", level=logging.INFO),
        )
    ]
    found = written([*records, line("client", "the server is gone")])
    assert found.count("refused") == found.count("told") == 20
    assert found[-1] == "the server is gone"
