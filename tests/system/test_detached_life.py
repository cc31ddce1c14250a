"""What one does with a meeting that runs by itself: through the installed command, on real servers."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testing.fixtures.command import Meetctl

WAIT_S = 60.0
"""Everything here takes a second or two on an idle machine."""

SMALL_PAIR = "defaults: {llm: local/tiny, stt: local/tiny}\n"
MAX = "  - {name: Max, agent: audio, persona: You are brief.}\n"
ZOE = "  - {name: Zoe, agent: audio, persona: You are long.}\n"
LEO = "  - {name: Leo, agent: audio, persona: You are late.}\n"


def written(path: Path, room: str, *agents: str, head: str = "") -> str:
    path.write_text(f"room: {room}\n{SMALL_PAIR}{head}agents:\n{''.join(agents)}")
    return str(path)


@contextmanager
def staying(meetctl: Meetctl, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a command that stays until something ends it; at the latest, this does."""
    with meetctl.start(*arguments) as command:
        try:
            yield command
        finally:
            command.kill()


def agents(meetctl: Meetctl, room: str) -> dict[str, dict[str, Any]]:
    """Returns the agents of a meeting by name."""
    (meeting,) = meetctl("status", room, "--json").json()["meetings"]
    return {agent["name"]: agent for agent in meeting["agents"]}


def line_with(command: subprocess.Popen[str], text: str) -> str:
    """Reads what the command prints up to the first line with this text; returns it."""
    assert command.stdout is not None
    for line in command.stdout:
        if text in line:
            return line.rstrip("\n")
    raise AssertionError(f"it ended without a word of {text!r}")


def is_about(seat: str | None, kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: (event["seat"], event["kind"]) == (seat, kind)


def next_event(events: subprocess.Popen[str], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    assert events.stdout is not None
    for line in events.stdout:
        event: dict[str, Any] = json.loads(line)
        assert event["schema_version"] == 1 and event["room"] and event["at"].endswith("Z")
        if wanted(event):
            return event
    raise AssertionError("the stream ended")


def test_a_detached_meeting_is_watched_changed_and_left_running(meetctl: Meetctl, tmp_path: Path) -> None:
    assert meetctl("up", written(tmp_path / "a.yaml", "standup", MAX, ZOE), "-d", "--wait").code == 0
    before = agents(meetctl, "standup")
    with staying(meetctl, "events") as events:
        next_event(events, is_about(None, "subscribed"))

        restarted = meetctl("restart", "max")
        assert (restarted.code, restarted.out) == (0, "Max is back in standup\n"), restarted.err
        for kind in ("stopping", "exited", "started", "ready"):
            next_event(events, is_about("max", kind))
        after = agents(meetctl, "standup")
        assert after["Max"]["ready"] and after["Max"]["pid"] != before["Max"]["pid"]
        assert after["Zoe"]["pid"] == before["Zoe"]["pid"]

        unknown = meetctl("restart", "Moritz", "--json")
        assert unknown.code == 2 and "Max, Zoe" in unknown.json()["error"]["message"]

        left = meetctl("leave", "Zoe", "--json")
        assert (left.code, left.json()["identity"]) == (0, "zoe")
        next_event(events, is_about("zoe", "seat_removed"))
        assert list(agents(meetctl, "standup")) == ["Max"]
        assert meetctl("leave", "Zoe").code == 2
        assert meetctl("leave", "Chair").code == 2
        # Her participant is gone with her: nobody evicts anybody when she comes back.
        assert meetctl("join", "standup", "--agent", "Zoe").code == 0

        with staying(meetctl, "attach") as attached:
            line_with(attached, "Max: running")
            attached.send_signal(signal.SIGINT)
            _, err = attached.communicate(timeout=WAIT_S)
        assert attached.returncode == 0 and "standup keeps running" in err
        assert quit_board(meetctl) == 0
        assert agents(meetctl, "standup")["Max"]["pid"] == after["Max"]["pid"]

        with staying(meetctl, "attach") as attached:
            line_with(attached, "Max: running")
            assert meetctl("down", "standup").code == 0
            out, err = attached.communicate(timeout=WAIT_S)
        assert attached.returncode == 0 and "standup: gone" in out and "standup has ended" in err
        next_event(events, is_about(None, "meeting_ended"))
        assert events.wait(WAIT_S) == 0
    assert meetctl("restart", "Max").code == meetctl("attach").code == meetctl("events").code == 3


def quit_board(meetctl: Meetctl) -> int:
    """Shows the board on a terminal, presses q when it is there, and returns the exit code."""
    ours, theirs = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [meetctl.binary, "attach", "standup"],
        env={**meetctl.environment, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as board:
        os.close(theirs)
        try:
            end = time.monotonic() + WAIT_S
            while b"video/s" not in shown:
                assert time.monotonic() < end, shown
                if select.select([ours], [], [], 0.1)[0]:
                    shown += os.read(ours, 65536)
            os.write(ours, b"q")
            while board.poll() is None:
                assert time.monotonic() < end, shown
                if select.select([ours], [], [], 0.1)[0]:
                    try:
                        shown += os.read(ours, 65536)
                    except OSError:  # the other end is closed
                        break
            return board.wait(WAIT_S)
        finally:
            board.kill()
            os.close(ours)


def test_up_on_a_changed_roster_touches_only_what_changed(meetctl: Meetctl, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    roster = written(path, "standup", MAX, ZOE)
    dry = meetctl("up", roster, "--dry-run")
    assert (dry.code, dry.out) == (0, "standup: + Max (audio)\nstandup: + Zoe (audio)\n")
    assert meetctl.status() == []
    up = meetctl("up", roster, "-d", "--wait")
    assert up.code == 0
    assert meetctl("join", "standup", "--agent", "audio", "--name", "Eva").code == 0
    before = agents(meetctl, "standup")

    same = meetctl("up", roster, "-d")
    assert same.code == 7 and "already up" in same.err

    written(path, "standup", MAX, ZOE.replace("long", "short"), LEO)
    told = ["standup: ~ Zoe (audio): persona", "standup: + Leo (audio)", "standup: = Max, Eva unchanged"]
    dry = meetctl("up", roster, "--dry-run")
    assert (dry.code, dry.out.splitlines()) == (0, told)
    assert {name: agent["pid"] for name, agent in agents(meetctl, "standup").items()} == {
        name: agent["pid"] for name, agent in before.items()
    }

    changed = meetctl("up", roster, "-d", "--wait")
    assert (changed.code, changed.out, changed.err.splitlines()) == (0, up.out, told)
    after = agents(meetctl, "standup")
    assert list(after) == ["Max", "Zoe", "Eva", "Leo"] and all(agent["ready"] for agent in after.values())
    assert {name for name in before if after[name]["pid"] != before[name]["pid"]} == {"Zoe"}
    assert after["Zoe"]["restarts"] == 0

    elsewhere = "livekit: {url: 'ws://127.0.0.1:1', api_key: key, api_secret: sentinel-secret-4711}\n"
    written(path, "standup", MAX, head=elsewhere)
    refused = meetctl("up", roster)
    assert refused.code == 7 and "livekit" in refused.err and "meetctl down standup" in refused.err
    assert "sentinel" not in refused.out + refused.err

    written(path, "standup", MAX)
    fewer = meetctl("up", roster, "--json").json()
    assert [agent["name"] for agent in fewer["changes"]["removed"]] == ["Zoe", "Leo"]
    last = agents(meetctl, "standup")
    assert {name: agent["pid"] for name, agent in last.items()} == {name: after[name]["pid"] for name in ("Max", "Eva")}


def test_several_meetings_at_once_keep_their_records_apart_also_when_they_are_over(
    meetctl: Meetctl, tmp_path: Path
) -> None:
    assert meetctl("logs").code == meetctl("transcript").code == 3
    assert meetctl("up", written(tmp_path / "a.yaml", "standup", MAX), "-d", "--wait").code == 0
    assert meetctl("up", written(tmp_path / "b.yaml", "retro", ZOE), "-d", "--wait").code == 0
    for command in (["logs"], ["attach"], ["events"], ["transcript"], ["restart", "Max"], ["leave", "Max"], ["link"]):
        ambiguous = meetctl(*command)
        assert ambiguous.code == 2 and "retro, standup" in ambiguous.err, command

    with staying(meetctl, "logs", "Max", "chair", "-f", "--room", "standup", "-n", "1") as following:
        line_with(following, " ")  # it follows from here on
        assert meetctl("restart", "Max", "--room", "standup").code == 0
        assert meetctl("down", "standup").code == 0
        out, err = following.communicate(timeout=WAIT_S)
    assert following.returncode == 0, err
    assert {line.split()[1] for line in out.splitlines()} == {"max", "chair"}
    assert [agent["name"] for meeting in meetctl.status() for agent in meeting["agents"]] == ["Zoe"]

    over = meetctl("logs", "--room", "standup")
    assert over.code == 0
    assert {"max", "chair", "livekit-server"} <= {line.split()[1] for line in over.out.splitlines()}
    assert "zoe" not in over.out
    assert meetctl("logs", "--room", "standup", "-n", "3").out == "".join(over.out.splitlines(True)[-3:])
    assert meetctl("logs", "max", "--room", "standup", "--since", "2000-01-01", "-n", "1").out.count("\n") == 1
    assert meetctl("logs", "--room", "standup", "--since", "0s").out == ""
    stranger = meetctl("logs", "zoe", "--room", "standup")
    assert stranger.code == 2 and "max" in stranger.err
    logs = list((Path(meetctl.environment["XDG_STATE_HOME"]) / "meetctl/standup").glob("*/*.log"))
    assert logs and all(path.stat().st_mode & 0o777 == 0o600 for path in logs)


async def test_what_is_said_is_printed_as_it_is_said_and_afterwards(meetctl: Meetctl, tmp_path: Path) -> None:
    from livekit import rtc

    assert meetctl("up", written(tmp_path / "a.yaml", "standup", MAX), "-d", "--wait").code == 0
    details = meetctl("link", "--name", "Bob", "--json").json()
    bob = rtc.Room()
    with staying(meetctl, "transcript", "-f") as following:
        await bob.connect(details["livekit_url"], details["token"])
        try:
            async with asyncio.timeout(WAIT_S):
                while "chair" not in bob.remote_participants:
                    await asyncio.sleep(0.1)
                reading = asyncio.create_task(asyncio.to_thread(line_with, following, "Bob:"))
                # Who publishes nothing is shown to the chair some seconds late; until then it is not heard.
                while not reading.done():
                    await bob.local_participant.send_text("We ship on Friday", topic="lk.chat")
                    await asyncio.wait({reading}, timeout=1)
                line = reading.result()
        finally:
            await bob.disconnect()
        at, words = line.split(" ", 1)
        assert (len(at), words) == (8, "Bob: We ship on Friday")
        assert await asyncio.to_thread(lambda: meetctl("down").code) == 0
        await asyncio.to_thread(following.communicate, None, WAIT_S)
    assert following.returncode == 0
    assert line in meetctl("transcript").out
    records = [json.loads(line) for line in meetctl("transcript", "standup", "--json").out.splitlines()]
    assert ("Bob", "We ship on Friday", "chat") in {
        (record["speaker"], record["text"], record["kind"]) for record in records
    }
