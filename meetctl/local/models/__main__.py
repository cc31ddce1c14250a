"""`python -m meetctl.local.models`: the model server as a process. One line of JSON on stdout once it is ready.

It ends at SIGTERM or SIGINT, and with `--watch-stdin` also when the other end of its stdin is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

from meetctl.catalogue import BETTER
from meetctl.errors import MeetctlError

SPINS = "1000"
"""How often a thread of llama.cpp looks whether the other is done before it sleeps. The library's own choice, millions,
burns the very core that the other waits for when the machine is busy: first token of a new prompt after 5 to 20 s at a
load of 10 on two cores, instead of 1 to 4 s."""


def main() -> None:
    """Runs the server until it is told to stop."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when the library is loaded, which is later
    # The first act: native libraries write to stdout, and a stray line there would be read as a message.
    wire = os.dup(1)
    os.dup2(2, 1)
    options = _options()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        # Not asyncio.run: it would wait for threads in the middle of a load.
        asyncio.new_event_loop().run_until_complete(_serve(options, wire))
        code = 0
    except MeetctlError as error:
        sys.stderr.write(f"meetctl: {error.message}" + (f" (try: {error.hint})" if error.hint else "") + "\n")
        code = 1
    except BaseException:
        logging.exception("the model server failed")
        code = 1
    sys.stderr.flush()
    # Native threads may still compute; an ordinary exit would wait for them, or crash under them.
    os._exit(code)


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


async def _serve(options: argparse.Namespace, wire: int) -> None:
    from meetctl.protocol import Serving, Warn, encode_line
    from meetctl.protocol.steps import STEPS

    STEPS.tell((lambda step: _write(wire, encode_line(step))) if options.tell_steps else None)
    with STEPS.step("import the server"):
        from meetctl.local.data import locate
        from meetctl.local.models.server import Models, bound_socket, served

    wanted = [locate(part, model) for part, model in options.serve or BETTER.items()]
    bound = bound_socket(options.port)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if options.watch_stdin:
        threading.Thread(target=_watch_stdin, args=(loop, stopped), daemon=True).start()

    stopping = asyncio.create_task(stopped.wait())
    loading = asyncio.create_task(Models(slots=options.slots).load(wanted))
    async with served(loading, bound) as url:
        await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set():
            return  # a native load cannot be interrupted; the process ends under it
        loading.result()
        _write(wire, encode_line(Serving(url=url)))
        if warnings := [each.warning for each in wanted if each.warning is not None]:
            _write(wire, encode_line(Warn(message=". ".join(warnings))))
        await stopping


def _write(wire: int, line: bytes) -> None:
    os.write(wire, line)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stopped.set)


if __name__ == "__main__":
    main()
