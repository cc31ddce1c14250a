"""The installed command, from `up` to the proof that nothing is left, on real servers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from meetctl.protocol.likeness import told_apart
from meetctl.rooms import Rooms, guest_token
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.sweep import marked
from testing.fixtures.command import Meetctl, on_the_small_pair

ROOT = Path(__file__).parents[2]
GONE_S = 15.0
"""The promise is three seconds after the supervisor is killed; the machine may be busy."""

AUDIO_ONLY = """
room: {room}
defaults: {{llm: local/tiny, stt: local/tiny}}
agents:
  - {{name: Max, agent: audio, persona: You are brief.}}
"""


@pytest.fixture
def audio_roster(tmp_path: Path) -> Path:
    path = tmp_path / "audio.yaml"
    path.write_text(AUDIO_ONLY.format(room="standup"))
    return path


def gone_within(meeting: str, pids: list[int], seconds: float) -> set[int]:
    """Returns what is left of the meeting when the time is up, or nothing as soon as nothing is."""
    until = time.monotonic() + seconds
    while (left := marked(meeting) | {pid for pid in pids if runs(pid)}) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def runs(pid: int) -> bool:
    """Returns whether the process exists and is more than a zombie that its new parent has yet to reap."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_demo_comes_up_is_shown_takes_another_agent_and_leaves_nothing_behind(meetctl: Meetctl) -> None:
    on_the_small_pair(ROOT / "configs/demo.yaml", meetctl.cwd / "demo.yaml")
    up = meetctl("up", "demo.yaml", "-d", "--wait")
    assert (up.code, up.err) == (0, "")
    link = up.out.strip()
    assert link.startswith("http://127.0.0.1:") and "#invite=" in link

    document = meetctl("status", "--json").json()
    assert document["schema_version"] == 1
    (meeting,) = document["meetings"]
    assert {"room", "state", "pid", "join_link", "livekit_url", "uptime_s", "services", "agents"} <= set(meeting)
    assert (meeting["room"], meeting["state"], meeting["join_link"]) == ("demo", "running", link)
    assert {service["name"] for service in meeting["services"]} == {"livekit-server", "models", "simli-server", "Chair"}
    assert all(service["ready"] for service in meeting["services"])
    ada, max_ = meeting["agents"]
    assert (ada["name"], ada["program"], ada["ready"]) == ("Ada", "simli", True)
    assert (max_["name"], max_["program"], max_["ready"]) == ("Max", "audio", True)
    assert set(ada["legs"]) == {"room", "simli"}
    assert set(max_["legs"]) == {"room"}

    joined = meetctl("join", "demo", "--agent", "audio", "--name", "Zoe", "--json")
    assert (joined.code, joined.json()["identity"]) == (0, "zoe")
    avatar = meetctl("join", "demo", "--agent", "simli", "--name", "Zoey", "--json")
    assert (avatar.code, avatar.json()["program"]) == (0, "simli")
    assert [agent["name"] for agent in meetctl.status()[0]["agents"]] == ["Ada", "Max", "Zoe", "Zoey"]
    assert joined.json()["warnings"] == []
    assert [warning["message"] for warning in avatar.json()["warnings"]] == [told_apart("Zoey", "Zoe")]
    twice = meetctl("join", "demo", "--agent", "audio", "--name", "Zoe", "--json")
    assert (twice.code, twice.json()["error"]["code"]) == (7, "conflict")

    second = meetctl("up", "demo.yaml", "-d")
    assert second.code == 7
    assert "already up" in second.err and "meetctl down demo" in second.err

    note = meetctl.note("demo")
    pids = [seat["pid"] for seat in (*meeting["services"], *meeting["agents"])] + [note["pid"]]
    down = meetctl("down", "--json")
    assert down.code == 0
    (ending,) = down.json()["meetings"]
    assert (ending["processes_left"], ending["room_deleted"], ending["complete"]) == ([], True, True)
    assert ending["avatar_sessions_closed"] == 2
    assert gone_within(note["meeting"], pids, 0) == set()
    assert [path.name for path in meetctl.runtime_dir.iterdir()] == ["demo.lock"]
    again = meetctl("down")
    assert (again.code, again.out) == (0, "")
    assert meetctl.status() == []


def test_a_killed_agent_comes_back_into_its_seat(meetctl: Meetctl, audio_roster: Path) -> None:
    assert meetctl("up", str(audio_roster), "-d", "--wait").code == 0
    (before,) = meetctl.status()[0]["agents"]
    os.kill(before["pid"], signal.SIGKILL)
    until = time.monotonic() + 60
    while True:
        (after,) = meetctl.status()[0]["agents"]
        if after["ready"] and after["restarts"] == 1:
            break
        assert time.monotonic() < until, after
        time.sleep(0.2)
    assert (after["identity"], after["name"]) == (before["identity"], before["name"])
    assert after["pid"] != before["pid"]


def test_a_killed_supervisor_takes_everything_along_and_the_next_up_works(meetctl: Meetctl, audio_roster: Path) -> None:
    assert meetctl("up", str(audio_roster), "-d", "--wait").code == 0
    note = meetctl.note("standup")
    (meeting,) = meetctl.status()
    pids = [seat["pid"] for seat in (*meeting["services"], *meeting["agents"])]
    os.kill(note["pid"], signal.SIGSTOP)
    assert "not answering" in meetctl("status").out
    assert meetctl("link").code == 4
    os.kill(note["pid"], signal.SIGCONT)
    assert [shown["state"] for shown in meetctl.status()] == ["running"]
    os.kill(note["pid"], signal.SIGKILL)
    assert gone_within(note["meeting"], pids, GONE_S) == set()
    assert not list(meetctl.runtime_dir.glob("*.yaml")), "the server's configuration holds the secret"
    assert meetctl.status() == []
    assert meetctl("down").code == 0
    assert meetctl("up", str(audio_roster), "-d").code == 0


def test_ctrl_c_ends_a_foreground_meeting_with_130_and_leaves_nothing(meetctl: Meetctl, audio_roster: Path) -> None:
    with meetctl.start("up", str(audio_roster)) as up:
        assert up.stdout is not None and up.stderr is not None
        assert "#invite=" in up.stderr.readline()
        note = meetctl.note("standup")
        up.send_signal(signal.SIGINT)
        out, err = up.communicate(timeout=60)
    assert up.returncode == 130, (out, err)
    assert "room deleted" in err
    assert gone_within(note["meeting"], [note["pid"]], 5) == set()


def test_a_link_for_a_script_holds_what_it_needs_to_join(meetctl: Meetctl, audio_roster: Path) -> None:
    assert meetctl("up", str(audio_roster), "-d").code == 0
    details = meetctl("link", "standup", "--name", "Bob", "--json").json()
    assert set(details) == {"join_link", "livekit_url", "token", "identity", "name"}
    assert details["identity"].startswith("bob-")
    meet = meetctl("link", "--name", "Bob", "--meet", "https://meet.example.org").out
    assert meet.startswith("https://meet.example.org/custom?liveKitUrl=ws%3A%2F%2F127.0.0.1")
    plain = meetctl("link").out.strip()
    assert plain == details["join_link"]
    assert meetctl("link", "--host").out.strip() != plain


async def test_an_agent_joins_a_room_that_meetctl_did_not_create_and_down_leaves_it_alone(
    meetctl: Meetctl, livekit_server: LiveKitCredentials, room_name: str
) -> None:
    from livekit import rtc

    environment = {
        "LIVEKIT_URL": livekit_server.url,
        "LIVEKIT_API_KEY": livekit_server.api_key,
        "LIVEKIT_API_SECRET": livekit_server.api_secret.get_secret_value(),
    }
    token = guest_token(livekit_server, room=room_name, identity="bob", name="Bob")
    bob = rtc.Room()
    await bob.connect(livekit_server.url, token.get_secret_value())
    try:
        joined = await asyncio.to_thread(
            meetctl, "join", room_name, "--agent", "audio", "--name", "Zoe", "-d", env=environment
        )
        assert joined.code == 0, joined.err
        async with asyncio.timeout(20):  # who publishes nothing is shown to others some seconds late
            while not {"zoe", "chair"} <= set(bob.remote_participants):
                await asyncio.sleep(0.1)
        down = await asyncio.to_thread(meetctl, "down", room_name, "--json")
        assert down.code == 0, down.err
        (ending,) = down.json()["meetings"]
        assert (ending["own_room"], ending["room_deleted"], ending["processes_left"]) == (False, False, [])
        async with Rooms(livekit_server) as rooms:
            assert [participant.identity for participant in await rooms.participants(room_name)] == ["bob"]
        assert bob.isconnected()
    finally:
        await bob.disconnect()
