"""A meeting under attack, and what must be true of it after every fault: no orphan, no empty seat that should be
filled, no line lost that was heard, no command without an answer, nobody deaf.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from meetctl.supervisor.control import ask
from meetctl.supervisor.sweep import marked
from testing.fixtures.command import Meetctl, Ran
from tests.system.light import crash_reports

from .guest import Guest
from .kinds import Process
from .record import Record
from .services import Services

ROOT = Path(__file__).parents[3]
ROOM = "faults"
ROSTER = f"""
room: {ROOM}
defaults:
  llm: {{{{provider: openai, model: m, base_url: "{{url}}", api_key: none}}}}
  tts: {{{{provider: openai, model: t, base_url: "{{url}}", api_key: none}}}}
  stt: {{ears}}
agents:
  - {{ada}}
  - {{{{name: Max, agent: audio}}}}
  - name: Flood
    command: [{sys.executable}, -m, tests.programs.misbehave, floods_when_told]
    cwd: "{ROOT}"
    start_timeout: 1h
"""
SCRIPTED_EARS = '{{provider: openai, model: s, base_url: "{url}", api_key: none}}'
WAIT_S = 120.0
"""What takes a second or two on an idle machine; this one may be busy."""
COMMAND_S = 120.0
POLL_S = 0.05
KILLS_A_MINUTE = 3
"""Five failures of one seat in a minute are fatal by design."""
FEW_FDS = 10
"""What connections that are just being made may add to the supervisor's."""
PROGRAMS = {Process.GUARD: "meetctl.supervisor.guard", Process.PRELOADER: "meetctl_agents.preloader"}
ANSWERS = frozenset({0, 1, 2, 3, 4, 5, 6, 7})
"""Exit codes that are an answer; the others are a bug, or a signal."""

Document = dict[str, Any]


class House:
    """The meeting, whoever is struck; `up` and `down` are its own, and the rest is asked over its control socket."""

    def __init__(self, meetctl: Meetctl, services: Services, *, avatar: bool, disk: Path | None) -> None:
        self.meetctl = meetctl
        self.services = services
        self.avatar = avatar
        self.disk = disk
        """A small file system of its own that logs and transcripts are on; None = there is none."""
        self.speech: bytes = b""
        """Somebody's words, for the microphone."""
        self.guest = Guest("Sam", lambda name: self.ask("link", name=name))
        self.record = Record()
        self.struck: Counter[str] = Counter()
        self._killed: dict[str, list[float]] = defaultdict(list)
        self._probes = 0
        self._fds = 0
        self.note: Document = {}

    # --- commands ---

    async def run(self, *arguments: str, codes: Iterable[int] = (0,)) -> Ran:
        """Runs a command; asserts that it ends, and how."""
        ran = await asyncio.to_thread(self.meetctl, *arguments, within=COMMAND_S)
        assert ran.code in codes, (arguments, ran)
        assert ran.code == 0 or (ran.err.strip() and "Traceback" not in ran.err), (arguments, ran)
        return ran

    async def ask(self, do: str, **fields: object) -> Document:
        path = self.meetctl.runtime_dir / f"{ROOM}.sock"
        return await ask(path, {"do": do, **fields}, timeout_s=WAIT_S)

    async def up(self) -> None:
        """Starts the meeting; what an earlier one left is ended by that."""
        await self.guest.go()
        await self.run("up", str(self.roster()), "-d")
        await self._begun()

    def roster(self, persona: str = "You are brief.") -> Path:
        """Writes the meeting's roster anew; returns its path."""
        face = ", face: local" if self.avatar else ""
        ada = f"{{name: Ada, agent: {'simli' if self.avatar else 'audio'}, persona: {json.dumps(persona)}{face}}}"
        url = self.services.url
        ears = "local/tiny" if self.avatar else SCRIPTED_EARS.format(url=url)
        path = self.meetctl.cwd / "faults.yaml"
        path.write_text(ROSTER.format(url=url, ears=ears, ada=ada), encoding="utf-8")
        return path

    async def _begun(self) -> None:
        self.note = self.meetctl.note(ROOM)
        self._killed.clear()
        await self.whole()
        where = await self.ask("where")
        self.record = Record(Path(where["log_dir"]) / "transcript.jsonl")
        self._fds = psutil.Process(self.note["pid"]).num_fds()

    async def down(self) -> None:
        """Ends the meeting in good order, and looks whether that is all."""
        ports = listening(marked(self.note["meeting"]) | {self.note["pid"]})
        assert ports
        fds = psutil.Process(self.note["pid"]).num_fds()
        await self.guest.go()
        ran = await self.run("down", ROOM, "--json")
        (ending,) = ran.json()["meetings"]
        assert (ending["processes_left"], ending["room_deleted"], ending["complete"]) == ([], True, True), ending
        assert fds <= self._fds + FEW_FDS, f"the supervisor had {self._fds} descriptors, and now {fds}"
        self.nothing_left()
        for port in ports:
            with socket.socket() as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind(("127.0.0.1", port))

    def nothing_left(self) -> None:
        assert not (left := marked(self.note["meeting"])), [psutil.Process(pid).cmdline() for pid in left]
        files = {path.name for path in self.meetctl.runtime_dir.iterdir() if path.name.startswith(f"{ROOM}.")}
        assert files <= {f"{ROOM}.lock"}, files
        self.record.look()

    async def raze(self) -> None:
        """Ends whatever is left, however."""
        with contextlib.suppress(Exception):
            await self.guest.go()
        await asyncio.to_thread(self.meetctl, "down", "--all", "-t", "3", within=COMMAND_S)
        for pid in marked(self.note.get("meeting", "")) if self.note else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # --- who is there ---

    async def seats(self) -> dict[str, Document]:
        """Returns services and agents by name."""
        document = await self.ask("status")
        return {seat["name"]: seat for seat in (*document["services"], *document["agents"])}

    async def pid(self, process: Process) -> int | None:
        """Returns the process's pid, None = it has none just now."""
        if process is Process.SUPERVISOR:
            return int(self.note["pid"])
        if process in PROGRAMS:
            seated = {seat["pid"] for seat in (await self.seats()).values()}
            return helper(self.note, PROGRAMS[process], but=seated)
        pid: int | None = (await self.seats())[process]["pid"]
        return pid

    async def pid_for_certain(self, process: Process) -> int:
        """Waits until the process is there."""
        async with asyncio.timeout(WAIT_S):
            while (pid := await self.pid(process)) is None:
                await asyncio.sleep(POLL_S)
        return pid

    async def kill(self, process: Process) -> None:
        """Kills it, whatever it does; returns when that was noticed.

        A seat whose record is full is started anew first, as a person would.
        """
        await self.spare(process)
        pid = await self.pid_for_certain(process)
        self.struck[process] += 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await self.noticed(process, pid)

    async def noticed(self, process: Process, pid: int) -> None:
        """Waits until the meeting knows that this process is gone."""
        if process is not Process.SUPERVISOR:
            await until(lambda: self._is_gone(process, pid), f"nobody notices that {process} is gone")

    async def _is_gone(self, process: Process, pid: int) -> bool:
        return await self.pid(process) != pid

    async def spare(self, process: Process) -> None:
        """Books one more failure of the seat, and wipes its record where that would be too many."""
        now = time.monotonic()
        kills = self._killed[process] = [at for at in self._killed[process] if now - at < 60]
        if len(kills) >= KILLS_A_MINUTE and process in (await self.seats()):
            await self.ask("restart", agent=process)
            await self.whole()
            kills.clear()
        kills.append(now)

    # --- what people do ---

    async def write(self, text: str, *sees: str) -> None:
        """Has somebody write this who sees the chair, and these others."""
        human = await self.guest.human(await self.pid(Process.LIVEKIT), "chair", *sees)
        await human.room.local_participant.send_text(text, topic="lk.chat")

    async def say(self, samples: bytes) -> None:
        """Has somebody say this whom the chair listens to."""
        human = await self.guest.human(await self.pid(Process.LIVEKIT), "chair")
        await human.wait_listened_to()
        await human.say(samples)

    # --- what must be true ---

    async def whole(self) -> None:
        """Waits until every seat is filled that should be."""
        why = "it did not answer"
        try:
            async with asyncio.timeout(WAIT_S):
                while (why := lacking(await self.seats())) or self.strangers():
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            strangers = [psutil.Process(pid).cmdline() for pid in self.strangers()]
            raise AssertionError(f"not whole: {why}; strangers: {strangers}") from None

    def strangers(self) -> set[int]:
        """Returns the meeting's processes that nobody in it started, or that nobody watches any more."""
        root = psutil.Process(self.note["pid"])
        theirs = {root.pid, *(child.pid for child in root.children(recursive=True))}
        return marked(self.note["meeting"]) - theirs

    async def prove(self) -> None:
        """Asserts everything that must be true after any fault."""
        await self.whole()
        await self._one_guard()
        await self.heard_and_answered()
        self.record.look()
        assert crash_reports(self.meetctl) == []
        log = self.record.path.with_name("supervisor.log").read_text(encoding="utf-8", errors="replace")
        assert "[bug]" not in log, log[-4000:]

    async def _one_guard(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(guards(self.note["meeting"])) != 1:
                await asyncio.sleep(POLL_S)

    async def heard_and_answered(self) -> None:
        """Somebody asks an agent, and is answered by it."""
        self._probes += 1
        name = (Process.ADA, Process.MAX)[self._probes % 2]
        number = self._probes
        question = f"{name}, are you with us, number {number}?"
        await self.write(question, name.lower())
        await self.record.wait(lambda line: line["text"] == question, "the chat is not heard")
        await self.record.wait(
            lambda line: line["identity"] == name.lower() and f"number {number}" in line["text"],
            f"{name} does not answer",
        )


def lacking(seats: dict[str, Document]) -> str:
    """Returns which seats are not filled as they should be; empty = none."""
    found = [
        f"{name} is {seat['state']} ({seat['last_error'] or seat['warning'] or ''})"
        for name, seat in seats.items()
        if not (seat["pid"] is not None if name == Process.FLOOD else seat["ready"] and seat["state"] == "running")
    ]
    return "; ".join(found)


def helper(note: Document, program: str, *, but: set[int]) -> int | None:
    """Returns the pid of that program among the supervisor's own children; who was forked from it looks the same."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(note["pid"]).children():
            with contextlib.suppress(psutil.Error):
                if program in child.cmdline() and child.pid not in but and child.status() != psutil.STATUS_ZOMBIE:
                    return child.pid
    return None


def guards(meeting: str) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = process.info["cmdline"] or []
        if line[2:] == ["meetctl.supervisor.guard", meeting] and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def listening(pids: set[int]) -> set[int]:
    """Returns the TCP ports that these processes listen on."""
    found = set()
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            tcp = psutil.Process(pid).net_connections(kind="tcp")
            found |= {connection.laddr.port for connection in tcp if connection.status == psutil.CONN_LISTEN}
    return found


async def until(condition: Callable[[], Awaitable[object] | object], what: str, seconds: float = WAIT_S) -> None:
    """Waits until it is so."""
    end = time.monotonic() + seconds
    while True:
        holds = condition()
        if await holds if isinstance(holds, Awaitable) else holds:
            return
        assert time.monotonic() < end, what
        await asyncio.sleep(POLL_S)
