"""The program around the server: options, the one line on stdout, and when to stop."""

from __future__ import annotations

import argparse
import asyncio
import functools
import logging
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from meetctl.errors import StandInError
from meetctl.local.simli.config import ServerConfig, load_faults, load_keys, load_livekit
from meetctl.protocol import Model, Serving, encode_line
from meetctl.protocol.proxies import keep_livekit_direct
from meetctl.protocol.steps import STEPS

_STDOUT, _STDERR = 1, 2


def main() -> None:
    """Serves until SIGTERM, SIGINT, or, where asked for, the end of stdin."""
    keep_livekit_direct()
    wire = _take_stdout()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("aioice", "livekit"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    options = _options()
    try:
        STEPS.tell(functools.partial(_tell, wire) if options.tell_steps else None)
        asyncio.run(_serve(_config(options), wire, watch_stdin=options.watch_stdin))
    except StandInError as error:
        logging.getLogger("meetctl.simli").error("%s%s", error.message, f" ({error.hint})" if error.hint else "")
        sys.exit(1)
    except KeyboardInterrupt:
        pass
    finally:
        wire.close()


def _take_stdout() -> BinaryIO:
    """Moves the real stdout out of reach of prints, which go to stderr from here on."""
    wire = os.fdopen(os.dup(_STDOUT), "wb")
    os.dup2(_STDERR, _STDOUT)
    return wire


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m meetctl.local.simli", description="A Simli-compatible avatar server."
    )
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--tell-steps", action="store_true", help="tell on stdout what it does when it starts")
    parser.add_argument("--watch-stdin", action="store_true", help="stop when stdin ends")
    parser.add_argument("--size", type=int, default=512, help="width and height of the video, even, 64 to 1280")
    parser.add_argument("--fps", type=int, default=25, help="frames a second, 5 to 60")
    parser.add_argument("--codec", choices=("vp8", "h264"), help="the only video codec to answer with; else as offered")
    parser.add_argument(
        "--keys-file", type=Path, help="API keys accepted, one a line; without it any that is not empty"
    )
    parser.add_argument("--face-id", action="append", metavar="ID", help="a face id accepted, repeatable; else any")
    parser.add_argument("--livekit-file", type=Path, help='{"url", "api_key", "api_secret"} in JSON, mode 0600')
    parser.add_argument("--inject", type=Path, help="faults to play, in JSON")
    parser.add_argument("--injectable", action="store_true", help="let PUT /local/faults change the faults")
    return parser.parse_args()


def _config(options: argparse.Namespace) -> ServerConfig:
    return ServerConfig(
        port=options.port,
        size=options.size,
        fps=options.fps,
        codec=options.codec,
        keys=load_keys(options.keys_file) if options.keys_file else None,
        faces=frozenset(options.face_id) if options.face_id else None,
        livekit=load_livekit(options.livekit_file) if options.livekit_file else None,
        faults=load_faults(options.inject) if options.inject else None,
        injectable=options.injectable,
    )


async def _serve(config: ServerConfig, wire: BinaryIO, *, watch_stdin: bool) -> None:
    with STEPS.step("import the server"):
        from meetctl.local.simli.server import SimliServer

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with SimliServer(config) as server:
        _tell(wire, Serving(url=server.url))
        watcher = asyncio.create_task(_stdin_end(stop)) if watch_stdin else None
        try:
            await stop.wait()
        finally:
            if watcher is not None:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)


def _tell(wire: BinaryIO, event: Model) -> None:
    wire.write(encode_line(event))
    wire.flush()


async def _stdin_end(stop: asyncio.Event) -> None:
    """Sets `stop` when stdin ends, or at once where it is nothing that can end."""
    reader = asyncio.StreamReader()
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
        )
    except (OSError, ValueError):
        stop.set()
        return
    try:
        while await reader.read(4096):
            pass
    finally:
        transport.close()
        stop.set()
