"""Which meetings run on this machine: a lock, a note and a control socket for each, in the user's runtime directory.

The lock is the kernel's (flock): it is gone when its holder is, however that ended, so a note or socket without a held
lock is what a killed supervisor left behind, and is removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from meetctl.errors import ConflictError

_NAME_LENGTH = 40
"""Longer room names are shortened with a hash, to keep the socket's path under the kernel's limit."""


@dataclass(frozen=True, slots=True)
class MeetingNote:
    """What any command needs to know of a running meeting before it asks it."""

    room: str
    meeting: str
    """Marks its processes, see `sweep.py`."""
    pid: int
    start_time: float


@dataclass(frozen=True, slots=True)
class MeetingFiles:
    """Where one meeting's lock, note and socket are."""

    lock: Path
    note: Path
    socket: Path
    livekit_config: Path

    @classmethod
    def of(cls, directory: Path, room: str) -> MeetingFiles:
        name = room if len(room) <= _NAME_LENGTH else f"{room[:20]}-{hashlib.sha256(room.encode()).hexdigest()[:12]}"
        return cls(
            directory / f"{name}.lock",
            directory / f"{name}.json",
            directory / f"{name}.sock",
            directory / f"{name}.livekit.yaml",
        )


@contextlib.contextmanager
def hold(files: MeetingFiles, note: MeetingNote) -> Iterator[None]:
    """Holds the meeting's lock and shows its note.

    Raises:
        ConflictError: if another supervisor holds it.
    """
    descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                f"a meeting named {note.room} is already up",
                hint=f"meetctl status {note.room}, or meetctl down {note.room}",
            ) from None
        _remove_leftovers(files)
        _write(files.note, json.dumps(asdict(note)))
        try:
            yield
        finally:
            _remove_leftovers(files)
    finally:
        # The lock file itself stays: removing it would let two holders lock two files of one name.
        os.close(descriptor)


def running(directory: Path) -> list[tuple[MeetingNote, MeetingFiles]]:
    """Returns the meetings whose supervisor lives, by name, and removes what dead ones left."""
    found = []
    for path in sorted(directory.glob("*.json")):
        note = _read(path)
        if note is None:
            continue
        files = MeetingFiles.of(directory, note.room)
        if _is_held(files.lock):
            found.append((note, files))
        else:
            _remove_leftovers(files)
    return found


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # A shared lock, so that two commands that look at the same moment do not see each other as the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _read(path: Path) -> MeetingNote | None:
    try:
        return MeetingNote(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _remove_leftovers(files: MeetingFiles) -> None:
    for path in (files.note, files.socket, files.livekit_config):
        path.unlink(missing_ok=True)
