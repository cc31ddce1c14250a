"""What a browser test needs: a built page, a served meeting in a real room, a real Chromium, agents to look at."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

import hatch_build
from meetctl.errors import MeetctlError
from meetctl.meeting.host_requests import HostRequests
from meetctl.settings import LiveKitCredentials, inherited_environment
from meetctl.web.direction import Directive
from meetctl.web.invites import Comer, ConnectionDetails, Invites
from meetctl.web.server import PageServer
from testing.browser.cast import write_camera
from testing.browser.elsewhere import CHROMIUM_FLAGS
from testing.browser.firefox import firefox_running
from testing.browser.firefox_page import pages_of_firefox
from testing.browser.install_chromium import find_chromium, find_firefox
from testing.browser.window import OpenWindow, is_fault
from testing.fixtures.lanes import Lane, starts
from testing.fixtures.livekit import MintToken

ROOT = Path(__file__).parents[2]
WAIT_MS = 30_000
"""A bound, not a figure: a whole browser starts on cores that others use too."""
expect.set_options(timeout=WAIT_MS)
INFO = {"topic": "Friday launch", "agents": ["Ada", "Max"], "transcript": "files"}

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def built_page() -> None:
    """Builds the page where it does not fit its sources."""
    hatch_build.build_page(ROOT)


@pytest.fixture(scope="session")
def axe() -> str:
    """Returns the source of axe, which knows the rules of accessibility."""
    page = ROOT / hatch_build.PAGE
    source = page / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        npm, environment = hatch_build.find_npm()
        subprocess.run([*npm, "ci", "--include=dev"], cwd=page, env=environment, check=True, capture_output=True)
    return source.read_text(encoding="utf-8")


class Desk:
    """Does what a host asks, as the meeting would, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Directive, str, str]] = []
        self.refusal: MeetctlError | None = None
        self.floor: str | None = "ada"
        self.muted: set[str] = set()
        self.requests: list[dict[str, Any]] = []
        self.decided: list[tuple[str, bool, str]] = []
        self.clock: HostRequests | None = None
        """Where it is to be the meeting's own, which lets requests lapse."""

    async def direct(self, do: Directive, agent: str, text: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((do, agent, text))
        match do:
            case Directive.MUTE:
                self.muted.add(agent)
            case Directive.UNMUTE:
                self.muted.discard(agent)
            case Directive.FLOOR:
                self.floor = agent
            case _:
                pass

    def waiting(self) -> list[dict[str, Any]]:
        return self.requests if self.clock is None else self.clock.view()

    async def decide(self, id: str, *, allowed: bool, by: str) -> None:
        if self.clock is not None:
            await self.clock.decide(id, allowed=allowed, by=by)
            return
        self.requests = [request for request in self.requests if request["id"] != id]
        self.decided.append((id, allowed, by))

    def wants(self, id: str, what: str, detail: str) -> None:
        """Has Ada ask for a host's word."""
        asked = {"id": id, "kind": "tool", "identity": "ada", "name": "Ada", "what": what, "detail": detail}
        self.requests.append(asked | {"at": 0.0, "until": 60.0})

    def cast(self) -> dict[str, Any]:
        def seen(identity: str, state: str = "running", *, can_speak: bool = True) -> dict[str, Any]:
            muted = identity in self.muted
            return {
                "identity": identity,
                "name": identity.title(),
                "state": state,
                "muted": muted,
                "can_speak": can_speak,
            }

        return {
            "floor": self.floor,
            "agents": [seen("ada"), seen("max"), seen("lin", "backoff"), seen("legacy", can_speak=False)],
        }


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def page_server(
    built_page: None, livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, desk: Desk
) -> AsyncIterator[PageServer]:
    """Yields the join page of this test's room."""
    people = iter(range(1, 100))

    async def admit(name: str, comer: Comer) -> ConnectionDetails:
        identity = f"person-{next(people)}"
        token = mint_token(identity, name=name)
        return ConnectionDetails(livekit_server.url, token, identity, name, room_name)

    async with PageServer(
        room=room_name,
        livekit_url=livekit_server.url,
        invites=Invites.create(),
        admit=admit,
        info=lambda: INFO,
        direct=desk.direct,
        cast=desk.cast,
        requests=desk.waiting,
        decide=desk.decide,
    ) as server:
        yield server


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a short film of a drawn face, which the browser takes for its camera."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    write_camera(path)
    return path


@pytest.fixture
@starts(Lane.BROWSER)
async def chromium(camera_file: Path) -> AsyncIterator[Browser]:
    """Yields a real Chromium whose microphone and camera are made up."""
    async with chromium_running(camera_file) as browser:
        yield browser


@pytest.fixture
async def open_page(chromium: Browser) -> AsyncIterator[OpenPage]:
    """Yields a function that opens a link in a window of its own; what the page complains of fails the test."""
    async with pages_of_chromium(chromium) as open_link:
        yield open_link


@pytest.fixture(params=["chromium", "firefox"])
@starts(Lane.BROWSER)
async def open_window(request: pytest.FixtureRequest, camera_file: Path, tmp_path: Path) -> AsyncIterator[OpenWindow]:
    """Yields what `open_page` does, in each of the browsers."""
    if request.param == "chromium":
        async with chromium_running(camera_file) as browser, pages_of_chromium(browser) as open_link:
            yield open_link
    else:
        profile = tmp_path / "firefox"
        profile.mkdir()
        async with firefox_running(found(find_firefox(), "Firefox"), profile) as firefox:
            async with pages_of_firefox(firefox) as open_link_in_firefox:
                yield open_link_in_firefox


@asynccontextmanager
async def chromium_running(camera: Path) -> AsyncIterator[Browser]:
    """Yields a real Chromium whose camera shows this film."""
    executable = found(find_chromium(), "Chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=[*CHROMIUM_FLAGS, f"--use-file-for-fake-video-capture={camera}"],
            env={**os.environ, **inherited_environment()},  # with a TMPDIR in which a browser can make its socket
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def pages_of_chromium(chromium: Browser) -> AsyncIterator[OpenPage]:
    complaints: list[str] = []

    async with AsyncExitStack() as stack:

        async def open_link(link: str, *, before: str | None = None, **options: Any) -> Page:
            granted = options.pop("permissions", ["camera", "microphone"])
            options.setdefault("viewport", {"width": 1280, "height": 800})
            context = await chromium.new_context(permissions=granted, **options)
            stack.push_async_callback(context.close)
            page = await context.new_page()
            if before:
                await page.add_init_script(before)
            page.set_default_timeout(WAIT_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda message: complaints.append(message.text) if is_fault(message.text) else None)
            await page.goto(link)
            return page

        yield open_link
    assert complaints == []


def found(executable: str | None, browser: str) -> str:
    """Returns the browser's path; skips the test where there is none, which in CI is a failure."""
    if executable is None:
        pytest.skip(f"no {browser} on this machine, and testing/browser/install_chromium.py could not install one")
    return executable
