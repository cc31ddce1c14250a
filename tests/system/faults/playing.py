"""Plays a series of faults: a meeting for each hand of them, everything proven after each; counts, and goes on after a
failure with a new meeting, so that one run finds all that there is to find.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from testing.fixtures.command import command_in

from . import by_guests, on_commands, on_processes, on_services, on_surroundings, on_words
from .house import House
from .kinds import KINDS
from .series import Fault, Hand
from .services import Services

MODULES = (by_guests, on_commands, on_processes, on_services, on_surroundings, on_words)
"""Imported for the kinds that they register."""
DISK = "32m"
"""Of a hand's own file system: what it writes, and what is filled when the disk is to be full."""
FAULT_S = 400.0
"""No fault takes so long, its proof included."""

Say = Callable[[str], object]


@dataclass
class Tally:
    """What was done, and what came of it."""

    kinds: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __str__(self) -> str:
        each = {name: f"{count} ({self.seconds[name] / count:.1f} s)" for name, count in sorted(self.kinds.items())}
        rows = [f"{name:34} {text}" for name, text in each.items()]
        struck = ", ".join(f"{name} {count}" for name, count in sorted(self.processes.items()))
        return "\n".join([f"{self.kinds.total()} faults", *rows, f"processes struck: {struck}", *self.failures])


async def play(hands: Sequence[Hand], directory: Path, speech: bytes, say: Say) -> Tally:
    """Plays them one after the other; returns what came of it."""
    tally = Tally()
    for number, hand in enumerate(hands, 1):
        left = list(hand.faults)
        while left:
            world = directory / f"hand-{number}-{len(left)}"
            world.mkdir()
            left = await _play_until_failure(hand, left, world, speech, tally, say)
    return tally


async def _play_until_failure(
    hand: Hand, faults: Sequence[Fault], world: Path, speech: bytes, tally: Tally, say: Say
) -> list[Fault]:
    """Returns what is left to do in a meeting of its own, after a failure."""
    left = list(faults)
    doing = "the start"
    with command_in(world) as meetctl, file_system(world / "state") as disk:
        async with Services() as services:
            house = House(meetctl, services, avatar=hand.avatar, disk=disk)
            house.speech = speech
            try:
                await house.up()
                while left:
                    fault = left.pop(0)
                    doing = str(fault)
                    await _do(house, fault, tally, say)
                doing = "the end"
                await house.down()
                shutil.rmtree(world / "state", ignore_errors=True)
            except Exception as error:
                words = "".join(traceback.format_exception(error, limit=-6))
                tally.failures.append(f"FAILED: {doing} (in {world})\n{words}")
                say(tally.failures[-1])
                _keep(house, world)
            finally:
                tally.processes += house.struck
                await house.raze()
    return left


async def _do(house: House, fault: Fault, tally: Tally, say: Say) -> None:
    began = time.monotonic()
    tally.kinds[fault.kind] += 1
    async with asyncio.timeout(FAULT_S):
        await KINDS[fault.kind].strike(house, fault.chance(), fault.target)
        struck = time.monotonic() - began
        await house.prove()
    took = time.monotonic() - began
    tally.seconds[fault.kind] += took
    say(f"{fault}: {struck:.1f} + {took - struck:.1f} s")


def _keep(house: House, world: Path) -> None:
    """Keeps logs and status of a failure: their file system goes with the hand."""
    with contextlib.suppress(Exception):
        (world / "status.json").write_text(house.meetctl("status", "--json").out, encoding="utf-8")
    with contextlib.suppress(Exception):
        shutil.copytree(world / "state", world / "kept")


@contextlib.contextmanager
def file_system(path: Path) -> Iterator[Path | None]:
    """Mounts a small file system there; yields None where that is not allowed."""
    path.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(path)) != 0:
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode
