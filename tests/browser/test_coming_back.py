"""Who was connected for longer than a token holds comes in again, however the connection was lost; who may not, not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import expect

from meetctl.reach.signaling import SignalingProxy, identity_of
from meetctl.rooms import guest_token
from meetctl.settings import LiveKitCredentials
from meetctl.web.invites import Comer, ConnectionDetails, Invites
from meetctl.web.server import PageServer
from tests.browser.conftest import INFO, OpenPage
from tests.browser.test_join_page import join

LEEWAY = timedelta(minutes=1)
"""livekit-server takes a token for so long after its end."""
HOLDS = timedelta(seconds=8)
WAIT_S = 60.0


@dataclass
class Door:
    """Lets people in by tokens that soon open nothing, and knows who came by the way to signaling."""

    server: LiveKitCredentials
    room: str
    tokens: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Identities that come in by no token: as when all of theirs have run out."""
    came: list[str | None] = field(default_factory=list)
    page: PageServer = field(init=False)
    signaling: SignalingProxy = field(init=False)

    async def admit(self, name: str, comer: Comer) -> ConnectionDetails:
        identity = f"person-{len(self.tokens)}"
        ttl = HOLDS - LEEWAY
        token = guest_token(self.server, room=self.room, identity=identity, name=name, ttl=ttl)
        self.tokens.append(token.get_secret_value())
        return ConnectionDetails(self.server.url, token, identity, name, self.room)

    async def last_has_run_out(self) -> None:
        """Waits until the server itself lets nobody in any more by the token that was given last."""
        url = f"{self.server.url.replace('ws', 'http')}/rtc/validate"
        async with asyncio.timeout(WAIT_S), aiohttp.ClientSession() as client:
            while True:
                async with client.get(url, params={"access_token": self.tokens[-1]}) as answer:
                    if answer.status == 401:
                        return
                await asyncio.sleep(0.1)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.05)


class Watched(SignalingProxy):
    """Tells who comes."""

    came: list[str | None]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.came.append(identity_of(request.query.get("access_token")))
        return await super().handle(request)


@pytest.fixture
async def door(built_page: None, livekit_server: LiveKitCredentials, room_name: str) -> AsyncIterator[Door]:
    door = Door(livekit_server, room_name)
    signaling = Watched(livekit_server.url, keeps_out=door.refused.__contains__)
    signaling.came = door.came
    door.signaling = signaling
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(signaling)
        door.page = PageServer(
            room=room_name,
            livekit_url=livekit_server.url,
            invites=Invites.create(),
            admit=door.admit,
            info=lambda: INFO,
            signaling=signaling,
        )
        await stack.enter_async_context(door.page)
        yield door


async def test_who_was_there_for_longer_than_a_token_holds_comes_in_again_as_they_were(
    door: Door, open_page: OpenPage
) -> None:
    page = await open_page(door.page.join_link())
    await join(page, "Bob")
    connected, microphone = page.get_by_test_id("connection"), page.get_by_test_id("microphone-toggle")

    # Another network: the connection goes on by the token that the server has sent since.
    await door.last_has_run_out()
    await door.signaling.drop("person-0")
    await door.until(lambda: door.came.count("person-0") >= 2)
    await expect(connected).to_have_attribute("data-state", "connected")
    assert (len(door.tokens), set(door.came)) == (1, {"person-0"})

    # A sleep longer than any token: the page asks for a new one, and what was off stays off.
    await microphone.click()
    await expect(microphone).to_have_attribute("aria-pressed", "false")
    door.refused.add("person-0")
    await door.signaling.drop("person-0")
    await door.until(lambda: "person-1" in door.came)
    await expect(connected).to_have_attribute("data-state", "connected")
    await expect(microphone).to_have_attribute("aria-pressed", "false")

    await page.reload()
    await join(page, "Bob")
    assert (len(door.tokens), door.came[-1]) == (3, "person-2")

    # The same where the link was taken back meanwhile.
    door.page.revoke()
    door.refused.add("person-2")
    await door.signaling.drop("person-2")
    await expect(page.get_by_test_id("screen-wrong-invite")).to_be_visible()
    assert len(door.tokens) == 3
