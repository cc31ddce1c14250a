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
from pathlib import Path

from meetctl.errors import MeetctlError


def main() -> None:
    """Runs the server until it is told to stop."""
    # The first act: native libraries write to stdout, and a stray line there would be read as a message.
    wire = os.dup(1)
    os.dup2(2, 1)
    options = _options()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(options, wire))
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
    from meetctl.settings import cache_dir

    models = cache_dir() / "models"
    parser = argparse.ArgumentParser(prog="python -m meetctl.local.models", description="OpenAI's HTTP API, locally.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--whisper", type=Path, default=models / "whisper-tiny.en", metavar="DIR")
    parser.add_argument(
        "--chat", type=Path, default=models / "smollm2-135m" / "SmolLM2-135M-Instruct.Q4_1.gguf", metavar="FILE"
    )
    parser.add_argument("--slots", type=int, default=3, metavar="N", help="conversations at a time: one an agent")
    parser.add_argument("--watch-stdin", action="store_true", help="end when stdin is closed")
    return parser.parse_args()


async def _serve(options: argparse.Namespace, wire: int) -> None:
    from meetctl.local.models.server import ModelFiles, load_models, served
    from meetctl.protocol import Serving, encode_line

    files = ModelFiles(options.whisper, options.chat)
    files.check()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if options.watch_stdin:
        threading.Thread(target=_watch_stdin, args=(loop, stopped), daemon=True).start()

    async def serve() -> None:
        models = await load_models(files, slots=options.slots)
        async with served(models, options.port) as url:
            os.write(wire, encode_line(Serving(url=url)))
            await stopped.wait()

    serving = asyncio.create_task(serve())
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    if serving.done() and not stopped.is_set():
        serving.result()
    elif not serving.done():
        await asyncio.wait((serving,), timeout=_STOPPING)


_STOPPING = 1.5
"""Seconds; a model that is loading cannot be interrupted, and need not be."""


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stopped.set)


if __name__ == "__main__":
    main()
