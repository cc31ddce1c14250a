"""How many avatars and agents this machine can carry: one picture is measured, and what the cores do meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import psutil

from meetctl.doctor.findings import Finding, ok, warning
from meetctl.doctor.running import running_program
from meetctl.local.carrying import AUDIO, BRIDGED, DIRECT, Machine, cores
from meetctl.programs.launch import service_environment
from meetctl.protocol import PictureCost, parse_event
from meetctl.roster import AgentEntry

LOOK_S = 1.0
"""So long it is looked at what the cores do, before anything is started."""
MEASURED_S = 20.0
"""A second on idle cores: the server loads, and measures."""
FACES = "meetctl.local.simli"
FEWER = "seat fewer avatars (`--only`), or let some of them be `agent: audio`"


async def measured_machine() -> Machine | None:
    """Returns what was measured, None where that could not be had in time; takes about two seconds."""
    busy = await asyncio.to_thread(psutil.cpu_percent, LOOK_S)
    cost = await _picture_cost()
    return None if cost is None else Machine(cores(), cost.ms, free=1 - busy / 100)


def judge_cores(machine: Machine | None, agents: Sequence[AgentEntry]) -> Finding:
    """Returns how many it can carry, and whether these are among them."""
    if machine is None:
        return warning("cores", "what a picture costs here was not measured in time", "end what keeps the cores busy")
    bridged, direct, audio = (machine.room_for(price) for price in (BRIDGED, DIRECT, AUDIO))
    count = f"{machine.cores} core{'s' * (machine.cores != 1)}"
    free = f"{count}, {machine.free:.0%} free, {machine.picture_ms:.1f} ms a picture"
    room = f"room for {bridged} local avatars ({direct} with transport: direct), or {audio} audio agents"
    told = f"{free}: {room}; models come on top"
    faces = sum(agent.face is not None for agent in agents)
    voices = len(agents) - faces
    least = faces * DIRECT.on(machine.picture_ms) + voices * AUDIO.on(machine.picture_ms)
    if agents and least > machine.left:
        return warning("cores", f"{told}. That is too little for {faces} avatars and {voices} others", FEWER)
    return ok("cores", told) if bridged or agents else warning("cores", told, FEWER)


async def _picture_cost() -> PictureCost | None:
    options = ("--tell-cost", "--watch-stdin")
    async with running_program(FACES, service_environment({}), *options) as process:
        assert process.stdout is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MEASURED_S):
                async for line in process.stdout:
                    if isinstance(event := parse_event(line), PictureCost):
                        return event
    return None
