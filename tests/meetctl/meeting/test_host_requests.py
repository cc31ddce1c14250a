"""What waits for a host's word: decided once, by who may, or refused when its time is up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from meetctl.errors import UsageError
from meetctl.meeting.approvals import Approvals
from meetctl.meeting.host_requests import MOST_WAITING, HostDecision, HostRequest, HostRequests
from meetctl.protocol import APPROVAL_S, Decided, Model, ToolCall, ToolState
from meetctl.supervisor.events import ChildMessage, Exited


@pytest.fixture
async def requests() -> AsyncIterator[HostRequests]:
    requests = HostRequests(lambda doing, error: pytest.fail(f"{doing}: {error}"))
    yield requests
    await requests.aclose()


class Asker:
    def __init__(self, requests: HostRequests) -> None:
        self._requests = requests
        self.told: list[HostDecision] = []

    async def _decided(self, decision: HostDecision) -> None:
        self.told.append(decision)

    def ask(self, within_s: float = 60.0) -> HostRequest:
        return self._requests.ask(
            "tool", identity="ada", name="Ada", what="send", detail="{}", within_s=within_s, decided=self._decided
        )


async def test_each_request_is_decided_once_and_in_any_order(requests: HostRequests) -> None:
    asker = Asker(requests)
    first, second = asker.ask(), asker.ask()
    assert [one["id"] for one in requests.view()] == [first.id, second.id]
    await requests.decide(second.id, allowed=True, by="Sam")
    with pytest.raises(UsageError, match="nothing waits under '2'"):
        await requests.decide(second.id, allowed=False, by="Eve")
    assert await requests.decide("", allowed=False, by="Eve") == first
    assert asker.told == [HostDecision(True, "Sam"), HostDecision(False, "Eve")]
    with pytest.raises(UsageError, match="nothing waits to be approved"):
        await requests.decide("", allowed=True, by="Sam")


async def test_of_several_one_has_to_be_named(requests: HostRequests) -> None:
    asker = Asker(requests)
    asker.ask(), asker.ask()
    with pytest.raises(UsageError, match=r"several requests wait: 1: Ada wants send \{\}; 2"):
        await requests.decide("", allowed=True, by="Sam")
    assert asker.told == []


async def test_what_nobody_decides_in_time_is_refused(requests: HostRequests) -> None:
    asker = Asker(requests)
    asker.ask(within_s=0.01)
    async with asyncio.timeout(5):
        while not asker.told:
            await asyncio.sleep(0.005)
    assert asker.told == [HostDecision(False, "")]
    assert requests.waiting == ()


async def test_a_flood_of_requests_is_refused(requests: HostRequests) -> None:
    asker = Asker(requests)
    for _ in range(MOST_WAITING + 1):
        asker.ask()
    async with asyncio.timeout(5):
        while not asker.told:
            await asyncio.sleep(0)
    assert asker.told == [HostDecision(False, "")]
    assert len(requests.waiting) == MOST_WAITING


class Desk:
    """The meeting around the approvals."""

    def __init__(self, requests: HostRequests) -> None:
        self.sent: list[tuple[str, Model]] = []
        self.shown: set[str] = set()

        async def send(seat: str, message: Model) -> bool:
            self.sent.append((seat, message))
            return True

        def warn(seat: str, words: str) -> None:
            self.shown.add(words)

        def calm(seat: str, words: str) -> None:
            self.shown.discard(words)

        self.approvals = Approvals(requests, send, str.title, warn, calm)

    def says(self, state: ToolState, id: str = "t1", **more: Any) -> None:
        call = ToolCall(id=id, tool="send", arguments='{"to": "sam"}', state=state, at=1.0, **more)
        self.approvals.observe(ChildMessage("ada", call, 1.0))


async def test_a_call_that_is_to_be_allowed_is_shown_whole_and_its_agent_is_told(requests: HostRequests) -> None:
    desk = Desk(requests)
    desk.says(ToolState.ASKED)
    desk.says(ToolState.ASKED)
    (request,) = requests.waiting
    assert (request.name, request.what, request.detail) == ("Ada", "send", '{"to": "sam"}')
    assert request.until - request.at == APPROVAL_S
    assert desk.shown == {'wants to use send {"to": "sam"}: meetctl approve 1, or deny 1'}
    await requests.decide(request.id, allowed=True, by="Sam")
    assert desk.sent == [("ada", Decided(call_id="t1", allowed=True, by="Sam"))]
    assert desk.shown == set()


async def test_a_request_goes_with_its_call_or_its_agent(requests: HostRequests) -> None:
    desk = Desk(requests)
    desk.says(ToolState.ASKED)
    desk.says(ToolState.ASKED, id="t2")
    desk.says(ToolState.CANCELLED)
    assert len(requests.waiting) == 1
    desk.approvals.observe(Exited("ada", 0, (), 2.0))
    assert not requests.waiting and not desk.sent and not desk.shown
