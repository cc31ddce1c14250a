"""Goes on in a fork of this process, as if the command had been started again: what is loaded is not loaded twice.

Only for a process with one thread and no loop that runs, on a platform where that is sound (`forking.can_fork`).
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from meetctl.protocol.steps import STEPS

_STANDARD_STREAMS = 3


def go_on_detached(argv: list[str], output: int, kept: Iterable[int]) -> int:
    """Runs the command in a session of its own; returns its process id, here alone.

    Args:
        argv: the command line, beginning with the name of the package.
        output: where it writes to.
        kept: the descriptors that stay open in it, beside the standard streams.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()  # else both write what is held back
    if pid := os.fork():
        return pid
    _become(argv, output, frozenset(kept))


def _become(argv: list[str], output: int, kept: frozenset[int]) -> NoReturn:
    code = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for target, descriptor in enumerate((nothing, output, output)):
            os.dup2(descriptor, target)
        for descriptor in [int(name) for name in os.listdir("/proc/self/fd")]:
            if descriptor >= _STANDARD_STREAMS and descriptor not in kept:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        STEPS.forget()
        sys.argv = argv
        runpy.run_module(Path(argv[0]).name, run_name="__main__", alter_sys=False)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)  # nothing of this is the command's that was typed: it unwinds its own stack
