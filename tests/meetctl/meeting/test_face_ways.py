from __future__ import annotations

from meetctl.local.carrying import Machine
from meetctl.meeting.face_ways import has_to_be_measured, is_left_to_itself, way_of_local_face
from meetctl.roster import AgentEntry, FaceChoice, Program

MAX = AgentEntry(name="Max", identity="max", program=Program.AUDIO)
SLOW = Machine(2, 17.0)
TOLD = "2 cores carry 1 of 2 local faces bridged, a picture taking 17.0 ms"


def avatar(name: str, transport: str = "auto", *, local: bool = True) -> AgentEntry:
    face = FaceChoice.model_validate({"local": local, "transport": transport})
    return AgentEntry(name=name, identity=name.lower(), program=Program.SIMLI, face=face)


def test_the_first_faces_that_the_cores_carry_are_bridged_and_the_others_are_in_the_room_by_themselves() -> None:
    way, why = way_of_local_face(SLOW, [], [avatar("Ada"), avatar("Eve"), MAX])
    assert (way, why) == ("bridge", TOLD)
    way, why = way_of_local_face(SLOW, [avatar("Ada", "bridge")], [avatar("Eve"), MAX])
    assert (way, why) == ("direct", TOLD)
    assert way_of_local_face(Machine(2, 2.0), [avatar("Ada", "bridge")], [avatar("Eve"), MAX])[0] == "bridge"


def test_a_face_that_is_somebody_else_s_or_in_the_room_by_itself_takes_no_bridge_from_others() -> None:
    seated = [avatar("Zoe", "bridge", local=False), avatar("Bob", "direct")]
    assert way_of_local_face(SLOW, seated, [avatar("Ada")])[0] == "bridge"


def test_on_a_machine_of_which_nothing_is_known_only_the_first_face_is_bridged() -> None:
    assert way_of_local_face(None, [], [avatar("Ada"), avatar("Eve")])[0] == "bridge"
    way, why = way_of_local_face(None, [avatar("Ada", "bridge")], [avatar("Eve")])
    assert way == "direct" and "took too long" in why


def test_only_local_faces_without_a_way_of_their_own_are_left_to_themselves() -> None:
    assert is_left_to_itself(avatar("Ada"))
    for other in (avatar("Ada", "bridge"), avatar("Ada", "direct"), avatar("Ada", local=False), MAX):
        assert not is_left_to_itself(other)


def test_a_face_that_is_still_to_come_and_is_to_be_bridged_takes_its_bridge_from_those_left_to_themselves() -> None:
    assert way_of_local_face(SLOW, [], [avatar("Eve", "bridge"), avatar("Ada")])[0] == "direct"


def test_a_lone_face_is_bridged_without_a_measurement_and_two_are_measured_if_one_is_left_to_itself() -> None:
    assert way_of_local_face(None, [], [avatar("Ada"), MAX]) == ("bridge", "")
    assert not has_to_be_measured([avatar("Ada"), MAX])
    assert not has_to_be_measured([avatar("Ada", "bridge"), avatar("Eve", "direct")])
    assert has_to_be_measured([avatar("Ada"), avatar("Eve", "bridge")])
