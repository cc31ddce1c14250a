"""What an agent is told, and when: orders never wait behind what others said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from meetctl_agents.floor.control import FloorControl
from meetctl_agents.floor.events import AgentCame, AgentGone, CastSet, GrantFloor
from meetctl_agents.floor.outbox import LARGEST_GRANT, MOST_WAITING, Outbox

from meetctl.protocol import GRANT, HEAR, PREPARE, STOP, CastMember, Grant, Hear, Line, MeetingRules

WAIT_S = 5.0
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


class Agents:
    """A room in which agents answer when they are let: only the timing is made up."""

    def __init__(self, *identities: str) -> None:
        self.remote_participants = {
            identity: SimpleNamespace(identity=identity, attributes={}, kind=AGENT) for identity in identities
        }
        self.local_participant = self
        self.taken: list[tuple[str, str]] = []
        self.held: set[str] = set()
        self._news = asyncio.Condition()

    async def perform_rpc(self, *, destination_identity: str, method: str, payload: str, **_: Any) -> str:
        async with self._news:
            self.taken.append((method, payload))
            self._news.notify_all()
            await self._news.wait_for(lambda: method not in self.held)
        return ""

    async def let(self, method: str) -> None:
        async with self._news:
            self.held.discard(method)
            self._news.notify_all()

    async def wait(self, holds: Callable[[list[str]], bool]) -> None:
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(lambda: holds([method for method, _ in self.taken]))

    def payloads(self, method: str) -> list[str]:
        return [payload for taken, payload in self.taken if taken == method]


class Told:
    """An outbox to one agent, and what is told of its grants."""

    def __init__(self) -> None:
        self.agents = Agents("max")
        self.granted: list[str] = []
        self.failed: list[str] = []
        self.outbox = Outbox(
            cast(rtc.Room, self.agents),
            "max",
            lambda give, _: self.granted.append(give.grant_id),
            lambda _, grant_id: self.failed.append(grant_id),
        )


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    told = Told()
    yield told
    await told.outbox.aclose()


def line(number: int, text: str = "words") -> Line:
    return Line(id=f"u{number}", at=0, speaker="Mallory", identity="mallory", text=text)


async def test_a_grant_overtakes_what_waits_and_brings_it_along(told: Told) -> None:
    told.agents.held.add(HEAR)
    for number in range(10):
        told.outbox.hear(line(number))
    await told.agents.wait(lambda methods: methods == [HEAR])
    told.outbox.grant(GrantFloor("max", "g1", line(10)))
    await told.agents.wait(lambda methods: methods == [HEAR, GRANT])
    (grant,) = map(Grant.model_validate_json, told.agents.payloads(GRANT))
    assert grant == Grant(grant_id="g1", line=line(10), heard=tuple(map(line, range(10))))
    await told.agents.let(HEAR)
    await told.agents.wait(lambda methods: methods.count(HEAR) == 10)
    assert told.granted == ["g1"]


async def test_three_thousand_lines_wait_no_more_than_an_agent_remembers(told: Told) -> None:
    told.agents.held.add(HEAR)
    told.outbox.hear(line(0))
    await told.agents.wait(lambda methods: methods == [HEAR])
    for number in range(1, 3000):
        told.outbox.hear(line(number, "x" * 4000))
    told.outbox.grant(GrantFloor("max", "g1", line(3000, "é" * 4000)))
    await told.agents.wait(lambda methods: GRANT in methods)
    (grant,) = told.agents.payloads(GRANT)
    assert len(grant.encode()) <= LARGEST_GRANT
    await told.agents.let(HEAR)
    await told.agents.wait(lambda methods: methods.count(HEAR) >= MOST_WAITING)
    told.outbox.hear(line(3001))
    await told.agents.wait(lambda methods: methods.count(HEAR) == MOST_WAITING + 2)
    heard = [Hear.model_validate_json(payload).line.id for payload in told.agents.payloads(HEAR)]
    assert heard == ["u0", *(f"u{number}" for number in range(3000 - MOST_WAITING, 3000)), "u3001"]


async def test_a_line_that_is_corrected_while_it_waits_is_told_once(told: Told) -> None:
    told.agents.held.add(HEAR)
    for given in (line(0), line(1, "I think"), line(1, "I think so.")):
        told.outbox.hear(given)
    await told.agents.let(HEAR)
    await told.agents.wait(lambda methods: methods.count(HEAR) == 2)
    heard = [Hear.model_validate_json(payload).line for payload in told.agents.payloads(HEAR)]
    assert heard == [line(0), line(1, "I think so.")]


async def test_only_the_newest_guess_is_prepared_for_and_none_that_a_grant_made_old(told: Told) -> None:
    told.agents.held.add(HEAR)
    told.outbox.hear(line(0))
    told.outbox.prepare(line(1))
    told.outbox.prepare(line(2))
    await told.agents.let(HEAR)
    await told.agents.wait(lambda methods: PREPARE in methods)
    assert [Hear.model_validate_json(payload).line.id for payload in told.agents.payloads(PREPARE)] == ["u2"]
    told.outbox.prepare(line(3))
    told.outbox.grant(GrantFloor("max", "g1", line(3)))
    told.outbox.hear(line(4))
    await told.agents.wait(lambda methods: methods.count(HEAR) == 2)
    assert len(told.agents.payloads(PREPARE)) == 1


async def test_an_order_to_stop_goes_instead_of_a_grant_that_has_not_left(told: Told) -> None:
    told.agents.held.add(GRANT)
    told.outbox.grant(GrantFloor("max", "g1", None))
    await told.agents.wait(lambda methods: GRANT in methods)
    told.outbox.grant(GrantFloor("max", "g2", None))
    told.outbox.stop("g2")
    told.outbox.stop("g1")
    await asyncio.sleep(0)
    await told.agents.let(GRANT)
    await told.agents.wait(lambda methods: STOP in methods)
    assert (told.granted, told.failed) == (["g1"], ["g2"])
    assert [method for method, _ in told.agents.taken] == [GRANT, STOP]


async def test_whoever_is_told_of_a_grant_may_fail_and_the_next_grant_is_sent(told: Told) -> None:
    def breaks(give: GrantFloor, _: float) -> None:
        raise ValueError("no good")

    outbox = Outbox(cast(rtc.Room, told.agents), "max", breaks, lambda *_: None)
    outbox.grant(GrantFloor("max", "g1", None))
    outbox.grant(GrantFloor("max", "g2", None))
    await told.agents.wait(lambda methods: methods.count(GRANT) == 2)
    await outbox.aclose()


async def test_an_agent_that_left_leaves_no_outbox_behind() -> None:
    identities = [f"agent-{number}" for number in range(20)]
    agents = Agents(*identities)
    cast_ = tuple(CastMember(identity=identity, name=identity) for identity in identities)
    control = FloorControl(
        cast(rtc.Room, agents),
        "r",
        MeetingRules(),
        lambda _: None,
        granted=lambda *_: None,
        consulted=lambda _: None,
        unanswered=lambda _: None,
        spoken_before=True,
    )
    async with control:
        before = len(asyncio.all_tasks())
        control.post(CastSet(cast_))
        for identity in identities:
            control.post(AgentCame(identity))
        control.tell(line(0))
        await agents.wait(lambda methods: methods.count(HEAR) == len(identities))
        for identity in identities:
            control.post(AgentGone(identity))
        async with asyncio.timeout(WAIT_S):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0)
