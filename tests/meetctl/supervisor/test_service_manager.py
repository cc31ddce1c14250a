"""What a service manager is told, on a socket of the test's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meetctl.supervisor.service_manager import READY, STOPPING, ServiceManager


@pytest.fixture(params=["path", "abstract"])
def listening(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yields the socket's name as the variable has it, and what returns the next message."""
    monkeypatch.chdir(tmp_path)  # a socket's name holds 107 bytes, which a long TMPDIR alone takes
    named = f"@meetctl-test-{os.getpid()}" if request.param == "abstract" else "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(named.replace("@", "\0"))
        manager.settimeout(30)
        yield named, lambda: manager.recv(4_096).decode()


def test_it_is_told_on_the_socket_that_the_variable_names(listening: tuple[str, Callable[[], str]]) -> None:
    name, told = listening
    manager = ServiceManager.of({"NOTIFY_SOCKET": name})
    manager.tell(READY, "STATUS=fine")
    assert told() == "READY=1\nSTATUS=fine"
    manager.tell_alive()  # nobody asked for it
    manager.tell(STOPPING)
    assert told() == "STOPPING=1"


@pytest.mark.parametrize(
    ("pid", "told"), [(str(os.getpid()), True), ("", True), ("1", False)], ids=["own", "none", "another"]
)
def test_that_it_is_well_is_told_where_this_very_process_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pid: str, told: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("notify")
        manager.setblocking(False)
        variables = {"NOTIFY_SOCKET": "notify", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": pid}
        ServiceManager.of(variables).tell_alive()
        if told:
            assert manager.recv(100) == b"WATCHDOG=1"
        else:
            with pytest.raises(BlockingIOError):
                manager.recv(100)


@pytest.mark.parametrize("name", ["", "/nowhere/at/all", "@nobody-listens-here", "x" * 200])
def test_without_anybody_who_listens_nothing_happens(name: str) -> None:
    ServiceManager.of({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1"}).tell(READY)
