"""Which meetings run on this machine: a lock, a note and a control socket for each, in the user's runtime directory.

The lock is the kernel's (flock): it is gone when its holder is, however that ended, so a note or socket without a held
lock is what a killed supervisor left behind. Its guard ends what else was left; where that was killed too, the next
command does, by the meeting's mark in the note.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from meetctl.errors import ConflictError
from meetctl.settings import SOCKET_NAME_LENGTH
from meetctl.supervisor.sweep import end_all, marked

_NAME_LENGTH = SOCKET_NAME_LENGTH - len("/.sock")
"""Longer room names are shortened with a hash, to keep the socket's path under the kernel's limit."""
LOCK_S = 0.5
"""A command that looks whether the lock is held holds it itself for microseconds; a supervisor, for hours."""
BEAT_S = 2.0
"""How exactly it is known since when a supervisor does not answer."""
_POLL_S = 0.02
SWEEP_GRACE_S = 1.0
"""From SIGTERM to SIGKILL for what a dead meeting left."""


@dataclass(frozen=True, slots=True)
class MeetingNote:
    """What any command needs to know of a running meeting before it asks it."""

    room: str
    meeting: str
    """Marks its processes, see `sweep.py`."""
    pid: int
    start_time: float
    log_dir: str | None = None
    """Where its logs and transcript are."""


@dataclass(frozen=True, slots=True)
class MeetingFiles:
    """Where one meeting's lock, note and socket are."""

    lock: Path
    note: Path
    socket: Path
    livekit_config: Path

    @classmethod
    def of(cls, directory: Path, room: str) -> MeetingFiles:
        name = room if len(room) <= _NAME_LENGTH else f"{room[:20]}-{_short_hash(room)}"
        return cls(
            directory / f"{name}.lock",
            directory / f"{name}.json",
            directory / f"{name}.sock",
            directory / f"{name}.livekit.yaml",
        )


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a killed supervisor and its killed guard had left of a meeting, and what became of it."""

    room: str
    ended: int
    """Processes."""
    left: tuple[int, ...]
    """Pids that could not be ended; the next command tries again."""


def beat(files: MeetingFiles) -> None:
    """Marks that the supervisor is well; called every `BEAT_S` by whoever holds the meeting."""
    with contextlib.suppress(OSError):  # somebody emptied the folder; the lock is what counts
        os.utime(files.note)


def last_beat(files: MeetingFiles) -> float | None:
    """Returns when the supervisor was last well, in seconds since the epoch; None where nothing is left to tell."""
    try:
        return files.note.stat().st_mtime
    except OSError:
        return None


@contextlib.contextmanager
def hold(files: MeetingFiles, note: MeetingNote) -> Iterator[None]:
    """Holds the meeting's lock and shows its note.

    Raises:
        ConflictError: if another supervisor holds it.
    """
    descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _locked_within(descriptor, LOCK_S):
            raise ConflictError(
                f"a meeting named {note.room} is already up",
                hint=f"meetctl status {note.room}, or meetctl down {note.room}",
            )
        _bury(files)
        _sweep_buried(files.note.parent)
        _write(files.note, json.dumps(asdict(note)))
        try:
            yield
        finally:
            _remove(files)
    finally:
        # The lock file itself stays: removing it would let two holders lock two files of one name.
        os.close(descriptor)


def running(
    directory: Path, *, clean: bool = True, cleaned: Callable[[Leftover], None] = lambda _: None
) -> list[tuple[MeetingNote, MeetingFiles]]:
    """Returns the meetings whose supervisor lives, by name, and ends and removes what dead ones left.

    Args:
        clean: False = only look: nothing is ended, made or removed.
        cleaned: told of each dead meeting of which processes were left.
    """
    is_held = _is_held if clean else _looks_held
    found = []
    for path in sorted(directory.glob("*.json")):
        note = _read(path)
        if note is None:
            continue
        files = MeetingFiles.of(directory, note.room)
        if is_held(files):
            found.append((note, files))
    for leftover in _sweep_buried(directory) if clean else ():
        cleaned(leftover)
    return found


def _is_held(files: MeetingFiles) -> bool:
    """Returns whether a supervisor holds the meeting; buries one that nobody holds."""
    descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # A shared lock, so that two commands that look at the same moment do not see each other as the holder; and
        # while it lasts no new supervisor can put its own files where the dead one's are taken away.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        _bury(files)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _looks_held(files: MeetingFiles) -> bool:
    """Returns the same and touches nothing."""
    try:
        descriptor = os.open(files.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _locked_within(descriptor: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        else:
            return True


def _bury(files: MeetingFiles) -> None:
    """Takes a dead meeting's files away, but keeps its note: it says what is to be ended."""
    note = _read(files.note)
    if note is not None:
        with contextlib.suppress(FileNotFoundError):  # another command was quicker
            files.note.rename(files.note.with_suffix(f".{_short_hash(note.meeting)}.dead"))
    _remove(files)


def _sweep_buried(directory: Path) -> list[Leftover]:
    """Ends what dead meetings left; a note goes when nothing is left of its meeting."""
    leftovers = []
    for path in sorted(directory.glob("*.dead")):
        note = _read(path)
        before = marked(note.meeting) if note is not None else set()
        left: set[int] = set()
        if note is not None and before:
            left = end_all((), note.meeting, grace_s=SWEEP_GRACE_S)
            leftovers.append(Leftover(note.room, len(before - left), tuple(sorted(left))))
        if not left:
            path.unlink(missing_ok=True)
    return leftovers


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(path: Path) -> MeetingNote | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        # Another version may have more to say; what it must say is the same.
        return MeetingNote(**{name.name: said[name.name] for name in fields(MeetingNote) if name.name in said})
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _remove(files: MeetingFiles) -> None:
    for path in (files.note, files.socket, files.livekit_config):
        path.unlink(missing_ok=True)
