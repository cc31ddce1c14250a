"""What can go wrong, by who can mend it.

Every failure a user meets carries a code (stable, for scripts), a message (what, where, what was got) and a hint
(the next thing to type). Only `cli.py` turns one into an exit code and text; `--json` prints the same object.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the shell sees; listed in `docs/interfaces.md`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    TIMED_OUT = 4
    LIVEKIT = 5
    AGENT_FATAL = 6
    CONFLICT = 7
    BUG = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class MeetctlError(Exception):
    """The base of every failure that is not a bug."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str | None]:
        """Returns the same failure for `--json`."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class UsageError(MeetctlError):
    """The command line asks for something that cannot be."""

    code = "usage"
    exit_code = ExitCode.USAGE


class RosterError(MeetctlError):
    """The roster file is wrong; the message holds one line for each fault found."""

    code = "roster"
    exit_code = ExitCode.USAGE


class SettingsError(MeetctlError):
    """A credential or setting outside the roster is missing or malformed."""

    code = "settings"
    exit_code = ExitCode.USAGE


class NotRunningError(MeetctlError):
    """No meeting of that name runs on this machine."""

    code = "not_running"
    exit_code = ExitCode.NOT_RUNNING


class TimedOutError(MeetctlError):
    """Something did not happen in the time allowed; what runs goes on running."""

    code = "timed_out"
    exit_code = ExitCode.TIMED_OUT


class LiveKitError(MeetctlError):
    """The LiveKit server cannot be reached, or refused."""

    code = "livekit"
    exit_code = ExitCode.LIVEKIT


class AgentFailed(MeetctlError):
    """An agent is fatal: trying again would not help."""

    code = "agent_failed"
    exit_code = ExitCode.AGENT_FATAL


class ConflictError(MeetctlError):
    """A meeting of that name is already up, or something it needs is taken."""

    code = "conflict"
    exit_code = ExitCode.CONFLICT


class FetchError(MeetctlError):
    """A server or model could not be fetched, or is not what it claims to be."""

    code = "fetch"


class StandInError(MeetctlError):
    """A local server did not start, or stopped."""

    code = "stand_in"


class NetworkError(MeetctlError):
    """Something out there does not answer now; it may later."""

    code = "network"


class OutputError(MeetctlError):
    """What was asked for could not be written: a full disk, say."""

    code = "output"


class Unheard(Exception):
    """Nobody reads any more: the pipe's other end has gone, or the terminal was closed. No failure of anybody's."""

    def __init__(self, *, hung_up: bool) -> None:
        super().__init__()
        self.exit_code = ExitCode.HUNG_UP if hung_up else ExitCode.OK


class EndedError(MeetctlError):
    """Somebody ended the meeting before it had begun."""

    code = "ended"


class BugError(MeetctlError):
    """Something happened at the other end that nobody foresaw."""

    code = "bug"
    exit_code = ExitCode.BUG


ERRORS_BY_CODE: dict[str, type[MeetctlError]] = {
    error.code: error
    for error in (
        MeetctlError,
        UsageError,
        RosterError,
        SettingsError,
        NotRunningError,
        TimedOutError,
        LiveKitError,
        AgentFailed,
        ConflictError,
        FetchError,
        StandInError,
        NetworkError,
        OutputError,
        EndedError,
        BugError,
    )
}
"""For a failure that travelled as JSON."""
