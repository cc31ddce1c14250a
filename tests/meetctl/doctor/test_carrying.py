from __future__ import annotations

from meetctl.doctor.carrying import judge_cores
from meetctl.doctor.findings import Level
from meetctl.local.carrying import Machine
from meetctl.roster import AgentEntry, FaceChoice, Program

MAX = AgentEntry(name="Max", identity="max", program=Program.AUDIO)


def avatars(count: int) -> list[AgentEntry]:
    return [
        AgentEntry(name=f"A{number}", identity=f"a{number}", program=Program.SIMLI, face=FaceChoice())
        for number in range(count)
    ]


def test_how_many_there_is_room_for_is_told_with_what_was_measured() -> None:
    finding = judge_cores(Machine(2, 10.0, free=0.9), ())
    assert finding.level is Level.OK
    assert finding.message == (
        "2 cores, 90% free, 10.0 ms a picture: room for 2 local avatars (4 with transport: direct), or 28 audio agents;"
        " models come on top"
    )


def test_a_roster_that_is_too_much_for_the_cores_is_warned_of_and_one_that_fits_is_not() -> None:
    machine = Machine(2, 10.0)
    assert judge_cores(machine, [*avatars(4), MAX]).level is Level.OK
    finding = judge_cores(machine, [*avatars(5), MAX])
    assert finding.level is Level.WARNING and "5 avatars and 1 others" in finding.message
    assert finding.hint is not None and "--only" in finding.hint


def test_a_machine_without_room_for_one_avatar_and_one_that_was_not_measured_are_warned_of() -> None:
    assert judge_cores(Machine(1, 10.0, free=0.1), ()).level is Level.WARNING
    assert judge_cores(None, ()).level is Level.WARNING
