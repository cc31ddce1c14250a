"""What the avatar bridge costs: its CPU as a ratio to publishing the same pictures without a face behind them.

Runs by itself (`python -m benchmarks.bridge`), prints one JSON object. Both ways run in processes of their own, in
turns on the same servers, so that a busy machine hurts both alike; what the servers cost is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import av
import psutil
from livekit import rtc
from meetctl_agents.face.bridge import Bridge
from meetctl_agents.face.media.placeholder import draw_placeholder
from meetctl_agents.face.media.room_audio import RoomAudio
from meetctl_agents.face.media.room_video import DecodedVideo
from meetctl_agents.face.session.leg import open_face
from meetctl_agents.face.signaling.base import FaceSignal
from meetctl_agents.room.meters import snapshot_from_room_stats
from pydantic import SecretStr

from benchmarks.served import served_room
from meetctl.local.livekit import LiveKitConfig
from meetctl.protocol import Assignment, Face, Model, Serving, parse_event
from meetctl.rooms import agent_token

ROUNDS = 3
"""Turns of each way; the median counts."""
WARM_S = 4.0
"""Until encoder, congestion control and face are in their stride."""
MEASURE_S = 8.0
RECORD_FRAMES = 100
"""Pictures recorded for publishing alone: four seconds, played in a loop."""
ROOM = "bench"
FPS = 25.0
"""Of the local Simli server."""


class Recorder:
    """Keeps the first pictures of a face."""

    def __init__(self) -> None:
        self.frames: list[av.VideoFrame] = []
        self.full = asyncio.Event()

    def picture(self, frame: av.VideoFrame) -> None:
        if len(self.frames) < RECORD_FRAMES:
            self.frames.append(frame)
        else:
            self.full.set()

    def sound(self, frame: av.AudioFrame) -> None:
        """Is not kept."""

    def said(self, said: FaceSignal) -> None:
        """Is not kept."""


async def bridge(room: rtc.Room, assignment: Assignment) -> None:
    """The whole bridge, its face included."""
    reports: list[Model] = []
    async with Bridge(room, assignment, reports.append, lambda _: None):
        await measure(room)


async def publish(room: rtc.Room, assignment: Assignment) -> None:
    """The same pictures, decoded beforehand, published by the same code, and silence."""
    assert assignment.face is not None
    recorder = Recorder()
    async with open_face(assignment.face, recorder):
        await recorder.full.wait()
    audio, video = RoomAudio(), DecodedVideo(lambda width, height: draw_placeholder("Ada", width, height))
    await asyncio.gather(audio.publish(room), video.publish(room))
    async with asyncio.TaskGroup() as tasks:
        pumps = [
            tasks.create_task(audio.run(lambda: None)),
            tasks.create_task(video.run()),
            tasks.create_task(play(video, recorder.frames)),
        ]
        await measure(room)
        for pump in pumps:
            pump.cancel()


async def play(video: DecodedVideo, frames: list[av.VideoFrame]) -> None:
    """Shows the frames in a loop, at their rate."""
    began = time.monotonic()
    for number, frame in enumerate(itertools.cycle(frames)):
        await asyncio.sleep(began + number / FPS - time.monotonic())
        frame.pts = None
        video.show(frame)


async def measure(room: rtc.Room) -> None:
    """Prints this process's CPU in percent of a core, and the frames it sent each second."""
    process = psutil.Process()
    await asyncio.sleep(WARM_S)
    frames = snapshot_from_room_stats(await room.get_rtc_stats(), 0).video_frames or 0
    before, began = process.cpu_times(), time.monotonic()
    await asyncio.sleep(MEASURE_S)
    after, seconds = process.cpu_times(), time.monotonic() - began
    sent = (snapshot_from_room_stats(await room.get_rtc_stats(), 0).video_frames or 0) - frames
    cpu = (after.user + after.system - before.user - before.system) / seconds * 100
    unique = process.memory_full_info().uss / 1e6
    sys.stdout.write(json.dumps({"cpu_percent": cpu, "fps": sent / seconds, "memory_mb": unique}) + "\n")


async def run_role(role: str) -> None:
    """Joins the room that stdin names and does one of the two."""
    assignment = Assignment.model_validate_json(sys.stdin.read())
    room = rtc.Room()
    await room.connect(assignment.url, assignment.token.get_secret_value(), rtc.RoomOptions(auto_subscribe=False))
    try:
        await (bridge if role == "bridge" else publish)(room, assignment)
    finally:
        await room.disconnect()


@contextlib.contextmanager
def simli_server() -> Iterator[str]:
    """Runs the local Simli server."""
    command = [sys.executable, "-m", "meetctl.local.simli", "--watch-stdin", "--codec", "vp8"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            event = parse_event(process.stdout.readline())
            assert isinstance(event, Serving), event
            yield event.url
        finally:
            process.stdin.close()
            process.wait(10)


async def compare() -> dict[str, object]:
    """Returns the figures of all rounds."""
    found: dict[str, list[dict[str, float]]] = {"publish": [], "bridge": []}
    with simli_server() as simli_url:
        async with served_room(ROOM) as config:
            for number in range(ROUNDS):
                for role, results in found.items():
                    results.append(await run_child(role, f"{role}-{number}", config, simli_url))
    return summary(found)


async def run_child(role: str, identity: str, config: LiveKitConfig, simli_url: str) -> dict[str, float]:
    """Returns what one process measured of itself."""
    assignment = Assignment(
        identity=identity,
        name="Ada",
        room=ROOM,
        url=config.url,
        token=agent_token(config.credentials, room=ROOM, identity=identity, name="Ada"),
        face=Face(url=simli_url, api_key=SecretStr("local-key"), face_id="ada"),
    )
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bridge", "--role", role),
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(120):
        out, _ = await child.communicate(assignment.model_dump_json().encode())
    figures: dict[str, float] = json.loads(out.splitlines()[-1])
    return figures


def summary(found: dict[str, list[dict[str, float]]]) -> dict[str, object]:
    """Returns medians, the ratio of each pair of turns, and how busy the machine was besides."""
    ratios = [
        bridge["cpu_percent"] / publish["cpu_percent"]
        for publish, bridge in zip(found["publish"], found["bridge"], strict=True)
    ]
    medians = {
        f"{role}_{key}": round(statistics.median(figures[key] for figures in results), 1)
        for role, results in found.items()
        for key in results[0]
    }
    return {
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        **medians,
        "load_average": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=("bridge", "publish"), help=argparse.SUPPRESS)
    role = parser.parse_args().role
    if role:
        asyncio.run(run_role(role))
    else:
        sys.stdout.write(json.dumps(asyncio.run(compare())) + "\n")


if __name__ == "__main__":
    main()
