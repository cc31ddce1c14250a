"""Whose seat a participant is in. The one place that knows how a seat, a job and a LiveKit identity belong together.

A seat is what the roster names (`ada`), and what everybody speaks of. Who is in it has an identity of LiveKit's: of a
process beside the supervisor the seat's own, of a job on a worker one for every job (`ada~7`), so that a job which a
network had cut off and its successor never throw each other out. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

SEAT_ATTRIBUTE = "mc.seat"
"""Participant attribute of an agent or a chair: the seat that it is in."""
JOB_ATTRIBUTE = "mc.job"
"""Participant attribute of whoever is in a seat for one job of a worker: the job's number, a later job's is higher."""
JOB_SEPARATOR = "~"
"""No identity in a roster holds one."""


def job_identity(seat: str, job: int) -> str:
    """Returns the LiveKit identity of a job in a seat."""
    return f"{seat}{JOB_SEPARATOR}{job}"


def seat_of(identity: str, attributes: Mapping[str, str], *, is_agent: bool) -> str:
    """Returns the seat of a participant, a person's own identity included.

    An agent can change its attributes but not its identity, so both have to name the seat: nobody takes another's.

    Args:
        is_agent: whether the server says that it is of kind agent; a person is in no seat of ours.
    """
    seat = attributes.get(SEAT_ATTRIBUTE, "")
    in_it = bool(seat) and identity.startswith(seat + JOB_SEPARATOR) and identity[len(seat) + 1 :].isdecimal()
    return seat if is_agent and in_it else identity


def job_of(identity: str) -> int:
    """Returns the number of the job by which an identity is in its seat, 0 where it is there by no job."""
    number = identity.rpartition(JOB_SEPARATOR)[2]
    return int(number) if JOB_SEPARATOR in identity and number.isdecimal() else 0
