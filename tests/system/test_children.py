"""Every child of a meeting has what its entry and the person's shell say, whatever else goes on while it is started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from testing.fixtures.command import Meetctl

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells it in /proc only"),
]

CHILDREN = 20
BOUND_S = 120.0
AS_FROM_A_SCRIPT = "umask 027; trap '' HUP INT QUIT; ulimit -Sn 700; exec 77</dev/null; exec nice -n 2 \"$@\""
"""How a job of somebody's script starts it, under `nohup` and `nice`."""

ENTRY = """
  - name: Child {number}
    command: [sleep, "600"]
    cwd: {cwd}
    start_timeout: 10m
"""


def told(pid: int) -> dict[str, Any]:
    """Returns what the kernel says that this process was given."""
    proc = Path(f"/proc/{pid}")
    status = dict(
        line.split(":\t", 1) for line in (proc / "status").read_text(encoding="ascii", errors="replace").splitlines()
    )
    stat = (proc / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    limits = (proc / "limits").read_text(encoding="ascii").splitlines()
    return {
        "umask": int(status["Umask"], 8),
        "ignored": _signals(status["SigIgn"]),
        "blocked": _signals(status["SigBlk"]),
        "nice": int(stat[16]),
        "files": int(next(line for line in limits if line.startswith("Max open files")).split()[3]),
        "cwd": os.readlink(proc / "cwd"),
        "descriptors": sorted(int(path.name) for path in (proc / "fd").iterdir()),
    }


def _signals(mask: str) -> set[int]:
    # Those that the C library keeps for its threads are nobody's to give.
    return {int(number) for number in signal.valid_signals() if int(mask, 16) >> (number - 1) & 1}


def test_twenty_children_started_while_others_ask_join_and_restart_have_what_their_entries_say(
    meetctl: Meetctl,
) -> None:
    places = [meetctl.cwd / "Räume eins", meetctl.cwd / "zwei"]
    for place in places:
        place.mkdir()
    entries = [ENTRY.format(number=number, cwd=places[number % 2]) for number in range(CHILDREN)]
    (meetctl.cwd / "roster.yaml").write_text("room: workshop\nagents:" + "".join(entries), encoding="utf-8")
    guest = {"name": "Guest", "command": ["sleep", "600"], "cwd": str(places[0]), "start_timeout": "10m"}
    (meetctl.cwd / "guest.yaml").write_text(json.dumps(guest), encoding="utf-8")

    up = subprocess.run(
        ["bash", "-c", AS_FROM_A_SCRIPT, "bash", meetctl.binary, "up", "roster.yaml", "-d"],
        env=meetctl.environment,
        cwd=meetctl.cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=BOUND_S,
    )
    assert up.returncode == 0, up.stderr
    with ThreadPoolExecutor(8) as pool:
        asked = {
            command: pool.submit(meetctl, *command)
            for command in (
                ("status", "--json"),
                ("join", "workshop", "--agent", "guest.yaml", "--timeout", "1"),
                ("restart", "Child 3", "--timeout", "1"),
                ("up", "roster.yaml", "-d"),
                ("status", "workshop"),
                ("restart", "Child 7", "--timeout", "1"),
            )
        }
    for command, ran in asked.items():
        # `sleep` joins no meeting; and where nothing is to be changed, that is said.
        codes = {"join": (4,), "restart": (4,), "up": (0, 7)}.get(command[0], (0,))
        assert ran.result().code in codes, (command, ran.result())
    until = time.monotonic() + BOUND_S
    while True:
        (meeting,) = meetctl.status()
        pids = {agent["name"]: agent["pid"] for agent in meeting["agents"]}
        chair = next(service["pid"] for service in meeting["services"] if service["name"] == "Chair")
        if None not in {chair, *pids.values()}:
            break
        assert time.monotonic() < until, meeting
        time.sleep(0.1)
    nice = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 2)
    assert len(pids) == CHILDREN + 1
    common = {"umask": 0o027, "blocked": set(), "nice": nice, "files": 700}
    for number in range(CHILDREN):
        given = {"ignored": set(), "cwd": str(places[number % 2]), "descriptors": [0, 1, 2]}
        assert told(pids[f"Child {number}"]) == common | given, number
    forked = told(chair)
    assert {key: forked[key] for key in common} == common
    assert forked["ignored"] == {signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT}, "the last by itself"
    assert 77 not in forked["descriptors"]
