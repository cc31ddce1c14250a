"""Which way a local face takes that was left to itself. Pure: what was measured is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from meetctl.local.carrying import Machine
from meetctl.roster import AgentEntry, Program

Transport = Literal["bridge", "direct"]
NOT_KNOWN = "the machine took too long to measure what a picture costs, so only the first local face is bridged"


def is_left_to_itself(entry: AgentEntry) -> bool:
    """Returns whether it is for us to say how its face takes."""
    return entry.face is not None and entry.face.local and entry.face.transport == "auto"


def way_of_local_face(
    machine: Machine | None, seated: Sequence[AgentEntry], coming: Sequence[AgentEntry]
) -> tuple[Transport, str]:
    """Returns the way of the next local face, and why, in words; nothing where one alone is not measured.

    Args:
        machine: None = it is not known.
        seated: who is there, with the ways that are settled.
        coming: who is still to be seated, the one in question among them.
    """
    everybody = [*seated, *coming]
    bridged = sum(
        _is_local(entry) and entry.face is not None and entry.face.transport == "bridge" for entry in everybody
    )
    faces = sum(map(_is_local, everybody))
    if machine is None:
        return ("direct" if bridged else "bridge", NOT_KNOWN if faces > 1 else "")
    audio = sum(entry.program is Program.AUDIO for entry in everybody)
    fitting = machine.bridged_of(faces, audio)
    carry = f"{machine.cores} cores carry" if machine.cores > 1 else "one core carries"
    told = f"{carry} {fitting} of {faces} local faces bridged, a picture taking {machine.picture_ms:.1f} ms"
    return ("bridge" if bridged < fitting else "direct"), told


def has_to_be_measured(entries: Sequence[AgentEntry]) -> bool:
    """Returns whether the way of a face among these depends on what the machine can carry."""
    return any(map(is_left_to_itself, entries)) and sum(map(_is_local, entries)) > 1


def _is_local(entry: AgentEntry) -> bool:
    return entry.face is not None and entry.face.local
