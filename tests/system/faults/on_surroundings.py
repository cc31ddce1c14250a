"""What is around a meeting goes: the disk is full, the terminal is closed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import pty
import random
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.system.light import crash_reports, written

from .house import House, until
from .kinds import Process, kind
from .others import nothing_of

LINES = 3
"""As many as one person may have on their way at once."""
LINE = "of a disk that is full " * 70
"""Long enough that some of them find no room in the page that a file has begun."""
TERMINAL_S = 120.0


@kind("the disk is full")
async def disk(house: House, chance: random.Random, target: Process | None) -> None:
    """What is said meanwhile is written down when there is room again."""
    mark = chance.randrange(10**6)
    texts = [f"Line {number} of {mark} {LINE}".strip() for number in range(LINES)]
    with full(house):
        for text in texts:
            await house.write(text)
        await until(lambda: _cannot_write(house), "nobody says that the transcript cannot be written")
        if chance.random() < 0.5:
            await house.kill(Process.MAX)
        await house.whole()
    await house.write(f"There is room again after {mark}.")
    for text in (*texts, f"There is room again after {mark}."):
        await house.record.wait_text(text, "a line is lost")


async def _cannot_write(house: House) -> bool:
    warning = (await house.seats())[Process.CHAIR]["warning"] or ""
    return "the transcript cannot be written" in warning


@contextlib.contextmanager
def full(house: House) -> Iterator[None]:
    """Leaves no room on the meeting's own file system; where it has none, in the supervisor's files."""
    if house.disk is not None:
        filler = house.disk / "filler"
        try:
            fill(filler)
            yield
        finally:
            filler.unlink(missing_ok=True)
    else:
        supervisor = psutil.Process(house.note["pid"])
        limits = supervisor.rlimit(psutil.RLIMIT_FSIZE)
        supervisor.rlimit(psutil.RLIMIT_FSIZE, (1, limits[1]))
        try:
            yield
        finally:
            supervisor.rlimit(psutil.RLIMIT_FSIZE, limits)


def fill(path: Path) -> None:
    """Writes until there is no room left for a byte."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


@kind("the terminal is closed")
async def terminal(house: House, chance: random.Random, target: Process | None) -> None:
    """Of a meeting beside this one, at any moment of its start or after."""
    leader, command = on_a_terminal(house)
    try:
        if chance.random() < 0.5:
            await asyncio.to_thread(_read_until, leader, chance.choice((b"#invite=", b"Idler")))
        else:
            await asyncio.sleep(chance.uniform(0.1, 2.0))  # by chance, how far it has come
    finally:
        os.close(leader)
    code = await asyncio.to_thread(command.wait, TERMINAL_S)
    assert code in (129, 0, -signal.SIGHUP), code
    await nothing_of(house.meetctl, "closing")
    assert crash_reports(house.meetctl) == []


def on_a_terminal(house: House) -> tuple[int, subprocess.Popen[bytes]]:
    """Starts a meeting on a terminal of its own; returns our end of that too."""
    leader, follower = pty.openpty()
    command = subprocess.Popen(
        [house.meetctl.binary, "up", written(house.meetctl, "closing")],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**house.meetctl.environment, "TERM": "xterm-256color"},
        cwd=house.meetctl.cwd,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(follower)
    return leader, command


def _read_until(leader: int, text: bytes) -> None:
    shown = b""
    while text not in shown:
        shown += os.read(leader, 65536)
