"""The directories that meetings leave behind: which of them began, and so are worth showing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from meetctl.meeting.transcript import FILE_NAME

BEGUN_NAME = ".begun"
"""Made when people can join: a start that fails before that leaves logs, and no meeting."""


def mark_begun(directory: Path) -> None:
    """Notes that this meeting began."""
    os.close(os.open(directory / BEGUN_NAME, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def newest(directories: Iterable[Path]) -> Path | None:
    """Returns the newest of those that began; where none did, the newest: its logs say why. None of none.

    The names of the directories are the times when they were made.
    """
    return max(directories, key=lambda path: (_began(path), path.name), default=None)


def _began(directory: Path) -> bool:
    # An earlier version left no mark, and an empty transcript where the start had failed.
    transcript = directory / FILE_NAME
    return (directory / BEGUN_NAME).exists() or (transcript.exists() and transcript.stat().st_size > 0)
