"""Tells why a command failed: what a person can mend in two lines, and a bug with its report."""

from __future__ import annotations

import contextlib
from pathlib import Path

from meetctl.display import console
from meetctl.errors import ExitCode, MeetctlError, Unheard
from meetctl.settings import folder_failure, state_dir


def tell_failure(error: Exception, *, as_json: bool) -> ExitCode:
    """Tells a failure of a command; returns the code for the shell. Nobody may be there to be told."""
    with contextlib.suppress(Unheard, MeetctlError):
        if not isinstance(error, MeetctlError):
            return _tell_unexpected(error, as_json=as_json)
        console.show_error(error, as_json=as_json)
    return error.exit_code if isinstance(error, MeetctlError) else ExitCode.BUG


def _tell_unexpected(error: Exception, *, as_json: bool) -> ExitCode:
    """Tells of a folder that cannot be used, which a person can mend, or of a bug, which a developer has to."""
    failure = folder_failure(error) if isinstance(error, OSError) else None
    if failure is not None:
        console.show_error(failure, as_json=as_json)
        return failure.exit_code
    report: Path | None = None
    with contextlib.suppress(MeetctlError, OSError):  # the report must not hide what it is about
        report = console.write_crash_report(error, state_dir())
    console.show_bug(error, report, as_json=as_json)
    return ExitCode.BUG
