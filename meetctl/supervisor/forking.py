"""Starts our own programs by forking a prepared process; everything else, and everything where that fails, by exec.

The prepared process (`meetctl_agents.preloader`) is started when the first of our programs is wanted and replaced when
it dies. Its children outlive it: their pipes are ours, and pidfds tell of their end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from meetctl.protocol import Step
from meetctl.supervisor.descendants import ours
from meetctl.supervisor.launcher import (
    Child,
    ExecLauncher,
    LaunchSpec,
    Pipes,
    process_id,
    signal_group,
    spawn,
)

PREPARE_S = 60.0
"""It loads for 3.5 s on an idle machine; a cold disk or busy cores make that many times more."""
ANSWER_S = 10.0
"""From then on a fork takes milliseconds; one that stands still for so long is replaced."""
REPORT_S = 2.0
"""From the end of a child to its parent's word how it ended, which takes a millisecond: a parent that stands still must
keep no seat empty."""
ANSWER_BYTES = 4096
TELL_STEPS = "--tell-steps"
"""Has it tell what it loads."""
UNKNOWN_END = -signal.SIGKILL
"""What is assumed of a child whose prepared parent is gone: the parent took the code along."""


class ForkLauncher:
    """Forks where it can; owns the prepared process until `close`.

    Args:
        program: what to run as the prepared process.
        env: its environment; the children get their own.
        started: told the pid of each prepared process, so that the guard knows it.
        told: told what it loads, and when; None = nobody asks.
    """

    def __init__(
        self,
        program: tuple[str, ...],
        env: Mapping[str, str],
        started: Callable[[int], None] = lambda pid: None,
        told: Callable[[Step], None] | None = None,
    ) -> None:
        self._program = program
        self._told = told
        self._env = dict(env)
        self._started = started
        self._exec = ExecLauncher()
        self._prepared: _Prepared | None = None

    async def close(self) -> None:
        """Ends the prepared process; children that still run are their seats' business."""
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            await prepared.close()

    def prepare(self) -> None:
        """Starts the prepared process now, so that the first fork need not wait for all of it."""
        if self._prepared is not None and self._prepared.is_alive():
            return
        if self._prepared is not None:
            self._prepared.abandon()
        self._prepared = _Prepared(self._program, self._env, self._told)
        self._started(self._prepared.pid)

    async def launch(self, spec: LaunchSpec) -> Child:
        if spec.module is None:
            return await self._exec.launch(spec)
        with contextlib.suppress(OSError):  # a time-out too
            self.prepare()
            assert self._prepared is not None
            return await self._prepared.fork(spec)
        return await self._exec.launch(spec)


class _Prepared:
    """One prepared process and the children it forked."""

    def __init__(
        self, program: tuple[str, ...], env: Mapping[str, str], told: Callable[[Step], None] | None = None
    ) -> None:
        self._told = told
        asked = (TELL_STEPS,) if told is not None else ()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = spawn(
                [*program, *asked, str(theirs.fileno())],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        ours.add(self._process.pid)
        self._control.setblocking(False)
        self._has_answered = False
        self._next_id = 0
        self._forks: dict[int, asyncio.Future[ForkedChild]] = {}
        self._children: dict[int, ForkedChild] = {}
        asyncio.get_running_loop().add_reader(self._control, self._on_answer)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    async def fork(self, spec: LaunchSpec) -> ForkedChild:
        """Returns the new child.

        Raises:
            OSError: if the prepared process is gone or cannot fork.
            TimeoutError: if it does not answer.
        """
        theirs, ours = _pipes()
        self._next_id += 1
        number = self._next_id
        answer: asyncio.Future[ForkedChild] = asyncio.get_running_loop().create_future()
        self._forks[number] = answer
        request = {
            "id": number,
            "module": spec.module,
            "env": dict(spec.env),
            "cwd": str(spec.cwd) if spec.cwd is not None else None,
        }
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], theirs)
            async with asyncio.timeout(ANSWER_S if self._has_answered else PREPARE_S):
                child = await answer
        except BaseException as error:
            for descriptor in ours:
                os.close(descriptor)
            if isinstance(error, TimeoutError):
                self.give_up()
            raise
        finally:
            self._forks.pop(number, None)
            for descriptor in theirs:
                os.close(descriptor)
        try:
            await child.connect(*ours)
        except BaseException:
            child.signal_group(signal.SIGKILL)
            raise
        return child

    async def close(self) -> None:
        """Ends the prepared process; children that still run are their seats' business."""
        self.abandon()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, 1.0)
        if self.is_alive():
            self._process.kill()
            self._process.wait()

    def give_up(self) -> None:
        """Ends it at once, for it hangs: what it was asked for it must not do later."""
        self._process.kill()
        self._process.wait()
        self.abandon()

    def abandon(self) -> None:
        """Stops listening to it: it is dead, or about to be."""
        if self._control.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
        for answer in self._forks.values():
            if not answer.done():
                answer.set_exception(OSError("the prepared process is gone"))
        for child in self._children.values():
            child.orphaned()
        self._children.clear()

    def _on_answer(self) -> None:
        try:
            packet = self._control.recv(ANSWER_BYTES)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            self._process.poll()
            self.abandon()
            return
        answer: dict[str, Any] = json.loads(packet)
        if "loaded" in answer:
            if self._told is not None:
                self._told(Step(name=answer["loaded"], began=answer["began"], ended=answer["ended"]))
            return
        self._has_answered = True
        if "returncode" in answer:
            ended = self._children.pop(answer["pid"], None)
            if ended is not None:
                ended.ended(answer["returncode"])
            return
        waiting = self._forks.get(answer["id"])
        if waiting is None or waiting.done():
            if "pid" in answer:
                signal_group(answer["pid"], signal.SIGKILL)  # nobody waits for it any more
        elif "error" in answer:
            waiting.set_exception(OSError(answer["error"]))
        else:
            # Made here, not by whoever waits: the notice of its end may be the very next packet.
            child = ForkedChild(answer["pid"])
            self._children[answer["pid"]] = child
            waiting.set_result(child)


class ForkedChild:
    """A grandchild of this process that the prepared process forked."""

    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    def __init__(self, pid: int) -> None:
        self.id = process_id(pid)
        self._pipes = Pipes()
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[int] = self._loop.create_future()
        self._is_ours = False
        self._has_gone = False
        self._pidfd: int | None = None
        with contextlib.suppress(OSError):  # it has ended and was reaped: its parent is about to say so
            self._pidfd = os.pidfd_open(pid)
            self._loop.add_reader(self._pidfd, self._gone)

    async def connect(self, stdin: int, stdout: int, stderr: int) -> None:
        """Puts our ends of its pipes on the loop."""
        self.stdin, self.stdout, self.stderr = await self._pipes.connect(
            os.fdopen(stdin, "wb", buffering=0),
            os.fdopen(stdout, "rb", buffering=0),
            os.fdopen(stderr, "rb", buffering=0),
        )

    async def wait(self) -> int:
        return await asyncio.shield(self._exited)

    def signal_group(self, number: signal.Signals) -> bool:
        return not self._exited.done() and signal_group(self.id.pid, number)

    def close(self) -> None:
        self._pipes.close()

    def ended(self, returncode: int) -> None:
        """Notes its end."""
        self._unwatch()
        if not self._exited.done():
            self._exited.set_result(returncode)

    def orphaned(self) -> None:
        """Watches it alone, now that its parent cannot tell; where orphans come to this process, it is its child."""
        if self._exited.done():
            return
        self._is_ours = True
        ours.add(self.id.pid)
        if self._has_gone:
            self._take_leave()
        elif self._pidfd is None:
            self.ended(UNKNOWN_END)

    def _gone(self) -> None:
        self._unwatch()
        self._has_gone = True
        if self._is_ours:
            self._take_leave()
        else:
            self._loop.call_later(REPORT_S, self._unreported)

    def _unreported(self) -> None:
        if not self._exited.done():
            signal_group(self.id.pid, signal.SIGKILL)
            self.ended(UNKNOWN_END)

    def _take_leave(self) -> None:
        signal_group(self.id.pid, signal.SIGKILL)
        self.ended(self._code())

    def _unwatch(self) -> None:
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None

    def _code(self) -> int:
        """Takes leave of it, where it is ours to wait for; returns how it ended."""
        with contextlib.suppress(ChildProcessError):
            _, status = os.waitpid(self.id.pid, 0)
            ours.discard(self.id.pid)
            return os.waitstatus_to_exitcode(status)
        return UNKNOWN_END


def _pipes() -> tuple[list[int], list[int]]:
    """Returns the child's ends (stdin, stdout, stderr) and ours."""
    stdin_read, stdin_write = os.pipe()
    stdout_read, stdout_write = os.pipe()
    stderr_read, stderr_write = os.pipe()
    return [stdin_read, stdout_write, stderr_write], [stdin_write, stdout_read, stderr_read]


def can_fork() -> bool:
    """Returns whether forking a process that has loaded native libraries is sound here: on Linux it is."""
    return sys.platform == "linux"
