"""Calls that a person is to allow: each waits for what was decided, for so long and no longer."""

from __future__ import annotations

import asyncio

from meetctl.protocol import APPROVAL_S, Decided

GRACE_S = 5.0
"""The supervisor has the clock; this one is for a supervisor that says nothing."""


class PendingDecisions:
    """Hands over what was decided to whoever waits for it."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Decided]] = {}

    def decide(self, decided: Decided) -> None:
        """Takes what a person decided; of a call that nobody waits for any more, nothing."""
        waiting = self._waiting.get(decided.call_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(decided)

    def expect(self, call_id: str) -> None:
        """From now on what is decided about this call is kept, until it is waited for."""
        self._waiting[call_id] = asyncio.get_running_loop().create_future()

    async def wait(self, call_id: str) -> Decided:
        """Returns what was decided; that it was refused, where nobody did in time. It has to be expected."""
        try:
            async with asyncio.timeout(APPROVAL_S + GRACE_S):
                return await self._waiting[call_id]
        except TimeoutError:
            return Decided(call_id=call_id, allowed=False, by="")
        finally:
            del self._waiting[call_id]
