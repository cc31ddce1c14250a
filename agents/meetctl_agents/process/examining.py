"""The life of a program that examines: it reads one question on stdin, writes what it finds, a line each, and ends."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

from meetctl.protocol import Model

from .shell import Shell, run_in_shell
from .wire import Report

Q = TypeVar("Q", bound=Model)

logger = logging.getLogger(__name__)


def run_examination(question: type[Q], examine: Callable[[Q, Report], Awaitable[None]], *, log: int) -> NoReturn:
    """Runs one examination and exits, with 2 where what was read is no such question.

    Args:
        log: the level from which on the libraries' words are written to stderr.
    """

    async def work(shell: Shell) -> int:
        try:
            asked = question.model_validate_json(shell.commands.readline())
        except ValueError as error:
            logger.error("no %s: %s", question.__name__, type(error).__name__)  # the line itself holds keys
            return 2
        await examine(asked, shell.report)
        return 0

    run_in_shell(work, log=log)
