"""Keeps libraries from filling a log: of one line, whatever it is filled in with, few are written.

What a library warns of may be in somebody else's hands: a tool server that sends what is no message has each told.
"""

from __future__ import annotations

import logging

from .allowance import LOG_LINES, Allowances, Verdict

OURS = "meetctl"
"""What we log ourselves is bounded where it is written."""


class FewOfEach(logging.Filter):
    """Lets a library's warning pass a few times, then once a minute; the last before a pause says so."""

    def __init__(self) -> None:
        super().__init__()
        self._allowances = Allowances(*LOG_LINES)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or record.name.startswith(OURS):
            return True
        verdict = self._allowances.take(f"{record.name}:{record.levelno}:{record.msg}", record.created)
        if verdict is Verdict.REFUSED_FIRST:
            record.msg, record.args = f"{record.getMessage()} (more of these are left out)", ()
            record.exc_info = record.exc_text = None
        return verdict is not Verdict.REFUSED
