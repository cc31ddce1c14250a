"""A prepared process: it has loaded what the agent programs need, and forks one whenever it is asked to.

Loading takes 3.5 s and 100 MB for each process; a fork takes milliseconds and shares what was loaded. It is a program
of its own, `python -m meetctl_agents.preloader [OPTION…] FD`: FD is a SOCK_SEQPACKET socket to the supervisor. A
request is `{"id", "module", "env", "cwd"}` with three descriptors (stdin, stdout, stderr); answers are `{"id", "pid"}`
or `{"id", "error"}`, and later `{"pid", "returncode"}`. With `--tell-steps` it says beforehand what took how long to
load: `{"loaded", "began", "ended"}`. Closing the socket ends it, not the children: they watch stdin.
It never connects, plays or draws anything itself: what is used before a fork is broken after it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

PRELOADED: tuple[str, ...] = (
    "aiohttp",
    "aiortc",
    "av",
    "livekit.agents",
    "livekit.agents.inference",
    "livekit.plugins.openai",
    "livekit.rtc",
    "meetctl_agents.audio",
    "meetctl_agents.chair",
    "meetctl_agents.simli",
    "openai.resources.audio",
    "openai.resources.chat",
)
CLIENTS = "meetctl_agents.models.openai_client"
TELL_STEPS = "--tell-steps"
ALSO = "--also="
"""Names a further module to load, for a meeting in which it will be wanted."""
REQUEST_BYTES = 1 << 17
"""A request carries an environment; Linux passes 208 kB in one packet by default."""
STANDARD_STREAMS = 3
TEXT = "utf-8"
"""What the supervisor reads, whatever the locale says."""


def main(arguments: Sequence[str]) -> NoReturn:
    """Loads, then forks until the socket closes."""
    *options, descriptor = arguments
    also = [option.removeprefix(ALSO) for option in options if option.startswith(ALSO)]
    tells_steps = TELL_STEPS in options
    control = socket.socket(fileno=int(descriptor))
    gc.disable()  # a quarter of the time to load went into collections that find nothing
    for module in (*PRELOADED, *also):
        began = time.monotonic()
        importlib.import_module(module)
        if tells_steps:
            _answer(control, {"loaded": module, "began": began, "ended": time.monotonic()})
    if (clients := sys.modules.get(CLIENTS)) is not None:
        clients.certificates()  # kept for whoever asks again
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every shared page
    gc.enable()
    _serve(control)
    os._exit(0)


def _serve(control: socket.socket) -> None:
    wake_read, wake_write = socket.socketpair()
    wake_write.setblocking(False)
    signal.set_wakeup_fd(wake_write.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is wake_read:
                    wake_read.recv(1024)
                    _report_ended(control)
                elif not _serve_one(control, [wake_read, wake_write, selector]):
                    return


def _serve_one(control: socket.socket, ours: list[socket.socket | selectors.BaseSelector]) -> bool:
    """Answers one request; returns False when the supervisor is gone.

    Args:
        ours: what a fork closes, beside `control`.
    """
    packet, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES, STANDARD_STREAMS)
    if not packet:
        return False
    request = json.loads(packet)
    try:
        pid = os.fork()
    except OSError as error:
        _answer(control, {"id": request["id"], "error": str(error)})
    else:
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for held in (control, *ours):
                held.close()
            _become(request["module"], request["env"], request["cwd"], descriptors)
        _answer(control, {"id": request["id"], "pid": pid})
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def _become(module: str, env: dict[str, str], cwd: str | None, descriptors: list[int]) -> NoReturn:
    """Turns this fork into the program, as if it had been executed."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()  # its `TZ` is read by itself only at a program's start
        if cwd is not None:
            os.chdir(cwd)
        sys.stdin, sys.stdout = open(0, encoding=TEXT), open(1, "w", buffering=1, encoding=TEXT)
        sys.stderr = open(2, "w", buffering=1, encoding=TEXT, errors="backslashreplace")
        sys.argv = [module]
        random.seed()
        sys.modules.pop(module, None)  # it was loaded for what it imports; now it runs, and runpy would warn of two
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _report_ended(control: socket.socket) -> None:
    """Reaps every child that has ended, after its process group was emptied: until then nobody can have its number."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(ended.si_pid, signal.SIGKILL)
        _, status = os.waitpid(ended.si_pid, 0)
        _answer(control, {"pid": ended.si_pid, "returncode": os.waitstatus_to_exitcode(status)})


def _answer(control: socket.socket, answer: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # the supervisor is gone; the next read says so
        control.send(json.dumps(answer).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
