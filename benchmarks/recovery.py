"""How long a killed agent's seat is empty: from SIGKILL until a subscriber receives sound and picture of the next one.

Everything is as a user runs it: the installed command, its servers, one person in the room.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time

from benchmarks.measuring import Command, command, show, spread
from benchmarks.plain import measure_plain
from testing.subscriber_probe import SubscriberProbe

ROSTER = """
room: bench
agents:
  - {name: Ada, agent: simli, face: local}
  - {name: Max, agent: audio}
"""
KILLS = 12
BOUND_S = 60.0


def main() -> None:
    """Prints the time to sound for both agents and to the picture for the avatar."""
    with command() as meetctl:
        (meetctl.directory / "roster.yaml").write_text(ROSTER)
        meetctl("up", "roster.yaml", "-d", "--wait")
        sound, picture = asyncio.run(_measure(meetctl))
    show("killed audio agent, to its sound at a subscriber", "s", **spread(sound["max"]))
    show("killed avatar, to its sound at a subscriber", "s", **spread(sound["ada"]))
    show("killed avatar, to its picture at a subscriber", "s", **spread(picture))
    by_hand = asyncio.run(measure_plain()).start_s
    show("the plain way: connect --room once more, if somebody sees it, to published", "s", value=by_hand)
    show("killed audio agent / connect --room once more", "ratio", ratio=spread(sound["max"])["p50"] / by_hand)


async def _measure(meetctl: Command) -> tuple[dict[str, list[float]], list[float]]:
    link = json.loads(meetctl("link", "bench", "--name", "Witness", "--json"))
    sound: dict[str, list[float]] = {"ada": [], "max": []}
    picture: list[float] = []
    async with SubscriberProbe(link["livekit_url"], link["token"]) as probe:
        for identity, kinds in (("ada", ("audio", "video")), ("max", ("audio",))):
            await probe.wait_media(identity, kinds)
        for _ in range(KILLS):
            for identity in sound:
                # Asked for, so it gives a clean record: a second crash within a minute waits longer each time.
                await asyncio.to_thread(meetctl, "restart", identity)
                seconds = await _kill(meetctl, probe, identity)
                sound[identity].append(seconds["audio"])
                picture += [seconds["video"]] if "video" in seconds else []
    return sound, picture


async def _kill(meetctl: Command, probe: SubscriberProbe, identity: str) -> dict[str, float]:
    """Kills the agent; returns the seconds until each kind of media of the next one arrived."""
    agents = {agent["identity"]: agent for agent in (await asyncio.to_thread(meetctl.status))["agents"]}
    kinds = ("audio", "video") if agents[identity]["program"] == "simli" else ("audio",)
    before = probe.publications(identity)
    began = time.perf_counter()
    os.kill(agents[identity]["pid"], signal.SIGKILL)

    async def arrived(kind: str) -> float:
        await probe.wait_media(identity, (kind,), besides=before)
        return time.perf_counter() - began

    async with asyncio.timeout(BOUND_S):
        return dict(zip(kinds, await asyncio.gather(*map(arrived, kinds)), strict=True))


if __name__ == "__main__":
    main()
