"""A door that is open on loopback, as it would be to others, and a client that trusts it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meetctl.local.ports import LOOPBACK, free_tcp_port
from meetctl.reach import opening
from meetctl.reach.addresses import OuterAddress
from meetctl.reach.opening import Reach, open_reach
from meetctl.roster import ReachChoice

HERE = OuterAddress(LOOPBACK, LOOPBACK, "lo")


@contextmanager
def open_door_here(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    """Yields an open door at a free port of loopback, which counts as an outer address here."""
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    monkeypatch.setattr(opening, "is_loopback_host", lambda host: False)
    state.mkdir(exist_ok=True)
    with open_reach(ReachChoice(host=LOOPBACK, port=free_tcp_port()), state) as found:
        assert found is not None
        yield found


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    with open_door_here(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def trusting(reach: Reach) -> ssl.SSLContext:
    assert reach.authority is not None
    return ssl.create_default_context(cadata=reach.authority.decode())
