"""The program around the server: what it can be told, and what it serves with."""

from __future__ import annotations

import argparse
import asyncio
import logging
from functools import partial
from pathlib import Path

from meetctl.local.shell import Tell, run_server
from meetctl.local.simli.config import ServerConfig, load_faults, load_keys, load_livekit
from meetctl.local.simli.sessions.giving_way import Manner
from meetctl.protocol import PictureCost, Recovered, Serving, Warn
from meetctl.protocol.proxies import keep_livekit_direct
from meetctl.protocol.steps import STEPS

GIVING_WAY = "the cores"
LESS = "transport: direct of a local face, fewer avatars, or models elsewhere take less of them"


def main() -> None:
    """Runs the server until it is told to stop."""
    keep_livekit_direct()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("aioice", "livekit"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    options = _options()
    run_server(partial(_serve, options), watch_stdin=options.watch_stdin, tell_steps=options.tell_steps)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m meetctl.local.simli", description="A Simli-compatible avatar server."
    )
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--tell-steps", action="store_true", help="tell on stdout what it does when it starts")
    parser.add_argument("--tell-cost", action="store_true", help="measure what a picture costs here, and tell it")
    parser.add_argument("--watch-stdin", action="store_true", help="stop when stdin ends")
    parser.add_argument("--size", type=int, default=512, help="width and height of the video, even, 64 to 1280")
    parser.add_argument("--fps", type=int, default=25, help="frames a second, 5 to 60")
    parser.add_argument("--codec", choices=("vp8", "h264"), help="the only video codec to answer with; else as offered")
    parser.add_argument(
        "--keys-file", type=Path, help="API keys accepted, one a line; without it any that is not empty"
    )
    parser.add_argument("--face-id", action="append", metavar="ID", help="a face id accepted, repeatable; else any")
    parser.add_argument("--prepare", action="append", metavar="ID", help="a face to draw beforehand, repeatable")
    parser.add_argument("--give-way", action="store_true", help="draw less while the cores are busy, and tell so")
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
        prepared=tuple(options.prepare or ()),
        faces=frozenset(options.face_id) if options.face_id else None,
        livekit=load_livekit(options.livekit_file) if options.livekit_file else None,
        faults=load_faults(options.inject) if options.inject else None,
        injectable=options.injectable,
    )


async def _serve(options: argparse.Namespace, tell: Tell, stopped: asyncio.Event) -> None:
    with STEPS.step("import the server"):
        from meetctl.local.simli.server import SimliServer

    give_way = partial(_tell_manner, tell, options.fps) if options.give_way else None
    async with SimliServer(_config(options), give_way) as server:
        tell(Serving(url=server.url))
        if options.tell_cost:
            with STEPS.step("measure a picture"):
                tell(PictureCost(ms=round(await server.picture_ms(), 3)))
        await stopped.wait()


def _tell_manner(tell: Tell, fps: int, manner: Manner) -> None:
    if manner == Manner(fps):
        tell(Recovered(about=GIVING_WAY))
        return
    drawn = f"only the lips of local faces move, {manner.fps} times a second" if manner.only_lips else ""
    drawn = drawn or f"local faces are drawn {manner.fps} times a second instead of {fps}"
    tell(Warn(message=f"the cores are busy: {drawn}", hint=LESS, about=GIVING_WAY))
