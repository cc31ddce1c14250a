"""What must not leak does not leak, and who is not meant is kept out: tried from outside, on the installed command."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from livekit.agents.voice.remote_session import RemoteSession

from meetctl.settings import LiveKitCredentials
from testing.fixtures.command import Meetctl, Ran, command_in
from testing.fixtures.lanes import Lane, starts
from tests.system.standing import WAIT_S, Standing

NOBODY = 65534
"""A user that owns nothing."""
NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing answers there."""

LOCAL = """
room: locked
defaults: {llm: local/tiny, stt: local/tiny}
agents:
  - {name: Max, agent: audio, speaks: never}
"""

SENTINELS = {
    name: f"sentinel-{number}-{name.lower().replace('_', '-')}-4711"
    for number, name in enumerate(
        ("OPENAI_API_KEY", "SIMLI_API_KEY", "TTS_KEY", "STT_KEY", "COMMAND_SECRET", "FILE_TOKEN", "SOMEBODY_ELSES_KEY")
    )
}
SECRETIVE = """
room: secretive
livekit: {{url: "{url}", api_key: "{key}", api_secret: "${{ROOM_SECRET}}"}}
defaults:
  llm: {{provider: openai, model: gpt-4o-mini, base_url: {nowhere}/v1}}
  tts: {{provider: openai, model: tts-1, base_url: {nowhere}/v1, api_key: "${{TTS_KEY}}"}}
  stt: {{provider: openai, model: whisper-1, base_url: {nowhere}/v1, api_key: "${{STT_KEY}}"}}
agents:
  - {{name: Ada, agent: simli, face: {{face_id: someone, api_key: "${{SIMLI_API_KEY}}", url: {nowhere}}}}}
  - {{name: Max, agent: audio, speaks: freely}}
  - name: Blab
    command: [{python}, -c, "{program}"]
    livekit_api_credentials: true
    env_file: blab.env
    env: {{COMMAND_SECRET: "${{COMMAND_SECRET}}"}}
    restart: no
"""
BLAB = (
    "import os, sys; print(dict(os.environ), flush=True); print(dict(os.environ), file=sys.stderr, flush=True); "
    "sys.stdin.read(); sys.exit(os.environ['COMMAND_SECRET'])"
)
"""Prints all it knows where it can, and dies with it on its lips."""


def test_a_secret_shows_on_no_surface_wherever_it_was_given(
    meetctl: Meetctl, livekit_server: LiveKitCredentials
) -> None:
    room_secret = livekit_server.api_secret.get_secret_value()
    (meetctl.cwd / "blab.env").write_text(f"FILE_TOKEN={SENTINELS['FILE_TOKEN']}\n")
    (meetctl.cwd / "roster.yaml").write_text(
        SECRETIVE.format(
            url=livekit_server.url, key=livekit_server.api_key, nowhere=NOWHERE, python=sys.executable, program=BLAB
        )
    )
    given = {**SENTINELS, "ROOM_SECRET": room_secret}
    surfaces: dict[str, str] = {}

    def run(*arguments: str) -> Ran:
        ran = meetctl(*arguments, env=given)
        surfaces[" ".join(arguments)] = ran.out + ran.err
        return ran

    assert run("check", "roster.yaml").code == 0
    up = run("up", "roster.yaml", "-d")
    assert up.code == 0, up.err
    meeting = Standing(meetctl, "secretive")
    meeting.until(lambda seats: seats["Ada"]["ready"] or seats["Ada"]["state"] == "degraded")
    meeting.until(lambda seats: seats["Blab"]["ready"] or seats["Blab"]["pid"] is not None)
    asyncio.run(provoke(meeting))
    surfaces["ps"] = command_lines()
    run("status"), run("status", "--json"), run("logs"), run("transcript")
    blab = meeting.log_dir / "blab.log"
    until(lambda: blab.read_text().count("COMMAND_SECRET") == 2)
    assert "•••" in blab.read_text(), "it did print what it knew"
    os.kill(meeting.pids()["Blab"], 15)
    run("events", "--help"), run("down", "secretive")
    run("up", "roster.yaml", "--only", "Nobody"), run("join", "secretive", "--agent", "audio")
    for directory in (meetctl.runtime_dir, Path(meetctl.environment["XDG_STATE_HOME"])):
        for path in directory.rglob("*"):
            if path.is_file():
                surfaces[str(path)] = path.read_text(errors="replace")
                assert not path.stat().st_mode & 0o077, f"{path} is open to others"
    shown = {where: name for where, text in surfaces.items() for name, secret in given.items() if secret in text}
    assert shown == {}
    assert any("max.log" in where for where in surfaces) and "Ada" in surfaces["status"]


def test_a_crash_report_holds_no_secret_of_the_environment(meetctl: Meetctl) -> None:
    program = "import meetctl.commands.check as c, sys\nc.check = lambda *a, **k: 1 / len('' * 0)\n"
    program += "from meetctl.cli import main\nsys.argv = ['meetctl', 'check', 'x.yaml']\nmain()"
    env = {**meetctl.environment, **SENTINELS}
    ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 70, ran.stderr
    (report,) = (Path(meetctl.environment["XDG_STATE_HOME"]) / "meetctl").glob("crash-*.txt")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "ZeroDivisionError" in report.read_text()
    assert not [name for name, value in SENTINELS.items() if value in report.read_text() + ran.stdout + ran.stderr]


# --- another user of this machine ---


@pytest.fixture
@starts(Lane.SYSTEM)
def open_house() -> Iterator[Meetctl]:
    """A world whose own directories anybody may enter: what keeps others out must be meetctl's doing."""
    directory = Path(tempfile.mkdtemp(prefix="mc-"))
    directory.chmod(0o755)
    try:
        with command_in(directory) as meetctl:
            yield meetctl
    finally:
        shutil.rmtree(directory, ignore_errors=True)


SNOOP = """
import os, socket, sys
os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
for path in sys.argv[1:]:
    try:
        if path.endswith(".sock"):
            socket.socket(socket.AF_UNIX).connect(path)
        else:
            os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("GOT", path)
    except PermissionError:
        print("refused", path)
"""


@pytest.mark.root
def test_another_user_can_neither_ask_the_supervisor_nor_read_anything(open_house: Meetctl) -> None:
    meetctl = open_house
    (meetctl.cwd / "roster.yaml").write_text(LOCAL)
    assert meetctl("up", "roster.yaml", "-d").code == 0
    meeting = Standing(meetctl, "locked")
    meeting.until(lambda seats: all(seat["pid"] is not None for seat in seats.values()))
    targets = [*meetctl.runtime_dir.iterdir(), meetctl.runtime_dir, *meeting.log_dir.iterdir(), meeting.log_dir]
    pids = [*meeting.pids().values(), meeting.note["pid"]]
    targets += [Path(f"/proc/{pid}/environ") for pid in pids]
    assert {"locked.sock", "locked.json", "locked.livekit.yaml", "max.log"} <= {path.name for path in targets}
    snoop = [sys.executable, "-c", SNOOP.format(nobody=NOBODY), *map(str, targets)]
    ran = subprocess.run(snoop, capture_output=True, text=True, timeout=60, cwd="/")
    assert ran.returncode == 0, ran.stderr
    assert [line for line in ran.stdout.splitlines() if line.startswith("GOT")] == []
    assert len(ran.stdout.splitlines()) == len(targets)
    assert meetctl.status()[0]["room"] == "locked", "its owner still can"


@pytest.mark.root
@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "XDG_STATE_HOME"])
def test_a_directory_that_another_user_prepared_is_not_used(open_house: Meetctl, variable: str) -> None:
    trap = Path(open_house.environment[variable]) / "meetctl"
    trap.mkdir(parents=True)
    os.chown(trap, NOBODY, NOBODY)
    (open_house.cwd / "roster.yaml").write_text(LOCAL)
    ran = open_house("up", "roster.yaml", "-d")
    assert ran.code == 2, (ran.code, ran.err)
    assert "belongs to another user" in ran.err and "hint: " in ran.err
    assert list(trap.iterdir()) == []


# --- a participant ---


def test_a_participant_can_neither_drive_nor_read_an_agent(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text(LOCAL)
    assert meetctl("up", "roster.yaml", "-d", "--wait").code == 0
    meeting = Standing(meetctl, "locked")

    async def drive() -> None:
        async with meeting.probe() as probe, asyncio.timeout(WAIT_S):
            await probe.wait_media("max", ("audio",))
            session = RemoteSession.from_room(probe.room, "max")
            await session.start()
            try:
                with pytest.raises(TimeoutError):
                    await session.wait_for_ready(timeout=3)
            finally:
                await session.aclose()

    asyncio.run(drive())
    assert meeting.seats()["Max"]["agent_state"] == "listening"


# --- a roster from somebody else ---


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "agents:\n" + "  - {name: Max, agent: audio}\n" * 400_000,
        "[" * 100_000,
        "agents: !!python/object/apply:os.system ['touch pwned']\n",
    ],
    ids=["bomb", "ten megabytes", "deep", "code"],
)
def test_a_hostile_roster_is_refused_quickly_and_runs_nothing(meetctl: Meetctl, text: str) -> None:
    (meetctl.cwd / "roster.yaml").write_text(text)
    began = psutil.Process().children(recursive=True)
    started = time.process_time(), time.monotonic()
    ran = meetctl("check", "roster.yaml")
    assert ran.code == 2, (ran.code, ran.err[:500])
    assert "Traceback" not in ran.err and "hint: " in ran.err
    assert len(ran.err) < 10_000
    assert time.monotonic() - started[1] < 30, "a second on an idle machine"
    assert not (meetctl.cwd / "pwned").exists()
    assert len(psutil.Process().children(recursive=True)) <= len(began)


async def provoke(meeting: Standing) -> None:
    """Makes agents call models that do not answer: their complaints are what would hold a key."""
    async with meeting.probe() as probe:
        await probe.room.local_participant.send_text("Max and Ada, what do you think?", topic="lk.chat")
        log = meeting.log_dir / "max.log"
        end = time.monotonic() + WAIT_S
        while "APIConnectionError" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            await asyncio.sleep(0.2)


def command_lines() -> str:
    return "\n".join(" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))


def until(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
