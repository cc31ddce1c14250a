"""Makes the README's pictures from a real meeting: the page while Ada answers, and the board of that moment.

Run by `make screenshots`. It holds a meeting of its own, in directories of its own, and ends it.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from meetctl.settings import inherited_environment
from testing.agents.human import synthesised
from testing.browser.install_chromium import find_chromium
from testing.browser.likeness import DrawnFace
from testing.browser.visitor import SCRIPT, Visitor
from testing.browser.window import by_id

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MEETCTL = str(Path(sys.executable).with_name("meetctl"))
FLAGS = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
QUESTION = "Ada, what do you like to build?"
COLUMNS = 120
"""Of the terminal in the picture: everything important fits, and it can still be read in a README."""
WORDS = 8
"""Of the answer that are to be seen on the page."""
OPEN_MOUTH = 8.0
"""Difference from a shut mouth, of 255, of a face that can be seen to talk; 13 is the most."""
TRIES = 60
FULL_RATE = 24.0


async def main() -> None:
    """Writes docs/page.png and docs/board.png."""
    with tempfile.TemporaryDirectory(prefix="meetctl-") as directory:
        places = {"XDG_RUNTIME_DIR": directory, "XDG_STATE_HOME": directory, "TERM": "xterm-256color"}
        environment = {**os.environ, **places, "COLORTERM": "truecolor"}
        async with meeting(environment) as (link, models_url), chromium() as browser:
            page = await new_page(browser, script=SCRIPT)
            await page.goto(link)
            visitor, face = Visitor(page), DrawnFace("ada")
            await visitor.join("Robin")
            await page.wait_for_function("() => visitor.seen.ada?.frames > 0")
            await visitor.say(await synthesised(models_url, QUESTION, "alto"))
            await visitor.wait_for_voice("ada", 0)
            await page.wait_for_function(
                """(words) => document.querySelector('[data-testid="caption"][data-identity="ada"]')
                    ?.textContent.split(" ").length > words""",
                arg=WORDS,
            )
            await wait_for_open_mouth(page, visitor, face)
            await page.screenshot(path=DOCS / "page.png")
            board = await board_while_talking(environment)
            await draw_terminal(await new_page(browser), board, DOCS / "board.png")


@asynccontextmanager
async def meeting(environment: Mapping[str, str]) -> AsyncIterator[tuple[str, str]]:
    """Holds the demo meeting; yields its join link and its model server's url."""
    up = [MEETCTL, "up", str(ROOT / "configs" / "demo.yaml"), "-d", "--wait"]
    link = subprocess.run(up, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    try:
        status = subprocess.run([MEETCTL, "status", "--json"], env=environment, check=True, stdout=subprocess.PIPE)
        services: list[dict[str, Any]] = json.loads(status.stdout)["meetings"][0]["services"]
        yield link, next(service["url"] for service in services if service["name"] == "models")
    finally:
        subprocess.run([MEETCTL, "down"], env=environment, check=True)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        environment = {**os.environ, **inherited_environment()}  # with a TMPDIR in which a browser can make its socket
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS, env=environment)
        try:
            yield browser
        finally:
            await browser.close()


async def new_page(browser: Browser, script: str | None = None) -> Page:
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme="light", permissions=["microphone"]
    )
    page = await context.new_page()
    if script is not None:
        await page.add_init_script(script)
    return page


async def wait_for_open_mouth(page: Page, visitor: Visitor, face: DrawnFace) -> None:
    """Holds Ada's picture at a moment where it can be seen that she talks."""
    video = page.locator(f'{by_id("tile")}[data-identity="ada"] video')
    for _ in range(TRIES):
        await video.evaluate("(video) => video.pause()")
        if face.likeness(await visitor.picture("ada", skip=0)).mouth > OPEN_MOUTH:
            return
        await video.evaluate("(video) => video.play()")
        await visitor.picture("ada")
    raise TimeoutError("Ada never opened her mouth")


async def board_while_talking(environment: Mapping[str, str]) -> str:
    """Returns the board while Ada talks, once taking the other picture no longer shows in its frame rates."""
    board = ""
    while True:
        status = subprocess.run([MEETCTL, "status", "--json"], env=environment, check=True, capture_output=True)
        ada = json.loads(status.stdout)["meetings"][0]["agents"][0]
        if board and ada["agent_state"] != "speaking":
            return board  # she has said what she had to say; then the rates are of busy cores
        board = on_a_terminal([MEETCTL, "status"], environment)
        if all((leg["video_fps"] or 0) >= FULL_RATE for leg in ada["legs"].values()):
            return board
        await asyncio.sleep(0.2)


def on_a_terminal(command: list[str], environment: Mapping[str, str]) -> str:
    """Returns what the command writes to a terminal of this width, with its colours."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    written = bytearray()
    with subprocess.Popen(command, env=environment, stdin=its, stdout=its) as process:
        os.close(its)
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # the terminal's other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0, written
    return written.decode()


async def draw_terminal(page: Page, output: str, path: Path) -> None:
    """Draws what a terminal showed into a picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("\n" + output.replace("\r\n", "\n").rstrip() + "\n "))
    svg = console.export_svg(title="meetctl", theme=MONOKAI)
    # The picture is of this machine's fonts, not of those of a server far away.
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg).replace("Fira Code", "DejaVu Sans Mono")
    await page.set_content(f"<style>body{{margin:0}}svg{{width:1280px;display:block}}</style>{svg}")
    await page.locator("svg").screenshot(path=path, omit_background=True)


if __name__ == "__main__":
    asyncio.run(main())
