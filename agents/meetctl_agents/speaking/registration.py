"""Presents the agent to a chair that another supervisor started, and again whenever that chair comes back."""

from __future__ import annotations

import asyncio
import logging

from livekit import rtc

from meetctl.protocol import REGISTER, Assignment, CastMember, Recovered, Register, Warn

from ..process.wire import Report
from ..room.methods import call
from ..room.seating import seat_of

RETRY_S = 2.0
"""Between two attempts: a chair that has just joined serves its methods a moment later."""
COMPLAIN_AFTER = 5
"""Attempts, about ten seconds, before a person is told."""
NO_CHAIR = "the chair does not answer"

logger = logging.getLogger(__name__)


async def keep_registered(room: rtc.Room, assignment: Assignment, report: Report) -> None:
    """Registers until cancelled: once now, and each time a participant of the chair's identity joins."""
    assert assignment.chair_identity is not None
    arrived = asyncio.Event()
    arrived.set()

    def on_participant(participant: rtc.RemoteParticipant) -> None:
        if seat_of(participant) == assignment.chair_identity:
            arrived.set()

    room.on("participant_connected", on_participant)
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            await _register(room, assignment, report)
    finally:
        room.off("participant_connected", on_participant)


async def _register(room: rtc.Room, assignment: Assignment, report: Report) -> None:
    assert assignment.chair_identity is not None
    member = CastMember(identity=assignment.identity, name=assignment.name)
    failures = 0
    while True:
        try:
            await call(room, assignment.chair_identity, REGISTER, Register(member=member))
            if failures >= COMPLAIN_AFTER:
                report(Recovered(about=NO_CHAIR))
            return
        except rtc.RpcError as error:
            failures += 1
            logger.info("the chair did not take the registration: %s", error.message)
            if failures == COMPLAIN_AFTER:
                report(
                    Warn(
                        message=f"the chair {assignment.chair_identity!r} does not answer: nobody grants the floor",
                        hint="is a meeting with a chair running in this room? see `meetctl status`",
                        about=NO_CHAIR,
                    )
                )
        await asyncio.sleep(RETRY_S)
