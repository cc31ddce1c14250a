"""Changes between documents as lines; and the proof of `down` in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from meetctl.display import lines as in_lines
from meetctl.display.lines import changes, ending
from tests.meetctl.display.documents import FULL, JUST_STARTING, LINK, changed, leg

Meeting = dict[str, Any]


def agent(index: int, **values: Any) -> Callable[[Meeting], None]:
    return lambda meeting: meeting["agents"][index].update(values)


def test_the_first_look_tells_everything_that_is_there() -> None:
    assert changes(None, FULL) == [
        f"standup: join {LINK}",
        "standup: livekit-server: running (pid 101)",
        "standup: models: running (pid 102)",
        "standup: Ada: running (pid 2)",
        "standup: Ada: room leg connected",
        "standup: Ada: simli leg completed",
        "standup: Ada: ended by SIGKILL",
        "standup: Max [bold]: starting (pid 3)",
        "standup: Max [bold]: room leg checking",
        "standup: Legacy: fatal",
        "standup: Legacy: ended with exit code 1: ModuleNotFoundError: No module named 'livekit' → read legacy.log",
        "standup: Eve: degraded (pid 4)",
        "standup: Eve: room leg connected",
        "standup: Eve: simli leg failed",
        "standup: Eve: degraded: Simli refused the key (401) → check SIMLI_API_KEY",
        "standup: degraded",
    ]


def test_nothing_new_says_nothing() -> None:
    assert changes(FULL, FULL) == []


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (agent(0, uptime_s=90.0, cpu_percent=99.0, agent_state="thinking"), []),
        (agent(0, legs={"room": leg(video_fps=3.0)}), []),
        (agent(0, legs={"room": leg("disconnected"), "simli": leg("completed")}), ["Ada: room leg disconnected"]),
        (agent(0, state="backoff", pid=None), ["Ada: backoff"]),
        (agent(0, pid=77, restarts=2), ["Ada: running again (pid 77)", "Ada: restart 2"]),
        (agent(0, last_error="ended by SIGSEGV"), ["Ada: ended by SIGSEGV"]),
        (agent(0, warning="slow model"), ["Ada: warning: slow model"]),
        (agent(0, state="stalled"), ["Ada: stalled (pid 2)", "Ada: its media no longer flows"]),
        (agent(1, state="running", missing=[], ready=True), ["Max [bold]: running (pid 3)"]),
        (agent(1, missing=["audio"]), []),
        (agent(3, state="running", degraded_reason=None, last_error=None), ["Eve: running (pid 4)"]),
        (lambda meeting: meeting["agents"].pop(1), ["Max [bold]: left"]),
        (lambda meeting: meeting.update(floor="max"), ["floor: Max [bold]"]),
        (lambda meeting: meeting.update(floor=None), ["floor: free"]),
        (lambda meeting: meeting.update(state="stopping"), ["stopping"]),
        (lambda meeting: meeting["services"][1].update(state="fatal", pid=None), ["models: fatal"]),
    ],
)
def test_each_change_is_one_line_and_figures_are_none(change: Callable[[Meeting], None], lines: list[str]) -> None:
    assert changes(FULL, changed(change)) == [f"standup: {line}" for line in lines]


def test_an_error_told_when_it_happened_is_not_told_again_when_it_is_over() -> None:
    crashed = changed(agent(0, state="backoff", pid=None))
    assert changes(crashed, FULL) == ["standup: Ada: running (pid 2)"]


def test_meetings_come_and_go() -> None:
    assert changes(FULL, JUST_STARTING) == ["late: starting", "standup: gone"]


UNTIL = 1_800_000_000.0
PROOF: dict[str, Any] = {
    "room": "standup",
    "processes_ended": 6,
    "processes_left": (),
    "own_room": True,
    "room_deleted": True,
    "avatar_sessions_closed": 1,
    "avatars_killed": (),
    "seconds": 0.84,
    "complete": True,
}


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({}, ["6 processes ended in 0.8 s", "1 avatar session closed", "room deleted"]),
        (
            {"reason": "nobody was in the room for 30:00 (idle_timeout)", "avatar_sessions_closed": 0},
            ["nobody was in the room for 30:00 (idle_timeout)", "6 processes ended in 0.8 s", "room deleted"],
        ),
        (
            {"processes_ended": 1, "avatar_sessions_closed": 0, "room_deleted": False},
            ["1 process ended in 0.8 s", "the room could not be deleted"],
        ),
        (
            {"processes_left": (7, 8), "avatars_killed": ("ada",), "avatar_sessions_closed": 2},
            [
                "6 processes ended in 0.8 s",
                "still running: pids 7, 8",
                "2 avatar sessions closed",
                "ada was killed",
                "room deleted",
            ],
        ),
        (
            {"avatars_killed": ("ada",), "avatar_sessions_left": {"ada": UNTIL}, "avatar_sessions_closed": 0},
            [
                "6 processes ended in 0.8 s",
                f"ada was killed; an avatar session runs on until {time.strftime('%H:%M', time.localtime(UNTIL))}",
                "room deleted",
            ],
        ),
        (
            {"own_room": False, "room_deleted": False, "avatar_sessions_closed": 0},
            ["6 processes ended in 0.8 s", "the room was there before and stays; our agents have left it"],
        ),
    ],
)
def test_the_proof_says_what_is_gone_and_what_is_not(change: dict[str, Any], lines: list[str]) -> None:
    assert ending(PROOF | change) == [f"standup: {line}" for line in lines]


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
    assert in_lines.plan("standup", plan) == [
        "standup: ~ stt of the meeting",
        "standup: ~ Chair: started again",
        "standup: - Leo (audio)",
        "standup: ~ Max (audio): persona, voice",
        "standup: + Zoe (audio)",
        "standup: = Ada unchanged",
    ]
    untouched: dict[str, Any] = {"added": [], "removed": [], "replaced": [], "settings": [], "restarts_chair": False}
    assert in_lines.plan("standup", untouched | {"unchanged": [ada]}) == ["standup: nothing to change"]
