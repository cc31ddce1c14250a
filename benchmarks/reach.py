"""What the way in costs: how soon who opened a link sees an avatar, and what passes through meetctl itself takes.

A second host is a network namespace of the benchmark's own, which takes root; without root its figures are left out.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psutil
from livekit import rtc
from playwright.async_api import Browser, BrowserContext, async_playwright

from benchmarks.measuring import Command, command, show, spread
from testing.browser.elsewhere import CHROMIUM_FLAGS, REMEMBERING, chromium_on, trust
from testing.browser.install_chromium import find_chromium
from testing.browser.visitor import SCRIPT, Visitor
from testing.fixtures.networks import Host, Network, network_of_three

ROSTER = """
room: bench
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Ada, agent: simli, face: local}
"""
VISITS = 12
PEOPLE = 10
LOOK_S = 20.0
PORT = 7443
SEEN = "() => visitor.seen.ada?.frames > 0"


def main() -> None:
    """Prints the figures of loopback, and of a second host where one can be had."""
    with command() as meetctl:
        link = _up(meetctl)
        asyncio.run(_on_loopback(meetctl, link))
    if os.geteuid() == 0:
        with network_of_three() as network, command(network.server.prefix) as meetctl:
            link = _up(meetctl, "--host", network.server.name, "--port", str(PORT))
            asyncio.run(_on_another_host(meetctl, link, network))


def _up(meetctl: Command, *arguments: str) -> str:
    (meetctl.directory / "roster.yaml").write_text(ROSTER, encoding="utf-8")
    return meetctl("up", "roster.yaml", "-d", "--wait", *arguments).strip()


async def _on_loopback(meetctl: Command, link: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        times = [await _visit(await _fresh(browser), link) for _ in range(VISITS)]
        await browser.close()
    show("link opened to first frame of an avatar, loopback", "s", **spread(times))
    await _ten_people(meetctl, link)


async def _on_another_host(meetctl: Command, link: str, network: Network) -> None:
    with tempfile.TemporaryDirectory(prefix="meetctl-bench-") as home:
        authority = meetctl.directory / "state/meetctl/authority/authority.pem"
        trust(authority, Path(home) / ".pki/nssdb", Path(home))
        network.person.drop_nothing()
        async with chromium_on(network.person, Path(home)) as context:
            times = [await _visit(context, link, close=False) for _ in range(VISITS)]
            show("the same, from a second host by UDP", "s", **spread(times))
            await _by_turn(meetctl, link, network.person, context)


async def _fresh(browser: Browser) -> BrowserContext:
    return await browser.new_context(permissions=["camera", "microphone"])


async def _visit(context: BrowserContext, link: str, *, close: bool = True) -> float:
    """Returns the seconds from opening the link to the first frame, by somebody whose hands are quick."""
    page = await context.new_page()
    await page.add_init_script(SCRIPT)
    began = time.perf_counter()
    await page.goto(link)
    await page.fill("[data-testid=prejoin-name]", "Kim")
    await page.click("[data-testid=join-button]")
    await page.wait_for_function(SEEN)
    took = time.perf_counter() - began
    await (context.close() if close else page.close())
    return took


async def _by_turn(meetctl: Command, link: str, host: Host, context: BrowserContext) -> None:
    """Shows what one person costs for whom everything but the one port is shut."""
    supervisor = psutil.Process(int(meetctl.status()["pid"]))
    idle, _ = await _cpu_of(supervisor)
    host.drop_all_but(PORT)
    page = await context.new_page()
    await page.add_init_script(REMEMBERING)
    await page.add_init_script(SCRIPT)
    person = Visitor(page)
    await page.goto(link)
    await person.join("Kim")
    await page.wait_for_function(SEEN)
    while meetctl.status()["people"][0]["path"] != "relay-tls":
        await asyncio.sleep(0.5)
    before = await _received(page.evaluate)
    busy, seconds = await _cpu_of(supervisor)
    after = await _received(page.evaluate)
    show("one person by TURN over TLS with an avatar, of the supervisor", "% of a core", value=100 * (busy - idle))
    show("what that person receives", "kbit/s", value=(after - before) * 8 / 1000 / seconds)


async def _received(evaluate: Callable[[str], Awaitable[object]]) -> int:
    """Returns the bytes of all tracks so far."""
    counted = """async () => {
        let sum = 0;
        for (const one of connections) {
            const stats = await one.getStats();
            for (const stat of stats.values()) if (stat.type === "inbound-rtp") sum += stat.bytesReceived;
        }
        return sum;
    }"""
    return int(str(await evaluate(counted)))


async def _cpu_of(process: psutil.Process) -> tuple[float, float]:
    """Returns the share of a core that the process takes for a while, and how long that was."""
    began, used = time.monotonic(), _used(process)
    await asyncio.sleep(LOOK_S)
    seconds = time.monotonic() - began
    return (_used(process) - used) / seconds, seconds


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _ten_people(meetctl: Command, link: str) -> None:
    """Shows what passing the signaling of ten people takes, beside what the LiveKit server itself takes."""
    status = meetctl.status()
    pids = {service["name"]: service["pid"] for service in status["services"]}
    processes = [psutil.Process(status["pid"]), psutil.Process(pids["livekit-server"])]
    idle = [0.0, 0.0]
    for number, process in enumerate(processes):
        idle[number] = _used(process)
    await asyncio.sleep(LOOK_S)
    idle = [_used(process) - before for process, before in zip(processes, idle, strict=True)]
    before = [_used(process) for process in processes]
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        took = await asyncio.gather(*(_join(stack, link, f"Person {number}") for number in range(PEOPLE)))
        await asyncio.sleep(max(0.0, LOOK_S - (time.monotonic() - began)))
        used = [_used(process) - at - still for process, at, still in zip(processes, before, idle, strict=True)]
    show(f"{PEOPLE} people join by the proxy and stay {LOOK_S:.0f} s, of the supervisor", "s of CPU", value=used[0])
    show("the same, of livekit-server", "s of CPU", value=used[1])
    show("their joins, at once", "s", p50=statistics.median(took), n=len(took))


async def _join(stack: AsyncExitStack, link: str, name: str) -> float:
    parts = urlsplit(link)
    body = {"invite": parts.fragment.partition("=")[2], "name": name}
    began = time.perf_counter()
    async with aiohttp.ClientSession(f"{parts.scheme}://{parts.netloc}") as page:
        async with page.post("/api/join", json=body) as answer:
            details = await answer.json()
    room = rtc.Room()
    await room.connect(details["livekit_url"], details["token"], rtc.RoomOptions(auto_subscribe=False))
    stack.push_async_callback(room.disconnect)
    return time.perf_counter() - began
