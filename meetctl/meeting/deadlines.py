"""When a meeting ends by itself: nobody has been in its room for so long, or it has lasted as long as it may."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection

from meetctl import rooms
from meetctl.display.words import clock
from meetctl.errors import LiveKitError, MeetctlError
from meetctl.meeting.cast import Cast
from meetctl.meeting.clock import now_asleep_or_not
from meetctl.meeting.direction import Direction
from meetctl.meeting.limits import holds_open, idle_too_long
from meetctl.roster import Roster
from meetctl.web.direction import Directive

LOOK_FOR_PEOPLE_S = 15.0
"""Between two questions to the LiveKit server who is in the room; a shorter wait asks three times in its length."""
SHORTEST_WAIT_S = 0.5
LAST_WARNING_S = 60.0
"""Before the end that `max_duration` sets; of a shorter meeting, half of it."""
LOOK_S = 0.5
"""Between two looks at the clock: a changed roster counts at once."""


class Deadlines:
    """Ends a meeting that nobody asked to end, and says why.

    Args:
        roster: asked each time: a changed roster counts at once.
        cast: those who are no people.
        own: takes over work that takes time.
        end: ends the meeting for this reason.
    """

    def __init__(
        self,
        roster: Callable[[], Roster],
        cast: Cast,
        direction: Direction,
        own: Callable[[Awaitable[None]], None],
        end: Callable[[str], Awaitable[object]],
    ) -> None:
        self._roster = roster
        self._cast = cast
        self._direction = direction
        self._own = own
        self._end = end

    async def end_when_deserted(self, service: rooms.Rooms) -> None:
        """Ends it when nobody was in the room for as long as the roster says."""
        waited_s = await wait_until_deserted(
            service, self._roster().room, lambda: self._roster().idle_timeout_s, lambda: tuple(self._cast.entries)
        )
        await self._end(f"nobody was in the room for {clock(waited_s)} (idle_timeout)")

    async def end_when_over(self, started_at: float) -> None:
        """Ends it when it has lasted as long as the roster says; people are warned before."""
        lasted_s = await wait_until_over(
            lambda: self._roster().max_duration_s, started_at, lambda left_s: self._own(self._warn(left_s))
        )
        await self._end(f"it has lasted {clock(lasted_s)}, as long as it may (max_duration)")

    async def _warn(self, left_s: float) -> None:
        with contextlib.suppress(MeetctlError):  # without a chair nobody could be told
            await self._direction.direct(Directive.TELL, text=f"This meeting ends in {in_words(left_s)}.")


async def wait_until_deserted(
    service: rooms.Rooms, room: str, timeout_s: Callable[[], int | None], agents: Callable[[], Collection[str]] = tuple
) -> int:
    """Returns when no person was in the room for so long; that is the time it returns, in seconds.

    Args:
        agents: asked each time for the identities of those who are none.
        timeout_s: asked each time: a changed roster counts at once. None = for ever.
    """
    last_person_at = now_asleep_or_not()
    while True:
        limit = timeout_s()
        look_s = LOOK_FOR_PEOPLE_S if limit is None else min(LOOK_FOR_PEOPLE_S, max(limit / 3, SHORTEST_WAIT_S))
        await asyncio.sleep(look_s)
        if limit is None:
            last_person_at = now_asleep_or_not()
            continue
        try:
            somebody = any(holds_open(found, agents()) for found in await service.participants(room))
        except LiveKitError:
            continue  # who does not answer has not said that nobody is there
        if somebody:
            last_person_at = now_asleep_or_not()
        elif idle_too_long(last_person_at, now_asleep_or_not(), limit):
            return limit


async def wait_until_over(
    limit_s: Callable[[], float | None], began_at: float, warn: Callable[[float], object]
) -> float:
    """Returns when a meeting that began then (monotonic seconds) has lasted as long as it may; that is what it returns.

    Args:
        limit_s: asked again and again; None = for ever.
        warn: called once with the seconds that are left, a minute before the end.
    """
    warned = False
    began = now_asleep_or_not() - (time.monotonic() - began_at)
    while True:
        limit = limit_s()
        left = None if limit is None else began + limit - now_asleep_or_not()
        if limit is not None and left is not None:
            if left <= 0:
                return limit
            if not warned and left <= min(LAST_WARNING_S, limit / 2):
                warned = True
                warn(left)
        await asyncio.sleep(LOOK_S if left is None else min(LOOK_S, left))


def in_words(seconds: float) -> str:
    """Returns a time to come as people say it."""
    whole = max(1, round(seconds))
    if whole == LAST_WARNING_S:
        return "one minute"
    return f"{whole} second{'s' if whole != 1 else ''}"
