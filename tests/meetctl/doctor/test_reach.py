"""What the doctor says of the way in for others, on real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from meetctl.doctor.findings import Level
from meetctl.doctor.reach import look_at_reach
from meetctl.local.ports import LOOPBACK, free_tcp_port
from meetctl.reach import opening
from meetctl.roster import ReachChoice
from tests.meetctl.reach.conftest import HERE


@pytest.fixture(autouse=True)
def counts_as_outer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    monkeypatch.setattr(opening, "is_loopback_host", lambda host: False)
    monkeypatch.setattr("meetctl.doctor.reach.is_loopback_host", lambda host: host == "localhost")


def test_a_way_in_that_can_be_opened_is_good_and_what_cannot_be_seen_is_said(tmp_path: Path) -> None:
    port = free_tcp_port()
    served, firewall, *others = look_at_reach(ReachChoice(host=LOOPBACK, port=port), tmp_path)
    assert (served.level, f"https://127.0.0.1:{port} can be served" in served.message) == (Level.OK, True)
    assert "cannot be seen from here" in firewall.message and f"{port}/tcp" in str(firewall.hint)
    assert any("own certificate" in finding.message for finding in others)
    assert list(tmp_path.iterdir()) == [], "it makes no authority"
    socket.create_server((LOOPBACK, port)).close()


def test_where_media_goes_elsewhere_no_port_for_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_tcp_port()
    with socket.create_server(("", 0)) as taken:
        monkeypatch.setattr(opening, "TCP_PORT", taken.getsockname()[1])
        found = look_at_reach(ReachChoice(host=LOOPBACK, port=port), tmp_path, own_server=False)
    said = " ".join(f"{finding.message} {finding.hint}" for finding in found)
    assert f"allow {port}/tcp" in said and "own certificate" in said
    assert "/udp" not in said and "is taken" not in said and "at a cost" not in said


def test_a_port_that_is_taken_is_a_failure(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        (finding,) = look_at_reach(ReachChoice(host=LOOPBACK, port=taken.getsockname()[1]), tmp_path)
    assert (finding.level, "Address already in use" in finding.message) == (Level.FAILURE, True)


def test_an_address_of_somebody_else_is_a_failure(tmp_path: Path) -> None:
    (finding,) = look_at_reach(ReachChoice(host="192.0.2.8"), tmp_path)
    assert (finding.level, finding.hint) == (Level.FAILURE, "--host auto")


def test_nothing_is_said_where_nobody_asks_and_loopback_is_no_way_in(tmp_path: Path) -> None:
    assert look_at_reach(None, tmp_path) == look_at_reach(ReachChoice(port=1), tmp_path) == []
    (finding,) = look_at_reach(ReachChoice(host="localhost"), tmp_path)
    assert (finding.level, "this machine alone" in finding.message) == (Level.OK, True)
