"""Starts a process in a group of its own and tells when it ended.

`Launcher` is the seam: today a program is executed; a prepared process may be forked instead. Nothing above it assumes
that the child is ours to wait for: the exit comes as a notice. A pid is trusted only together with its start time.

It is not asyncio's subprocess: that one's `wait` goes on until the pipes end, which a grandchild may hold open for ever
(https://github.com/python/cpython/issues/119710).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import psutil

from meetctl.supervisor.descendants import ours

_POLL_S = 0.05
"""How often a child is looked at where the kernel gives no pidfd (macOS)."""

_RESTORED = frozenset({signal.SIGPIPE, signal.SIGXFSZ})
"""Python ignores these itself, and `Popen` gives each child the default again."""

PIPE_LIMIT = 1 << 16
"""Bytes read from a pipe at a time."""


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """What to run. No secret ever stands in `argv`: every user of the machine can read it."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path | None = None
    module: str | None = None
    """The module that `argv` runs, where it is a program of ours: it may be forked from a prepared process instead."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    start_time: float
    """Seconds since the machine's start where the kernel tells that (a wall clock that is set right would move any
    other), elsewhere since the epoch."""

    def is_alive(self) -> bool:
        """Returns whether this very process exists and is not a zombie."""
        started_at, is_zombie = _started_at(self.pid)
        return started_at == self.start_time and not is_zombie

    def is_stopped(self) -> bool:
        """Returns whether it is held still, by SIGSTOP or Ctrl-Z: alive, and doing nothing until it is continued."""
        try:
            return self.is_alive() and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return False


class Child(Protocol):
    """A process that was started: its pipes and its end."""

    id: ProcessId
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    async def wait(self) -> int:
        """Waits for the process itself, not for its pipes; returns the code, negative for a signal."""
        ...

    def signal_group(self, number: signal.Signals) -> bool:
        """Sends the signal to the whole process group; returns whether anybody was there."""
        ...

    def close(self) -> None:
        """Lets go of the pipes; a grandchild may hold the other end for ever."""
        ...


class Launcher(Protocol):
    """Starts children."""

    async def launch(self, spec: LaunchSpec) -> Child:
        """Starts the process in a session of its own.

        Raises:
            OSError: if it cannot be started.
        """
        ...

    def prepare(self) -> None:
        """Does beforehand what makes the next start quicker."""
        ...

    async def close(self) -> None:
        """Lets go of what it holds; the children are their owners' business."""
        ...


class Pipes:
    """The three pipes of a child, on the loop."""

    def __init__(self) -> None:
        self._transports: list[asyncio.BaseTransport] = []
        self._files: list[IO[bytes]] = []

    async def connect(
        self, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]
    ) -> tuple[asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamReader]:
        """Takes over our ends: one to write, two to read."""
        self._files = [stdin, stdout, stderr]
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, stdin)
        self._transports.append(transport)
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        return writer, await self._reader(stdout), await self._reader(stderr)

    def close(self) -> None:
        for transport in self._transports:
            transport.close()
        for file in self._files:
            with contextlib.suppress(OSError):
                file.close()

    async def _reader(self, pipe: IO[bytes]) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=PIPE_LIMIT)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._transports.append(transport)
        return reader


def spawn(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Executes a program in a session of its own, with every signal open and as the system has it by default.

    What this process ignores or blocks is its own business (`nohup` and scripts start it so), and a program that was
    never told of it could not be stopped. Milliseconds; no await may stand between it and whoever owns the process.

    Args:
        options: of `subprocess.Popen`.

    Raises:
        OSError: if it cannot be started.
    """
    _catch_what_is_ignored()
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, ())  # of this thread alone
    try:
        return subprocess.Popen(argv, start_new_session=True, **options)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _catch_what_is_ignored() -> None:
    """Goes on ignoring the same signals, by a handler: that is not inherited, where `SIG_IGN` is."""
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may; where a library runs the meeting in another, its signals are its own
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN and number not in _RESTORED:
            signal.signal(number, lambda *_: None)


class ExecLauncher:
    """Executes a program: works for any command on every platform."""

    async def launch(self, spec: LaunchSpec) -> ExecChild:
        process = spawn(
            spec.argv,
            env=dict(spec.env),
            cwd=spec.cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ours.add(process.pid)
        child = ExecChild(process)
        try:
            await child.connect()
        except BaseException:
            child.signal_group(signal.SIGKILL)
            process.wait()
            raise
        return child

    def prepare(self) -> None:
        pass

    async def close(self) -> None:
        pass


class ExecChild:
    """A child of this very process."""

    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pipes = Pipes()
        self.id = process_id(process.pid)
        self._watch()

    async def connect(self) -> None:
        """Puts the pipes on the loop."""
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self.stdin, self.stdout, self.stderr = await self._pipes.connect(
            self._process.stdin, self._process.stdout, self._process.stderr
        )

    async def wait(self) -> int:
        return await asyncio.shield(self._exited)

    def signal_group(self, number: signal.Signals) -> bool:
        return signal_group(self._process.pid, number)

    def close(self) -> None:
        self._pipes.close()

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            pidfd = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):
            self._poll(loop)
            return

        def ended() -> None:
            loop.remove_reader(pidfd)
            os.close(pidfd)
            self._reap()

        loop.add_reader(pidfd, ended)

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._process.poll() is None:
            loop.call_later(_POLL_S, self._poll, loop)
        else:
            self._reap()

    def _reap(self) -> None:
        # Before the leader is reaped its number cannot be given away, so this cannot hit a stranger's group.
        self.signal_group(signal.SIGKILL)
        code = self._process.wait()
        ours.discard(self._process.pid)
        if not self._exited.done():
            self._exited.set_result(code)


def signal_group(leader: int, number: signal.Signals) -> bool:
    """Signals the process group; returns whether anybody was there."""
    # The leader's pid is the group's id for as long as anybody is in the group, even after the leader has gone.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
        return True
    return False


def process_id(pid: int) -> ProcessId:
    """Returns the process with its start time; of one that is gone already, with none."""
    return ProcessId(pid, _started_at(pid)[0] or 0.0)


def _started_at(pid: int) -> tuple[float | None, bool]:
    """Returns when the process was started, None if there is none, and whether it is a zombie."""
    try:
        # The second field is the command in parentheses and may hold anything, spaces and parentheses included.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK"), fields[0] == "Z"
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return None, False
    try:
        process = psutil.Process(pid)
        return process.create_time(), process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return None, False


def python_argv(module: str, *arguments: str) -> tuple[str, ...]:
    """Returns the command that runs one of our own modules with this very interpreter."""
    return (sys.executable, "-m", module, *arguments)
