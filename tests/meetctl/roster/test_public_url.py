"""The address that a proxy serves: what can be served is taken, all else is said to be wrong before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.roster import PublicUrl, RosterFaults, load_roster
from meetctl.roster.public_url import check_node_ip, parse_public_url, stun_server

AGENT = "agents: [{name: Ada, agent: audio, persona: You build backends.}]\n"


@pytest.mark.parametrize(
    ("text", "host", "base"),
    [
        ("https://meet.example.org/team/", "meet.example.org", "/team"),
        ("https://Meet.Example.org/team", "meet.example.org", "/team"),
        ("https://meet.example.org", "meet.example.org", ""),
        ("https://meet.example.org:443/", "meet.example.org", ""),
        ("https://meet.example.org:8443/a/b_c/", "meet.example.org:8443", "/a/b_c"),
        ("https://192.0.2.7/", "192.0.2.7", ""),
        ("https://[2001:db8::7]:8443/x", "[2001:db8::7]:8443", "/x"),
    ],
)
def test_an_address_is_taken_apart_as_browsers_do(text: str, host: str, base: str) -> None:
    found = parse_public_url(text)
    assert found == PublicUrl(host, base)
    assert str(found) == f"https://{host}{base}/"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://meet.example.org/", "must begin with https://"),
        ("meet.example.org/team", "must begin with https://"),
        ("https://", "no host name"),
        ("https://meet example/", "no host name"),
        ("https://meet.example.org:99999/", "is no address"),
        ("https://bob@meet.example.org/", "no user, query or fragment"),
        ("https://meet.example.org/?a=1", "no user, query or fragment"),
        ("https://meet.example.org/#a", "no user, query or fragment"),
        ("https://meet.example.org/a/../b", "a path that could not be served"),
        ("https://meet.example.org/{room}/", "a path that could not be served"),
    ],
)
def test_what_no_browser_could_open_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_public_url(text)


def test_where_media_comes_in_is_an_address_or_a_server_that_is_asked() -> None:
    assert check_node_ip("203.0.113.7") == "203.0.113.7"
    assert check_node_ip("2001:DB8::7") == "2001:db8::7"
    assert stun_server(check_node_ip("stun:stun.example.org")) == ("stun.example.org", 3478)
    assert stun_server("stun:192.0.2.7:19302") == ("192.0.2.7", 19302)
    for wrong in ("meet.example.org", "stun:", "stun:a b", "stun:a:b", "stun:a:0", "1.2.3", ""):
        with pytest.raises(ValueError, match="neither an IP address nor stun:"):
            check_node_ip(wrong)


def test_a_roster_names_both_and_the_address_of_this_machine_is_found_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "roster.yaml"
    path.write_text(f"reach: {{public_url: https://meet.example.org/team, node_ip: 203.0.113.7}}\n{AGENT}")
    reach = load_roster(path, environment={}).reach
    assert reach is not None
    assert (str(reach.public_url), reach.node_ip, reach.host) == (
        "https://meet.example.org/team/",
        "203.0.113.7",
        "auto",
    )


def test_every_fault_of_it_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "roster.yaml"
    path.write_text(
        f"reach:\n  public_url: http://meet.example.org\n  node_ip: here\n  tls_cert: a.pem\n  tls_key: a.pem\n{AGENT}"
    )
    with pytest.raises(RosterFaults) as caught:
        load_roster(path, environment={})
    found = {fault.line: fault.message for fault in caught.value.faults}
    assert "must begin with https://" in found[2]
    assert "neither an IP address" in found[3]
    assert "the proxy's" in found[4]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("{public_url: https://meet.example.org, host: 127.0.0.1}", "reach.host"),
        ("{public_url: https://meet.example.org, host: localhost}", "reach.host"),
        ("{node_ip: 203.0.113.7}", "reach.node_ip"),
    ],
)
def test_what_would_say_nothing_is_refused(tmp_path: Path, written: str, key: str) -> None:
    path = tmp_path / "roster.yaml"
    path.write_text(f"reach: {written}\n{AGENT}")
    with pytest.raises(RosterFaults) as caught:
        load_roster(path, environment={})
    (fault,) = caught.value.faults
    assert f"{key.partition('.')[2]}" in str(fault)
