"""A face's connection that is given up at any moment leaves nothing behind, at either end."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from meetctl_agents.face.media.peer import FacePeer

from meetctl.local.simli.media.peer import Peer

WHOLE = ["offered", "answered", "accepted"]


def open_files() -> set[str]:
    """Returns what this process has open, sockets by their number in the kernel."""
    names = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return {os.readlink(name) for name in names if os.path.islink(name)}


async def negotiate(reached: list[str]) -> None:
    """Connects both ends until cancelled; tells how far it came."""
    with ThreadPoolExecutor(1) as painters:
        async with (
            Peer(painters, video=False) as simli,
            FacePeer([], lambda picture: None, lambda sound: None) as face,
        ):
            offer = await face.offer()
            reached.append("offered")
            answer = await simli.answer(offer)
            reached.append("answered")
            await face.accept(answer)
            reached.append("accepted")
            await asyncio.Event().wait()


async def test_a_connection_given_up_at_any_step_of_its_negotiation_leaves_no_socket_open() -> None:
    before, ends = open_files(), set()
    for steps in count():
        reached: list[str] = []
        work = asyncio.create_task(negotiate(reached))
        for _ in range(steps):
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.wait({work})
        left = open_files() - before
        assert not left, f"given up after {steps} turns of the loop and {reached}"
        ends.add(len(reached))
        if reached == WHOLE:
            break
    assert ends >= {0, 1, 2}
