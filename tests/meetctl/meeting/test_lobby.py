"""People who wait outside: hosts are asked once for each, and what they decide holds for that browser and name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from meetctl.errors import UsageError
from meetctl.meeting import lobby
from meetctl.meeting.host_requests import ADMISSION, HostRequests
from meetctl.meeting.lobby import MOST_OF_ADDRESS, MOST_WAITING, REFUSED_HOLDS_S, Lobby
from meetctl.status.people import PeopleEvent, PersonWaits, WaitEnded
from meetctl.web.invites import Comer, Role
from meetctl.web.lobby import Knock

ONE, OTHER = "1" * 32, "2" * 32
HERE = "192.0.2.7"


class Porch:
    """A lobby, the requests that it makes, and what was told."""

    def __init__(self, requests: HostRequests) -> None:
        self.requests = requests
        self.asks = True
        self.now = 100.0
        self.events: list[PeopleEvent] = []
        self.been_in: set[str] = set()
        self.lobby = Lobby(requests, lambda: self.asks, self.been_in.__contains__, self.events.append, lambda: self.now)

    def knock(
        self,
        name: str = "Bob",
        device: str | None = ONE,
        role: Role = Role.GUEST,
        visit: str | None = None,
        **more: str,
    ) -> Knock:
        return self.lobby.knock(name, Comer(role, device, **more), HERE, visit)

    def outcomes(self) -> list[tuple[str, str, str]]:
        return [(one.name, one.outcome, one.by) for one in self.events if isinstance(one, WaitEnded)]


@pytest.fixture
async def porch() -> AsyncIterator[Porch]:
    requests = HostRequests(lambda doing, error: pytest.fail(f"{doing}: {error}"))
    porch = Porch(requests)
    yield porch
    porch.lobby.close()
    await requests.aclose()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_who_waits_is_asked_for_once_and_comes_in_again_and_again_when_let_in(porch: Porch) -> None:
    assert [porch.knock() for _ in range(3)] == [Knock.WAITING] * 3
    (request,) = porch.requests.waiting
    assert (request.kind, request.name, request.identity) == (ADMISSION, "Bob", "")
    assert request.detail == "as a guest, by the guests' link"
    assert not porch.lobby.tells(Comer(Role.GUEST, ONE))
    await porch.requests.decide("bob", allowed=True, by="Hanna", kind=ADMISSION)
    assert [porch.knock("BOB"), porch.knock("Bob")] == [Knock.IN] * 2
    assert porch.lobby.tells(Comer(Role.GUEST, ONE)) and not porch.lobby.tells(Comer(Role.GUEST, OTHER))
    assert porch.knock("Bob", OTHER) is Knock.WAITING, "that is another browser"
    assert porch.knock("Hanna") is Knock.WAITING, "that is not who was let in"
    waits, ended = porch.events[:2]
    assert isinstance(waits, PersonWaits) and (waits.request, waits.role) == (request.id, "guest")
    assert isinstance(ended, WaitEnded) and (ended.request, ended.outcome, ended.by) == (request.id, "let_in", "Hanna")


async def test_whom_a_host_refuses_is_told_so_and_asks_again_no_sooner_than_after_a_minute(porch: Porch) -> None:
    porch.knock()
    await porch.requests.decide("Bob", allowed=False, by="Hanna")
    assert [porch.knock(), porch.knock("Rob")] == [Knock.REFUSED] * 2
    assert porch.requests.waiting == ()
    porch.now += REFUSED_HOLDS_S
    assert porch.knock() is Knock.WAITING
    assert porch.outcomes() == [("Bob", "refused", "Hanna")]


async def test_hosts_and_a_meeting_that_does_not_ask_let_in_at_once(porch: Porch) -> None:
    assert porch.knock("Hanna", None, Role.HOST) is Knock.IN
    porch.knock()
    porch.asks = False
    assert porch.knock() is Knock.IN
    assert (porch.requests.waiting, porch.outcomes()) == ((), [("Bob", "gone", "")])


async def test_a_program_without_a_browser_s_secret_cannot_wait(porch: Porch) -> None:
    assert porch.knock(device=None) is Knock.NO_BROWSER
    assert porch.requests.waiting == ()


async def test_a_page_that_asks_no_more_waits_no_more(porch: Porch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby, "GONE_S", 0.02)
    porch.knock()
    await until(lambda: not porch.requests.waiting)
    assert porch.outcomes() == [("Bob", "gone", "")]


async def test_when_nobody_answers_that_is_told_once_and_who_asks_again_waits_again(
    porch: Porch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobby, "LONGEST_S", 0.01)
    porch.knock()
    await until(lambda: porch.outcomes())
    assert porch.outcomes() == [("Bob", "unheard", "")]
    monkeypatch.setattr(lobby, "LONGEST_S", 60.0)
    assert [porch.knock(), porch.knock()] == [Knock.UNHEARD, Knock.WAITING]


async def test_two_tabs_of_one_browser_wait_side_by_side_and_go_together(porch: Porch) -> None:
    for _ in range(3):
        assert {porch.knock("Bob"), porch.knock("Zoe")} == {Knock.WAITING}
    assert [one.name for one in porch.requests.waiting] == ["Bob", "Zoe"]
    await porch.requests.decide("Bob", allowed=False, by="Hanna")
    assert (porch.knock("Zoe"), porch.knock("Bob")) == (Knock.WAITING, Knock.REFUSED)
    porch.lobby.withdraw(ONE)
    assert porch.requests.waiting == ()


async def test_what_a_page_asked_before_it_left_off_makes_nobody_wait_however_late_it_arrives(porch: Porch) -> None:
    assert porch.knock(visit="a") is Knock.WAITING
    porch.lobby.withdraw(ONE, "a")
    assert porch.knock(visit="a") is Knock.LEFT_OFF
    porch.lobby.withdraw(ONE, "b")  # a goodbye that overtook what was asked
    assert porch.knock(visit="b") is Knock.LEFT_OFF
    assert len(porch.outcomes()) == 1 and not [*porch.requests.waiting]
    assert porch.knock(visit="c") is Knock.WAITING, "that is the next time"
    assert porch.knock("Ida", OTHER, visit="a") is Knock.WAITING, "that is another browser"
    porch.lobby.withdraw(ONE, "a")  # a goodbye that came late
    assert [one.name for one in porch.requests.waiting] == ["Bob", "Ida"]


async def test_what_was_allowed_holds_for_that_role_and_link_alone(porch: Porch) -> None:
    porch.knock("Bob", role=Role.OBSERVER, link="observer-0")
    await porch.requests.decide("Bob", allowed=True, by="Hanna")
    assert porch.knock("Bob", role=Role.OBSERVER, link="observer-0") is Knock.IN
    assert not porch.lobby.tells(Comer(Role.GUEST, ONE, link="guest-0"))
    assert porch.knock("Bob", link="guest-0") is Knock.WAITING
    assert porch.knock("Bob", role=Role.OBSERVER, link="observer-1") is Knock.WAITING


async def test_who_is_in_when_the_meeting_begins_to_ask_comes_back_without_asking(porch: Porch) -> None:
    porch.asks = False
    assert (porch.knock(), porch.knock("Zoe", OTHER)) == (Knock.IN, Knock.IN)
    porch.been_in.add(ONE)
    porch.asks = True
    assert (porch.knock(), porch.knock("Rob")) == (Knock.IN, Knock.WAITING)
    assert porch.knock("Zoe", OTHER) is Knock.WAITING, "who had a token and did not come in is no better known"
    assert porch.lobby.tells(Comer(Role.GUEST, ONE)) and not porch.lobby.tells(Comer(Role.GUEST, OTHER))


async def test_a_number_that_waits_no_more_lets_in_nobody_who_calls_themselves_that(porch: Porch) -> None:
    porch.knock("7")
    with pytest.raises(UsageError):
        await porch.requests.decide("7", allowed=True, by="Hanna")
    with pytest.raises(UsageError):
        await porch.requests.decide("", allowed=True, by="Hanna", kind="tool")
    assert porch.knock("7") is Knock.WAITING


async def test_a_lock_sends_everybody_away_who_waits(porch: Porch) -> None:
    porch.knock("Bob", ONE)
    porch.knock("Zoe", OTHER)
    porch.lobby.withdraw_all()
    assert porch.requests.waiting == () and len(porch.outcomes()) == 2


async def test_a_link_that_is_taken_back_takes_its_waiting_people_along(porch: Porch) -> None:
    porch.knock("Bob", link="guest-0")
    porch.lobby.knock("Ida", Comer(Role.GUEST, OTHER, "Ida", "ab12"), HERE)
    porch.lobby.take_back({"ab12"})
    assert [one.name for one in porch.requests.waiting] == ["Bob"]


async def test_a_flood_from_one_address_leaves_room_for_others_and_all_room_is_bounded(porch: Porch) -> None:
    def knocks(address: str) -> list[Knock]:
        names = [f"{address}-{number}" for number in range(300)]
        return [porch.lobby.knock(name, Comer(Role.GUEST, f"{name:x>32}"), address) for name in names]

    assert knocks("a").count(Knock.WAITING) == MOST_OF_ADDRESS
    assert knocks("b").count(Knock.WAITING) == MOST_WAITING - MOST_OF_ADDRESS
    assert len(porch.requests.waiting) == MOST_WAITING


async def test_of_two_who_wait_under_one_name_the_id_has_to_be_told(porch: Porch) -> None:
    porch.knock("Bob", ONE)
    porch.knock("bob", OTHER)
    with pytest.raises(UsageError, match="several requests wait: 1: Bob wants to come in as a guest"):
        await porch.requests.decide("Bob", allowed=True, by="Hanna", kind=ADMISSION)
    await porch.requests.decide("2", allowed=True, by="Hanna", kind=ADMISSION)
    assert (porch.knock("Bob", ONE), porch.knock("bob", OTHER)) == (Knock.WAITING, Knock.IN)
    with pytest.raises(UsageError, match="nobody waits to be let in under 'Nemo'"):
        await porch.requests.decide("Nemo", allowed=True, by="Hanna", kind=ADMISSION)


async def test_a_tool_s_request_is_not_decided_by_name_nor_by_who_lets_people_in(porch: Porch) -> None:
    async def decided(_: object) -> None:
        raise NotImplementedError

    porch.requests.ask("tool", identity="ada", name="Ada", what="send", detail="{}", within_s=60, decided=decided)
    for word, kind in (("Ada", None), ("1", ADMISSION), ("", ADMISSION)):
        with pytest.raises(UsageError):
            await porch.requests.decide(word, allowed=True, by="Hanna", kind=kind)
