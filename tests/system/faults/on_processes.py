"""Processes that are killed, stand still, or are starved; alone, two at once, again as soon as they are back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time

import psutil

from meetctl.supervisor.sweep import marked

from .house import WAIT_S, House, until
from .kinds import AVATAR, EVERYBODY, HELPERS, SEATED, Process, kind

STILL_S = (0.5, 3.0)
"""How long somebody stands still: less than after what he would be replaced."""
STARVED_S = 2.5
TURN_S, SHARE = 0.1, 0.04
"""Of the time that a starved process has each turn."""
ASLEEP_S = (2.0, 6.0)


@kind("kill", *EVERYBODY, with_avatar=AVATAR)
async def kill(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    await house.kill(target)
    await _wanted_meanwhile(house, chance, target)
    await _after_the_supervisor(house, target)


@kind("stop", *EVERYBODY, with_avatar=AVATAR)
async def stop(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    house.struck[target] += 1
    pid = await house.pid_for_certain(target)
    asked = None
    os.kill(pid, signal.SIGSTOP)
    try:
        if target is Process.SUPERVISOR:
            asked = asyncio.create_task(house.run("status", "--json"))
        else:
            await _wanted_meanwhile(house, chance, target)
        await asyncio.sleep(chance.uniform(*STILL_S))  # the length of the fault itself
    finally:
        go_on(pid)
        if asked is not None:
            await asked


@kind("starve", *EVERYBODY, with_avatar=AVATAR)
async def starve(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    house.struck[target] += 1
    pid = await house.pid_for_certain(target)
    end = time.monotonic() + STARVED_S
    try:
        if target is not Process.SUPERVISOR:
            await _wanted_meanwhile(house, chance, target)
        while time.monotonic() < end:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(TURN_S * (1 - SHARE))
            go_on(pid)
            await asyncio.sleep(TURN_S * SHARE)
    finally:
        go_on(pid)


@kind("kill two at once", *EVERYBODY)
async def kill_two(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    other = chance.choice([each for each in (*SEATED, *HELPERS) if each is not target])
    for each in (target, other):
        await house.spare(each)
    pids = [await house.pid_for_certain(each) for each in (target, other)]
    house.struck.update((target, other))
    for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: neither sees the other go
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    if Process.SUPERVISOR not in (target, other):
        for each, pid in zip((target, other), pids, strict=True):
            await house.noticed(each, pid)
    if Process.SUPERVISOR in (target, other) and Process.GUARD in (target, other):
        await house.up()  # nobody is left to sweep, so the next command does
        assert len({house.note["pid"], *pids}) == 3
    else:
        await _after_the_supervisor(house, target, other)


@kind("kill again", *SEATED)
async def kill_again(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    await house.kill(target)
    await house.pid_for_certain(target)
    await asyncio.sleep(chance.uniform(0, 0.5))  # by chance, how far it has come
    await house.kill(target)


@kind("everybody sleeps")
async def sleep(house: House, chance: random.Random, target: Process | None) -> None:
    """As a machine does whose lid is closed."""
    pids = marked(house.note["meeting"]) | {house.note["pid"]}
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(chance.uniform(*ASLEEP_S))  # the length of the fault itself
    finally:
        for pid in pids:
            go_on(pid)


def go_on(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


async def _wanted_meanwhile(house: House, chance: random.Random, target: Process) -> None:
    """Now and then somebody is needed who is just being struck: the preloader to fork, the guard to be told."""
    if target in (Process.PRELOADER, Process.GUARD) and chance.random() < 0.5:
        await house.kill(Process.MAX)


async def _after_the_supervisor(house: House, *killed: Process) -> None:
    """Without its supervisor a meeting ends, by itself; then it begins anew."""
    if Process.SUPERVISOR not in killed:
        return
    pid = house.note["pid"]
    await until(lambda: not psutil.pid_exists(pid), "the supervisor is still there", WAIT_S)
    await until(lambda: not marked(house.note["meeting"]), "its guard did not sweep")
    await house.up()
