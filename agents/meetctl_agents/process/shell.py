"""The shell of a program that speaks the supervisor's wire: its streams, its log, its last resort and its exit.

Knows neither rooms nor what is said on the wire.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import NoReturn

from meetctl.protocol.proxies import keep_livekit_direct
from meetctl.protocol.secrets import Masker

from .masking import Mask, MaskingFormatter
from .repeated import FewOfEach
from .wire import LineWriter, Report, claim_standard_streams

LAST_RESORT_S = 10.0
"""From the order to leave until the process ends no matter what it is doing, a blocked loop included."""

NOISE = (
    "ignoring text stream with topic",
    "no request_id provided for TTS",
    "VAD inference is slower than",
    "max_buffered_speech reached",  # it is told to keep none
)
"""What the libraries say at every caption and every sentence; it means nothing and hides what does."""


class Shell:
    """What a program has around it."""

    def __init__(self, level: int) -> None:
        self.commands, events = claim_standard_streams()
        self._formatter = _log_to_stderr(level)
        self._writer = LineWriter(events)
        self._last_resort: threading.Timer | None = None

    @property
    def report(self) -> Report:
        return self._writer.report

    @property
    def mask(self) -> Mask:
        """Takes secrets out of a text, once `hide` has told of them."""
        return self._formatter.mask

    def hide(self, mask: Masker) -> None:
        """Has secrets taken out of everything that is logged from here on."""
        self._formatter.mask = mask

    def end_for_certain(self) -> None:
        """Ends the process after `LAST_RESORT_S`, if it has not ended by then; from any thread."""
        if self._last_resort is None:
            self._last_resort = threading.Timer(LAST_RESORT_S, os._exit, (1,))
            self._last_resort.daemon = True
            self._last_resort.start()

    def exit(self, code: int) -> NoReturn:
        """Leaves at once: an ordinary interpreter exit after using rtc aborts now and then (a panic in its runtime)."""
        self._writer.flush()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_in_shell(work: Callable[[Shell], Awaitable[int]], *, log: int = logging.INFO) -> NoReturn:
    """Runs the work as this process's only one and exits with what it returns.

    Args:
        log: the level from which on it is written to stderr.
    """
    keep_livekit_direct()
    shell = Shell(log)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the supervisor decides

    async def run() -> int:
        return await work(shell)

    shell.exit(asyncio.new_event_loop().run_until_complete(run()))


def _log_to_stderr(level: int) -> MaskingFormatter:
    formatter = MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(lambda record: not record.getMessage().startswith(NOISE))
    handler.addFilter(FewOfEach())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    for chatty in ("httpx", "httpx2", "openai"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return formatter
