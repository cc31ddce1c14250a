"""At which address others reach this machine."""

from __future__ import annotations

import pytest

from meetctl.errors import UsageError
from meetctl.reach.addresses import OuterAddress, find_address, is_loopback_host, own_addresses

WIRE = OuterAddress("192.0.2.7", "192.0.2.7", "eth0")
AIR = OuterAddress("198.51.100.7", "198.51.100.7", "wlan0")
SIX = OuterAddress("2001:db8::7", "2001:db8::7", "eth0")
MINE = [WIRE, AIR, SIX]


def test_auto_is_the_first_address_which_is_the_default_routes() -> None:
    assert find_address("auto", MINE) == WIRE


@pytest.mark.parametrize("own", MINE, ids=str)
def test_an_address_of_this_machine_is_taken_with_its_interface(own: OuterAddress) -> None:
    assert find_address(own.address, MINE) == own


def test_a_name_that_leads_here_stays_the_name_of_the_link() -> None:
    here = OuterAddress("127.0.0.1", "127.0.0.1", "lo")
    assert find_address("LocalHost", [here, *MINE]) == OuterAddress("localhost", "127.0.0.1", "lo")


@pytest.mark.parametrize("host", ["192.0.2.8", "nobody.invalid", "a b", ""])
def test_what_is_not_this_machine_is_refused_naming_what_it_has(host: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_address(host, MINE)
    assert "is no address of this machine; it has 192.0.2.7 (eth0), 198.51.100.7 (wlan0)" in caught.value.message
    assert caught.value.hint == "--host auto"


def test_without_any_network_it_says_so() -> None:
    with pytest.raises(UsageError, match="no address that others could reach"):
        find_address("auto", [])


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("192.0.2.7", False), ("auto", False)],
)
def test_loopback_is_told_from_what_others_reach(host: str, is_loopback: bool) -> None:
    assert is_loopback_host(host) is is_loopback


def test_an_ipv6_address_stands_in_brackets_in_a_link() -> None:
    assert (SIX.host, WIRE.host) == ("[2001:db8::7]", "192.0.2.7")


def test_no_address_of_this_machine_is_one_that_only_it_can_reach() -> None:
    assert not [own for own in own_addresses() if is_loopback_host(own.address)]
