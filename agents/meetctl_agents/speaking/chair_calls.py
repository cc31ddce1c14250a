"""What an agent tells the chair and asks of it of its own accord: drafts, the floor once more, that another answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from livekit import rtc

from meetctl.protocol import DRAFT, HAND_OVER, WANT, Assignment, Draft, HandOver, Line, UtteranceKind, Want

from ..room.methods import call
from .speech import Speech
from .turn import Turn

AGAIN_S = 1.0
"""Until the chair is asked for the floor again, where there was none."""
DECIDED = "What you asked to be allowed is decided."
DRAFT_S = 1.0
"""How often the chair is told of an answer that is still being written while it is spoken."""

logger = logging.getLogger(__name__)


class ChairCalls:
    """Calls the chair's methods for one agent; in a room without a chair it calls nobody."""

    def __init__(self, room: rtc.Room, assignment: Assignment) -> None:
        self._room = room
        self._chair = assignment.chair_identity
        self._identity = assignment.identity
        self._name = assignment.name

    async def hand_over(self, to: str, note: str) -> str:
        """Lets another agent answer; returns its name.

        Raises:
            rtc.RpcError: saying why it cannot be that one.
        """
        assert self._chair is not None
        return await call(self._room, self._chair, HAND_OVER, HandOver(to=to, note=note))

    async def want_floor(self, line_id: str) -> None:
        """Has the chair give the floor once more, for something that had to be waited for."""
        line = Line(
            id=line_id,
            at=time.time(),
            speaker=self._name,
            identity=self._identity,
            kind=UtteranceKind.FACT,
            text=DECIDED,
        )
        while self._chair is not None:
            try:
                await call(self._room, self._chair, WANT, Want(line=line))
                return
            except rtc.RpcError as error:
                logger.info("the floor is wanted again: %s", error)
            await asyncio.sleep(AGAIN_S)

    async def tell_draft(self, turn: Turn, speech: Speech) -> None:
        """Lets the chair know what the turn will have said, so that whoever answers it can get ready meanwhile.

        It is also what the chair goes by where this process is killed while it speaks, so it is told of what is
        written slower than it is spoken too.
        """
        told, whole = "", False
        while not whole:
            try:
                async with asyncio.timeout(DRAFT_S):
                    await speech.wait_written()
                whole = True
            except TimeoutError:
                pass
            except Exception:
                return  # the turn itself reports it
            if turn.stopped or turn.over.is_set() or self._chair is None:
                return
            if speech.text and (whole or (turn.sounded and speech.text != told)):
                told = speech.text
                draft = Draft(grant_id=turn.grant_id, text=told, whole=whole)
                with contextlib.suppress(rtc.RpcError):  # a wish: without it, nobody is ready sooner
                    await call(self._room, self._chair, DRAFT, draft)
