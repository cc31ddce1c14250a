from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meetctl.protocol import LegStats, MediaKind, MediaReceived, Ready, Step
from meetctl.protocol.steps import STEPS
from meetctl.protocol.values import IceState
from meetctl.supervisor.events import ChildMessage, Proven, Started
from meetctl.supervisor.timeline import FILE, tell_steps, timeline


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_steps_and_moments_of_every_process_are_added_to_the_file_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "timeline.jsonl"
    monkeypatch.setenv(FILE, str(path))
    with timeline() as asked:
        assert asked is not None
        for event in (
            Started("ada", 7, 1.0),
            ChildMessage("ada", Step(name="join the room", began=1.5, ended=2.0), 2.1),
            ChildMessage("ada", LegStats(leg="room", ice=IceState.NEW), 2.2),
            ChildMessage("ada", Ready(), 2.5),
            ChildMessage("chair", MediaReceived(identity="ada", kind=MediaKind.AUDIO), 3.0),
            Proven("livekit-server", "ready", 0.5),
        ):
            asked.observe(event)
    with timeline() as again:
        assert again is not None
        again.told_by("preloader")(Step(name="aiohttp", began=0.1, ended=0.2))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [(line["process"], line["step"], line["began"], line["ended"]) for line in lines(path)] == [
        ("ada", "started", 1.0, 1.0),
        ("ada", "join the room", 1.5, 2.0),
        ("ada", "ready", 2.5, 2.5),
        ("ada", "audio received", 3.0, 3.0),
        ("livekit-server", "ready", 0.5, 0.5),
        ("preloader", "aiohttp", 0.1, 0.2),
    ]


def test_where_no_file_is_named_there_is_no_timeline_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE, raising=False)
    told: list[Step] = []
    with timeline() as asked:
        assert asked is None
    tell_steps("meetctl up")
    STEPS.note("too late", 0.0)
    STEPS.tell(told.append)
    STEPS.tell(None)
    assert told == []


def test_a_full_disk_costs_the_line_and_nobody_who_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FILE, "/dev/full")
    with timeline() as asked:
        assert asked is not None
        asked.observe(Started("ada", 7, 1.0))
