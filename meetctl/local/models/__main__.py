"""`python -m meetctl.local.models`: the model server as a process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable
from functools import partial

from meetctl.catalogue import BETTER
from meetctl.local.shell import Tell, run_server
from meetctl.protocol import Serving, Warn
from meetctl.protocol.steps import STEPS

SPINS = "1000"
"""How often a thread of llama.cpp looks whether the other is done before it sleeps. The library's own choice, millions,
burns the very core that the other waits for when the machine is busy: first token of a new prompt after 5 to 20 s at a
load of 10 on two cores, instead of 1 to 4 s."""


def main() -> None:
    """Runs the server until it is told to stop."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when the library is loaded, which is later
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    options = _options()
    run_server(partial(_serve, options), watch_stdin=options.watch_stdin, tell_steps=options.tell_steps)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m meetctl.local.models", description="OpenAI's HTTP API, locally.")
    parser.add_argument("--port", type=_between(0, 65535), default=0, help="0 picks a free one")
    parser.add_argument(
        "--serve",
        type=_part_and_model,
        action="append",
        default=[],
        metavar="PART=MODEL",
        help="llm, stt or tts, and a name of the catalogue or a path; what `local` is unless given",
    )
    parser.add_argument(
        "--slots", type=_between(1, 32), default=3, metavar="N", help="conversations at a time: one an agent"
    )
    parser.add_argument("--tell-steps", action="store_true", help="tell on stdout what it does when it starts")
    parser.add_argument("--watch-stdin", action="store_true", help="end when stdin is closed")
    return parser.parse_args()


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
        return int(text)

    return number


def _part_and_model(text: str) -> tuple[str, str]:
    part, _, model = text.partition("=")
    if part not in BETTER or not model:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(BETTER)}, then = and a model")
    return part, model


async def _serve(options: argparse.Namespace, tell: Tell, stopped: asyncio.Event) -> None:
    with STEPS.step("import the server"):
        from meetctl.local.data import locate
        from meetctl.local.models.server import Models, bound_socket, served

    wanted = [locate(part, model) for part, model in options.serve or BETTER.items()]
    bound = bound_socket(options.port)
    stopping = asyncio.create_task(stopped.wait())
    loading = asyncio.create_task(Models(slots=options.slots).load(wanted))
    async with served(loading, bound) as url:
        await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set():
            return  # a native load cannot be interrupted; the process ends under it
        loading.result()
        tell(Serving(url=url))
        if warnings := [each.warning for each in wanted if each.warning is not None]:
            tell(Warn(message=". ".join(warnings)))
        await stopping


if __name__ == "__main__":
    main()
