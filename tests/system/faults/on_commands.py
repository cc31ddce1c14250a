"""Commands by two hands at once, or broken off: every one of them is answered, and together they leave one meeting."""

from __future__ import annotations

import asyncio
import random
import socket

from meetctl.supervisor.control import address_of
from tests.system.light import written

from .house import ANSWERS, ROOM, House, until
from .kinds import AGENTS, Process, kind
from .others import nothing_of

OTHER = "aside"
"""A meeting that costs little, beside the one under attack."""
HALVES = (b'{"do": "sta', b"\n\n\n", b"\xff\xfe\n", b"[" * 5000 + b"\n", b'{"do": "status"}', b'{"do": 3}\n')


async def both(house: House, first: tuple[str, ...], second: tuple[str, ...]) -> tuple[int, int]:
    """Gives both commands at once; returns their codes."""
    one, two = await asyncio.gather(house.run(*first, codes=ANSWERS), house.run(*second, codes=ANSWERS))
    return one.code, two.code


@kind("restart and restart", *AGENTS, Process.CHAIR, Process.LIVEKIT, Process.FLOOD)
async def restart_twice(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    house.struck[target] += 1
    requests = [house.ask("restart", agent=target) for _ in range(2)]
    answers = await asyncio.gather(*requests)
    assert all(answer["name"] == target for answer in answers)


@kind("restart and leave", *AGENTS)
async def restart_and_leave(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    house.struck[target] += 1
    commands = (("restart", target, "--room", ROOM), ("leave", target, "--room", ROOM))
    restarted, left = await both(house, *(commands if chance.random() < 0.5 else commands[::-1]))
    assert 0 in (restarted, left)
    if target not in await house.seats():
        await house.ask("join", name=target)


@kind("join and join, leave and leave")
async def join_and_leave_twice(house: House, chance: random.Random, target: Process | None) -> None:
    join = ("join", ROOM, "--agent", "audio", "--name", "Zoe")
    assert sorted(await both(house, join, join)) == [0, 7]
    leave = ("leave", "Zoe", "--room", ROOM)
    assert sorted(await both(house, leave, leave)) == [0, 2]


@kind("a changed roster and a restart", *AGENTS)
async def change_and_restart(house: House, chance: random.Random, target: Process | None) -> None:
    assert target is not None
    house.struck.update((target, Process.ADA))
    roster = str(house.roster(f"You are brief, {chance.random()}."))
    codes = await both(house, ("up", roster, "-d"), ("restart", target, "--room", ROOM))
    assert codes == (0, 0)


@kind("up and up, down and down")
async def up_and_down_twice(house: House, chance: random.Random, target: Process | None) -> None:
    """Of two hands that start one meeting, one does, and the other one is told so; whoever ends it is told that."""
    up = ("up", written(house.meetctl, OTHER), "-d")
    assert sorted(await both(house, up, up)) == [0, 7]
    assert await both(house, ("down", OTHER), ("down", OTHER)) == (0, 0)
    await nothing_of(house.meetctl, OTHER)


@kind("down while it starts")
async def down_starting(house: House, chance: random.Random, target: Process | None) -> None:
    note = house.meetctl.runtime_dir / f"{OTHER}.json"
    starting = asyncio.create_task(house.run("up", written(house.meetctl, OTHER), "-d", codes=ANSWERS))
    await until(lambda: note.exists() or starting.done(), "it does not start")
    await asyncio.sleep(chance.uniform(0, 1.5))  # by chance, how far it has come
    ended = await house.run("down", OTHER)
    assert "killed" not in ended.out, ended
    assert (await starting).code in (0, 1)
    await house.run("down", OTHER)
    await nothing_of(house.meetctl, OTHER)


@kind("half a request")
async def half_a_request(house: House, chance: random.Random, target: Process | None) -> None:
    def send() -> None:
        path = house.meetctl.runtime_dir / f"{ROOM}.sock"
        with socket.socket(socket.AF_UNIX) as connection, address_of(path) as address:
            connection.connect(address)
            connection.send(chance.choice(HALVES))

    for _ in range(5):
        await asyncio.to_thread(send)


@kind("a command that is killed", *AGENTS)
async def killed_command(house: House, chance: random.Random, target: Process | None) -> None:
    """What it has asked for is carried out whole, or not at all."""
    assert target is not None
    command = await asyncio.create_subprocess_exec(
        house.meetctl.binary,
        *("restart", target, "--room", ROOM),
        env=house.meetctl.environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.sleep(chance.uniform(0.2, 1.2))  # by chance, how far it has come
    if command.returncode is None:
        command.kill()
    await command.wait()
