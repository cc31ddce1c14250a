from __future__ import annotations

import json

from meetctl.commands.transcript import news, parsed
from meetctl.meeting.transcript_forms import record_of
from meetctl.protocol import Line


def written(id: str, at: float, text: str, *, latency_ms: float | None = None) -> str:
    line = Line(id=id, at=at, speaker="Ada", identity="ada", text=text)
    return json.dumps(record_of(line, None if latency_ms is None else {"total": latency_ms}))


def test_lines_are_shown_as_they_were_said_each_in_its_last_form() -> None:
    lines = [written("1", 5.0, "I"), written("2", 4.0, "Before"), written("1", 5.0, "I think so"), "half a li"]
    assert [record.text for record in news(parsed(lines), {}, words_alone=True)] == ["Before", "I think so"]


def test_a_follower_is_told_again_only_when_the_words_are_others() -> None:
    (first,) = parsed([written("1", 5.0, "I think so")])
    shown = {"1": first}
    timed = parsed([written("1", 5.0, "I think so", latency_ms=900.0)])
    assert news(timed, shown, words_alone=True) == []
    assert news(timed, shown, words_alone=False) == timed
    (again,) = news(parsed([written("1", 5.0, "I think so too")]), shown, words_alone=True)
    assert again.text == "I think so too"
