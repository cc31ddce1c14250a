"""Random faults in a row, on everything a meeting is made of; afterwards it is whole, and `down` leaves nothing.

The faults come from a seed, faster than they are repaired. Only what the policy promises to survive is done: five
failures of one seat in a minute are fatal by design, so no seat is killed more often than that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import time
from collections import defaultdict
from pathlib import Path

import psutil
import pytest

from meetctl.supervisor.control import address_of
from meetctl.supervisor.sweep import marked
from testing.fixtures.command import Meetctl
from tests.system.standing import Standing, standing

ROOT = Path(__file__).parents[2]
ROSTER = f"""
room: chaos
defaults: {{llm: local/tiny, stt: local/tiny}}
agents:
  - {{name: Ada, agent: simli, face: local}}
  - {{name: Max, agent: audio}}
  - name: Flood
    command: [{sys.executable}, -m, tests.programs.misbehave, floods_when_told]
    cwd: {ROOT}
"""
OWN = ("Ada", "Max", "Chair", "models", "simli-server", "livekit-server")
"""Everything that becomes ready; the command never joins the room, its seat is filled when its process runs."""
KILLS_A_MINUTE = 3
WHOLE_S = 180.0
STILL_S = 2.0
FEW_FDS = 8
"""What connections that are just being made may add."""


class Chaos:
    """Does faults to a meeting."""

    def __init__(self, meeting: Standing, seed: int) -> None:
        self._meeting = meeting
        self._random = random.Random(seed)
        self._killed: dict[str, list[float]] = defaultdict(list)
        self.done: list[str] = []

    def one_fault(self) -> None:
        """Does one fault; one that is not possible now is followed by another."""
        while True:
            fault = self._random.choices(
                (self.kill, self.stop_for_a_while, self.flood, self.half_a_request, self.guest, self.helper),
                weights=(6, 2, 1, 1, 1, 1),
            )[0]
            what = fault()
            if what is not None:
                self.done.append(what)
                return

    def kill(self) -> str | None:
        name = self._random.choice((*OWN, "Flood"))
        now = time.monotonic()
        self._killed[name] = [at for at in self._killed[name] if now - at < 60]
        pid = self._meeting.pids()[name]
        if pid is None or len(self._killed[name]) >= KILLS_A_MINUTE:
            return None
        self._killed[name].append(now)
        return f"kill {name}" if sent(pid, signal.SIGKILL) else None

    def stop_for_a_while(self) -> str | None:
        name = self._random.choice(("Ada", "Max", "Chair", "livekit-server"))
        pid = self._meeting.pids()[name]
        if pid is None or not sent(pid, signal.SIGSTOP):
            return None
        time.sleep(STILL_S)  # the length of the fault itself
        sent(pid, signal.SIGCONT)
        return f"stop {name}"

    def flood(self) -> str | None:
        seat = self._meeting.seats()["Flood"]
        told = seat["pid"] is not None and (seat["uptime_s"] or 0) > 3  # it listens by then
        return "flood" if told and sent(seat["pid"], signal.SIGUSR1) else None

    def half_a_request(self) -> str:
        path = self._meeting.meetctl.runtime_dir / "chaos.sock"
        with socket.socket(socket.AF_UNIX) as connection, address_of(path) as address:
            connection.connect(address)
            connection.send(self._random.choice((b'{"do": "sta', b"\n\n\n", b"\xff\xfe\n", b"[" * 5000 + b"\n")))
        return "half a request"

    def guest(self) -> str:
        async def come_and_go() -> None:
            with contextlib.suppress(Exception):  # the server may be gone just now
                async with self._meeting.probe() as probe, asyncio.timeout(5):
                    await probe.wait_media("max", ("audio",))

        asyncio.run(come_and_go())
        return "guest"

    def helper(self) -> str | None:
        """Kills the prepared process or the guard."""
        supervisor = psutil.Process(self._meeting.note["pid"])
        word = self._random.choice(("meetctl_agents.preloader", "meetctl.supervisor.guard"))
        for child in supervisor.children():
            with contextlib.suppress(psutil.Error):
                if word in child.cmdline() and sent(child.pid, signal.SIGKILL):
                    return f"kill {word}"
        return None


@pytest.mark.parametrize(
    ("faults", "seed"),
    [(8, 1), pytest.param(20, 1, marks=pytest.mark.soak), pytest.param(200, 2, marks=pytest.mark.soak)],
)
def test_after_many_faults_in_a_row_every_seat_is_filled_and_down_leaves_nothing(
    meetctl: Meetctl, faults: int, seed: int
) -> None:
    with standing(meetctl, ROSTER, "chaos") as meeting:
        whole(meeting, [])
        before = psutil.Process(meeting.note["pid"]).num_fds()
        chaos = Chaos(meeting, seed)
        for _ in range(faults):
            chaos.one_fault()
        whole(meeting, chaos.done)
        meeting.media_arrives(ada=("audio", "video"), max=("audio",))
        after = psutil.Process(meeting.note["pid"]).num_fds()
        assert after <= before + FEW_FDS, chaos.done
        ports = listening(marked(meeting.note["meeting"]) | {meeting.note["pid"]})
        assert ports
        down = meetctl("down", "--json")
        assert down.code == 0, (down.err, chaos.done)
        (ending,) = down.json()["meetings"]
        assert (ending["processes_left"], ending["room_deleted"], ending["complete"]) == ([], True, True)
        assert marked(meeting.note["meeting"]) == set()
        assert [path.name for path in meetctl.runtime_dir.iterdir()] == ["chaos.lock"]
        for port in ports:
            with socket.socket() as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind(("127.0.0.1", port))
    assert len(chaos.done) == faults


def whole(meeting: Standing, done: list[str]) -> None:
    """Waits until every seat that should be filled is."""

    def filled(seats: dict[str, dict[str, object]]) -> bool:
        return all(seats[name]["state"] == "running" for name in OWN) and seats["Flood"]["pid"] is not None

    seats = meeting.until_or_last(filled, WHOLE_S)
    assert filled(seats), (done, {name: (seat["state"], seat["last_error"]) for name, seat in seats.items()})


def sent(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False  # it was quicker
    return True


def listening(pids: set[int]) -> set[int]:
    """Returns the TCP ports that these processes listen on."""
    found = set()
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            tcp = psutil.Process(pid).net_connections(kind="tcp")
            found |= {connection.laddr.port for connection in tcp if connection.status == psutil.CONN_LISTEN}
    return found
