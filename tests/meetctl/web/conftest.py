"""A page server with a small page, and a client that speaks to it over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from meetctl.status.document import PersonStatus
from meetctl.web.direction import Directive
from meetctl.web.invites import Comer, ConnectionDetails, Invites, Role
from meetctl.web.people import ConnectionReport, Manage
from meetctl.web.server import PageServer

LIVEKIT_URL = "ws://127.0.0.1:7880"


class Door:
    """Lets people in as the meeting would, and remembers whom."""

    def __init__(self) -> None:
        self.admitted: list[tuple[str, Role]] = []
        self.directed: list[tuple[Directive, str, str]] = []
        self.decided: list[tuple[str, bool, str]] = []
        self.refusal: Exception | None = None

    async def admit(self, name: str, comer: Comer) -> ConnectionDetails:
        if self.refusal is not None:
            raise self.refusal
        self.admitted.append((name, comer.role))
        return ConnectionDetails(LIVEKIT_URL, SecretStr("token-of-bob"), "bob-1", name, "standup")

    async def direct(self, do: Directive, agent: str, text: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.directed.append((do, agent, text))

    async def decide(self, id: str, *, allowed: bool, by: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.decided.append((id, allowed, by))

    def requests(self) -> list[dict[str, object]]:
        return [{"id": "1", "kind": "tool", "name": "Ada", "what": "send", "detail": "{}"}]

    def cast(self) -> dict[str, object]:
        return {"floor": "ada", "agents": [{"identity": "ada", "name": "Ada", "muted": False}]}

    def info(self) -> dict[str, object]:
        return {"topic": "Friday launch", "agents": ["Ada", "Max"], "transcript": "files"}


class Desk:
    """Does what a host asks with people, and remembers it."""

    def __init__(self) -> None:
        self.locked = False
        self.kept_out: set[str | None] = set()
        self.seen: set[str | None] = set()
        self.managed: list[tuple[Manage, str]] = []
        self.reported: list[str] = []

    def keeps_out_device(self, device: str | None) -> bool:
        return device in self.kept_out

    def knows_device(self, device: str | None) -> bool:
        return device in self.seen

    def report(self, device: str, identity: str, connection: ConnectionReport) -> bool:
        self.reported.append(identity)
        return True

    async def manage(self, do: Manage, person: str) -> None:
        self.managed.append((do, person))

    def people(self) -> tuple[PersonStatus, ...]:
        return ()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Returns a folder shaped as the built page, with something beside it that nobody may read."""
    (tmp_path / "secret.txt").write_text("do not read", encoding="utf-8")
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>Meeting</title>", encoding="utf-8")
    (static / "sources.sha256").write_text("0", encoding="utf-8")
    (static / "assets" / "index-abc123.js").write_text("export {}", encoding="utf-8")
    return static


@pytest.fixture
def invites() -> Invites:
    return Invites.create()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def server(static: Path, invites: Invites, door: Door, desk: Desk) -> AsyncIterator[PageServer]:
    async with PageServer(
        room="standup",
        livekit_url=LIVEKIT_URL,
        invites=invites,
        admit=door.admit,
        info=door.info,
        direct=door.direct,
        requests=door.requests,
        decide=door.decide,
        cast=door.cast,
        people=desk,
        static=static,
    ) as server:
        yield server


@pytest.fixture
async def client(server: PageServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as client:
        yield client
