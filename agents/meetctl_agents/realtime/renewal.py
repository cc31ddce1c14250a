"""Keeps a session open: the next one is opened beside it before its provider ends it, and where it is lost.

A session is given up only for one that holds all that is remembered, and never while an answer is under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from livekit.agents import APIConnectionError, utils

from ..process.tasks import Tasks
from .conversation import Conversation, Warn
from .model import LASTS_S, RealtimeChoice

BEFORE_S = 90.0
"""The next session is opened so long before the present one ends: longer than any turn."""
BEFORE_PART = 0.25
"""Of a short session, this part of it."""
SHORT_S = 2.0
"""A session that lasts so long was a good one; after others, the next attempt waits longer each time."""
SOONEST_S, LATEST_S = 0.5, 30.0
"""Between two attempts to open one."""
LOOK_S = 1.0
OPEN_S = 10.0
"""For a session that an answer is waiting for."""
LOST = "the realtime session fails"

logger = logging.getLogger(__name__)

Tell = Callable[[Conversation], Awaitable[None]]
"""Tells a session all that is remembered."""


class Renewal:
    """Owns the sessions; async, ended by `aclose`.

    Args:
        tell: tells a new session all that is remembered.
        lock: held while an answer is made.
        quiet: set while none is made or heard.
        used: told the tokens of each answer.
        taken: told when a session has the present one's place: something may have been said since it was told all.
    """

    def __init__(
        self,
        choice: RealtimeChoice,
        tell: Tell,
        lock: asyncio.Lock,
        quiet: asyncio.Event,
        warn: Warn,
        works: Callable[..., None],
        used: Callable[[int], None],
        taken: Callable[[], None],
    ) -> None:
        self._choice = choice
        self._tell = tell
        self._lock = lock
        self._quiet = quiet
        self._warn, self._works = warn, works
        self._used = used
        self._taken = taken
        self._current: Conversation | None = None
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()
        self._failures = 0
        self._unfit = asyncio.Event()
        self._last_fault: BaseException | None = None
        self._ending = Tasks()
        self._running = Tasks()
        self._running.own(self._run(), "realtime-sessions")

    @property
    def present(self) -> Conversation | None:
        """The session, None while there is none."""
        return self._current

    async def current(self) -> Conversation:
        """Returns the session, once there is one.

        Raises:
            Exception: what the next one failed with, or the last one, if there is none for a while.
        """
        failures = self._failures
        if self._current is None:
            self._asked.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPEN_S):
                while self._current is None and self._failures == failures:
                    await self._changed.wait()
        if self._current is None:
            raise self._last_fault or APIConnectionError("no realtime session could be opened")
        return self._current

    def replace(self, unfit: Conversation, why: BaseException) -> None:
        """Has another one opened: this one is of no use any more."""
        if unfit is self._current:
            self._last_fault = why
            self._current = None
            self._unfit.set()
            self._ending.own(unfit.aclose(), "realtime-session-end")

    async def aclose(self) -> None:
        await self._running.aclose()
        if self._current is not None:
            await self._current.aclose()
        await self._ending.wait()

    async def _run(self) -> None:
        wait_s = 0.0
        while True:
            taken_at: float | None = None
            try:
                await self._open()
                taken_at = time.monotonic()
                await self._until_unfit()
            except Exception as error:
                logger.info("no realtime session: %r", error)
                self._last_fault = error
                self._warn(LOST, error)
                if self._current is None:
                    self._failures += 1
                    self._tell_change()
            if taken_at is not None and time.monotonic() - taken_at >= SHORT_S:
                wait_s = 0.0
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._asked.wait()  # somebody waits for an answer: it may be back by now
            self._asked.clear()
            wait_s = min(max(SOONEST_S, 2 * wait_s), LATEST_S)

    def _tell_change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _open(self) -> None:
        """Opens a session, and gives it the present one's place between two answers."""
        began = Conversation(self._choice.model, self._warn, self._used)
        try:
            await began.wait_open(OPEN_S)
            await self._tell(began)
            is_between = self._current is not None and await self._until_between()
            try:
                if is_between:
                    await self._tell(began)  # what was said since
                self._take(began)
            finally:
                if is_between:
                    self._lock.release()
        except BaseException:
            self._ending.own(began.aclose(), "realtime-session-end")
            raise

    async def _until_between(self) -> bool:
        """Waits until no answer is under way, and holds the lock; False = the present session is lost meanwhile."""
        locking = asyncio.ensure_future(self._lock_in_quiet())
        unfit = asyncio.ensure_future(self._unfit.wait())
        try:
            await asyncio.wait({locking, unfit}, return_when=asyncio.FIRST_COMPLETED)
            return locking.done() and not locking.cancelled()
        finally:
            unfit.cancel()
            if not locking.done():
                await utils.aio.cancel_and_wait(locking)

    async def _lock_in_quiet(self) -> None:
        while True:
            await self._quiet.wait()  # what is still heard may be cut off, in the session that made it
            await self._lock.acquire()
            if self._quiet.is_set():
                return
            self._lock.release()

    def _take(self, began: Conversation) -> None:
        before, self._current = self._current, began
        self._unfit.clear()
        self._tell_change()
        self._last_fault = None
        self._taken()
        if before is not None:
            logger.info("the realtime session was renewed")
            self._ending.own(before.aclose(), "realtime-session-end")

    async def _until_unfit(self) -> None:
        """Waits until the session has to be followed by another; one that ended is given up at once."""
        conversation = self._current
        if conversation is None:
            return
        taken_at = time.monotonic()
        ended = asyncio.ensure_future(conversation.ended.wait())
        unfit = asyncio.ensure_future(self._unfit.wait())
        try:
            while not ended.done() and not unfit.done():
                left = self._left_s(conversation)
                if left <= 0:
                    return
                # The provider may tell its limit a moment after the session was opened.
                look_s = min(left, LOOK_S)
                await asyncio.wait({ended, unfit}, timeout=look_s, return_when=asyncio.FIRST_COMPLETED)
                if time.monotonic() - taken_at >= SHORT_S and not conversation.ended.is_set():
                    self._works(LOST)
        finally:
            await utils.aio.cancel_and_wait(ended, unfit)
        if conversation.ended.is_set():
            fault = conversation.fault or APIConnectionError("the realtime session ended")
            self.replace(conversation, fault)
            logger.warning("the realtime session ended: %r", fault)
            self._warn(LOST, fault)

    def _left_s(self, conversation: Conversation) -> float:
        age = time.monotonic() - conversation.opened_at
        limits = [self._choice.lasts_s] if self._choice.lasts_s is not None else []
        if conversation.expires_at is not None:
            limits.append(age + conversation.expires_at - time.time())
        lasts = min(limits, default=LASTS_S)
        return lasts - min(BEFORE_S, lasts * BEFORE_PART) - age
