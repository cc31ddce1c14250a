"""Agents that run on workers, controlled from elsewhere: placed, heard, lost, filled again, and ended by `down`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from livekit import api, rtc

from meetctl.protocol.seating import JOB_ATTRIBUTE, SEAT_ATTRIBUTE
from meetctl.rooms import Rooms
from meetctl.settings import LiveKitCredentials
from testing.agents.scripted_models import scripted_models
from testing.fixtures.command import Meetctl
from testing.subscriber_probe import SubscriberProbe
from tests.system.standing import WAIT_S, Standing, standing

ROOM = "afar"
ROSTER = """
room: afar
livekit: {{url: "{url}", api_key: {key}, api_secret: {secret}}}
defaults:
  llm: {{provider: openai, model: scripted, base_url: "{models}/v1"}}
  tts: {{provider: openai, model: tts-1, base_url: "{models}/v1"}}
  stt: {{provider: openai, model: whisper-1, base_url: "{models}/v1"}}
agents:
  - {{name: Ada, agent: audio}}
  - {{name: Max, agent: audio}}
"""
LOST_S = 30.0
"""From the end of a worker until its agent is heard again: three seconds of silence, a dispatch and a joining."""


def script(body: dict[str, Any]) -> str:
    told = " ".join(str(message.get("content")) for message in body["messages"])
    return "The number was 4711." if "4711" in told else "I know of no number."


class Worker:
    """A running `meetctl worker`."""

    def __init__(self, process: subprocess.Popen[bytes], words: Path) -> None:
        self.process = process
        self._words = words

    def words(self) -> str:
        return self._words.read_text()

    def until_says(self, word: str) -> None:
        """Waits until it has said so."""
        end = time.monotonic() + WAIT_S
        while word not in self.words():
            assert time.monotonic() < end and self.process.poll() is None, self.words()
            time.sleep(0.05)

    def jobs(self) -> list[psutil.Process]:
        """Returns the processes of LiveKit's worker, its jobs among them."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [one for one in children if "meetctl_agents.worker.serving" in " ".join(one.cmdline())]


@contextmanager
def worker(
    meetctl: Meetctl, server: LiveKitCredentials, *arguments: str, secret: str | None = None
) -> Iterator[Worker]:
    """Starts one; ends it afterwards."""
    keys = {
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.api_key,
        "LIVEKIT_API_SECRET": secret or server.api_secret.get_secret_value(),
    }
    words = meetctl.cwd / f"worker-{time.monotonic_ns()}.txt"
    with words.open("w") as out:
        process = subprocess.Popen(
            [meetctl.binary, "worker", "--no-local-models", *arguments],
            env={**meetctl.environment, **keys},
            cwd=meetctl.cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            yield Worker(process, words)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


async def until(holds: Callable[[], Any], what: str, within: float = WAIT_S) -> Any:
    end = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < end, what
        await asyncio.sleep(0.05)
    return found


def jobs_in(probe: SubscriberProbe, seat: str) -> dict[str, rtc.RemoteParticipant]:
    there = probe.room.remote_participants.values()
    return {one.identity: one for one in there if one.attributes.get(SEAT_ATTRIBUTE) == seat}


async def asks(meeting: Standing, probe: SubscriberProbe, question: str, answer: str) -> None:
    """Types it once, and waits until Ada has answered."""
    before = {line["id"] for line in meeting.lines()}

    def answered() -> bool:
        return any(
            answer in line["text"] and line["identity"] == "ada" for line in meeting.lines() if line["id"] not in before
        )

    await probe.room.local_participant.send_text(question, topic="lk.chat")
    await until(answered, f"{question!r} was not answered: {[line['text'] for line in meeting.lines()]}")


async def test_agents_on_two_workers_answer_and_one_is_filled_again_elsewhere_with_its_memory(
    meetctl: Meetctl, livekit_server: LiveKitCredentials, model_server: str
) -> None:
    async with scripted_models(model_server, script) as models:
        roster = ROSTER.format(
            url=livekit_server.url,
            key=livekit_server.api_key,
            secret=livekit_server.api_secret.get_secret_value(),
            models=models,
        )
        with (
            worker(meetctl, livekit_server, "--max-agents", "2") as one,
            worker(meetctl, livekit_server, "--max-agents", "2") as two,
        ):
            await asyncio.to_thread(one.until_says, "takes up to 2 agents")
            await asyncio.to_thread(two.until_says, "takes up to 2 agents")
            await asyncio.to_thread(_meet, meetctl, roster, (one, two))
            async with Rooms(livekit_server) as rooms:
                left = {participant.identity for participant in await rooms.participants(ROOM)}
            assert left == set()
            async with api.LiveKitAPI(
                livekit_server.url, livekit_server.api_key, livekit_server.api_secret.get_secret_value()
            ) as server:
                # Dispatches are its room's, and gone with it.
                assert list((await server.room.list_rooms(api.ListRoomsRequest(names=[ROOM]))).rooms) == []


def _meet(meetctl: Meetctl, roster: str, workers: tuple[Worker, Worker]) -> None:
    with standing(meetctl, roster, ROOM, "--on", "workers", "--wait") as meeting:
        asyncio.run(_converse(meeting, workers))


async def _converse(meeting: Standing, workers: tuple[Worker, Worker]) -> None:
    async with meeting.probe() as probe:
        (ada,) = jobs_in(probe, "ada")
        assert ada.startswith("ada~") and probe.room.remote_participants[ada].attributes[JOB_ATTRIBUTE]
        await probe.wait_media(ada, ["audio"])
        await asks(meeting, probe, "Ada, the number is 4711. Which number?", "4711")
        heard: list[set[str]] = []
        probe.room.on("participant_connected", lambda _: heard.append(set(jobs_in(probe, "ada"))))
        lost = _worker_of(ada, workers)
        for process in lost.jobs():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        began = time.monotonic()
        await until(lambda: ada not in jobs_in(probe, "ada") and jobs_in(probe, "ada"), "no other Ada came", LOST_S)
        (successor,) = jobs_in(probe, "ada")
        async with asyncio.timeout(LOST_S):
            await probe.wait_media(successor, ["audio"])
        print(f"heard again after {time.monotonic() - began:.1f} s")
        assert probe.room.remote_participants[successor].name == "Ada"
        await asks(meeting, probe, "Ada, which number was it?", "4711")
        await asyncio.to_thread(meeting.until_whole)
        # The lost one has come back by itself; now the other is told to end, and hands its seats on.
        await until(lambda: lost.words().count("takes up to") == 2, lost.words())
        (other,) = [each for each in workers if each is not lost]
        other.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(other.process.wait, WAIT_S) == 143
        moved = await until(lambda: _only(probe, "ada", successor) and _only(probe, "max", ""), "nobody moved", LOST_S)
        assert moved
        await asks(meeting, probe, "Ada, once more: which number?", "4711")
        assert all(len(those) <= 1 for those in heard)
        seats = await asyncio.to_thread(meeting.until_whole)
        assert seats["Ada"]["restarts"] == 2


def _only(probe: SubscriberProbe, seat: str, not_this: str) -> bool:
    return [identity for identity in jobs_in(probe, seat) if identity != not_this] == list(jobs_in(probe, seat)) != []


def _worker_of(identity: str, workers: tuple[Worker, Worker]) -> Worker:
    logs = {each: "".join(path.read_text() for path in _logs(each)) for each in workers}
    (found,) = [each for each, text in logs.items() if f"takes {identity}" in text]
    return found


def _logs(one: Worker) -> list[Path]:
    directory = one.words().partition("logs in ")[2].splitlines()[0]
    return [Path(directory) / name for name in os.listdir(directory)]


async def test_a_wrong_secret_is_said_in_seconds_and_in_that_word(
    meetctl: Meetctl, livekit_server: LiveKitCredentials
) -> None:
    with worker(meetctl, livekit_server, secret="w" * 40) as refused:
        assert await asyncio.to_thread(refused.process.wait, WAIT_S) == 1
        assert "wrong key or secret" in refused.words()
        assert "w" * 40 not in refused.words()
