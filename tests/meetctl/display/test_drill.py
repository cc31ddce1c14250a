from __future__ import annotations

from typing import Any

from meetctl.display.drill import line, table
from meetctl.meeting.drill import DrillFault
from meetctl.options import FaultName

RESULT: dict[str, Any] = {
    "room": "standup",
    "fault": "server",
    "seat": "livekit-server",
    "seconds": 60.1,
    "repaired": True,
    "breaks": [
        {
            "name": "livekit-server",
            "what": "ended by SIGKILL",
            "broke_after_s": 0.02,
            "back_after_s": 0.3,
            "repair_s": 0.28,
        },
        {"name": "Ada", "what": "told to leave " * 9, "broke_after_s": 0.3, "back_after_s": 12.5, "repair_s": 12.2},
    ],
}


def test_a_drill_ends_in_a_table_of_what_broke_and_how_long_each_repair_took() -> None:
    assert table(RESULT) == [
        "WHO             BROKE AFTER  REPAIR TOOK  WHAT BROKE",
        "livekit-server       0.02 s       0.28 s  ended by SIGKILL",
        "Ada                  0.30 s      12.20 s  told to leave told to leave told to leave told to leave tol…",
        "server of livekit-server in standup: everything had recovered 12.50 s after the fault",
    ]


def test_what_is_not_repaired_is_named() -> None:
    broken = RESULT["breaks"][1] | {"back_after_s": None, "repair_s": None, "what": "not ready"}
    assert table(RESULT | {"repaired": False, "breaks": [broken]}) == [
        "WHO  BROKE AFTER   REPAIR TOOK  WHAT BROKE",
        "Ada       0.30 s  not repaired  not ready",
        "server of livekit-server in standup: still broken after 60 s: Ada",
    ]


def test_a_fault_that_nobody_notices_is_said_to_be_one() -> None:
    assert table(RESULT | {"breaks": []}) == [
        "server of livekit-server in standup: nothing broke that anybody would notice"
    ]


def test_what_happens_is_told_line_by_line() -> None:
    items: list[dict[str, Any]] = [
        {"kind": "began", "signal": "SIGSTOP", "seat": "max", "pid": 7},
        {"kind": "broke", "name": "Max", "what": "it says nothing any more"},
        {"kind": "released", "after_s": 8.04},
        {"kind": "repaired", "name": "Max", "repair_s": 8.169},
    ]
    assert [line(item) for item in items] == [
        "SIGSTOP to max (pid 7)",
        "Max: it says nothing any more",
        "resumed after 8.0 s",
        "Max: recovered after 8.17 s",
    ]


def test_the_command_line_knows_every_fault() -> None:
    assert [fault.value for fault in FaultName] == [fault.value for fault in DrillFault]
