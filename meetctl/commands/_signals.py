"""The signals that end a command which stays, and the exit code of each."""

from __future__ import annotations

import signal

from meetctl.errors import ExitCode

CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HUNG_UP,
}


def ending_signals() -> list[signal.Signals]:
    """Returns those that end this process: under nohup it is to outlive its terminal."""
    return [n for n in CODES if n is not signal.SIGHUP or signal.getsignal(n) is not signal.SIG_IGN]
