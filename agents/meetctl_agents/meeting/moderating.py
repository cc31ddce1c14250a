"""Puts the floor's questions before the moderator and posts its answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from meetctl.protocol import CastMember

from ..floor.events import Consult, Picked, Undecided
from ..floor.moderator import Moderator
from ..floor.short_answers import NoDecision
from ..models.speech_faults import SpeechFaults
from ..process.tasks import Tasks
from .recent import Recent

MODERATOR = "the moderator does not decide, agents speak by turn"

logger = logging.getLogger(__name__)


class Moderating:
    """Owns what is asked until `aclose`."""

    def __init__(
        self,
        moderator: Moderator | None,
        recent: Recent,
        faults: SpeechFaults,
        post: Callable[[Picked | Undecided], None],
    ) -> None:
        self._moderator = moderator
        self._recent = recent
        self._faults = faults
        self._post = post
        self._tasks = Tasks()

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def consult(self, consult: Consult, cast: Sequence[CastMember]) -> None:
        """Has the question answered; where it cannot be, that is posted."""
        self._tasks.own(self._moderate(consult, cast), f"moderate-{consult.number}")

    async def _moderate(self, consult: Consult, cast: Sequence[CastMember]) -> None:
        answer: Picked | Undecided = Undecided(consult.number)
        if self._moderator is not None:
            candidates = [member for member in cast if member.identity in consult.candidates]
            try:
                answer = Picked(consult.number, await self._moderator.pick(self._recent.lines, candidates))
            except Exception as error:
                logger.warning("the moderator does not decide: %r", error)
                self._faults.warn(MODERATOR, str(error) if isinstance(error, NoDecision) else error)
            else:
                self._faults.works(MODERATOR)
        self._post(answer)
