"""The report of a bug: what a developer needs, and no secret. Makes the text; writes nothing."""

from __future__ import annotations

import platform
import re
import sys
import traceback

from meetctl import __version__
from meetctl.protocol.secrets import MASK, SECRET_NAME, Masker
from meetctl.settings import environment

_INVITE = re.compile(r"(https?://[^\s#]*#)\S+")
"""A join link: what stands behind # lets anybody in."""


def crash_report(error: BaseException) -> str:
    """Returns versions, the command line and the traceback, with every secret of the environment masked."""
    mask = Masker(value for name, value in environment().items() if SECRET_NAME.search(name))
    lines = (
        f"meetctl {__version__}",
        f"python {platform.python_version()} on {platform.platform()}",
        f"command: {' '.join(sys.argv)}",
        "",
        "".join(traceback.format_exception(error)),
    )
    return _INVITE.sub(rf"\1{MASK}", mask("\n".join(lines)))
