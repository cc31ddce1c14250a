"""A child that misbehaves on request: `python -m tests.programs.misbehave BEHAVIOUR`. Standard library only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time


def _forever() -> None:
    while True:
        time.sleep(60)


def crash() -> None:
    print("Traceback: it hurts", file=sys.stderr, flush=True)
    os._exit(3)


def ready_then_crash() -> None:
    print('{"type": "ready"}', flush=True)
    os._exit(3)


def polite() -> None:
    """Leaves at the end of its stdin, as every program of ours does."""
    print('{"type": "ready"}', flush=True)
    sys.stdin.read()


def ready_and_stay() -> None:
    print('{"type": "ready"}', flush=True)
    _forever()


def echo_first_line() -> None:
    line = sys.stdin.readline()
    print(f"got {len(line)} bytes", file=sys.stderr, flush=True)
    print('{"type": "ready"}', flush=True)
    sys.stdin.read()


def ignores_everything() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print('{"type": "ready"}', flush=True)
    _forever()


def grandchild() -> None:
    """Leaves a grandchild in its group that keeps the pipes open."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print('{"type": "ready"}', flush=True)
    sys.stdin.read()


def runaway_grandchild() -> None:
    """Leaves a grandchild in a session of its own."""
    subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    print('{"type": "ready"}', flush=True)
    _forever()


def floods() -> None:
    print('{"type": "ready"}', flush=True)
    for _ in range(20_000):
        os.write(2, b"x" * 99 + b"\n")
        os.write(1, b"not a message at all\n")
    print('{"type": "warning", "message": "flooded"}', flush=True)
    sys.stdin.read()


def floods_when_told() -> None:
    """Floods both streams at each SIGUSR1."""

    def flood(*_: object) -> None:
        for _number in range(5_000):
            os.write(2, b"x" * 99 + b"\n")
            os.write(1, b"not a message at all\n")
        os.write(2, b"y" * 3_000_000 + b"\n")

    signal.signal(signal.SIGUSR1, flood)
    print("floods when told", flush=True)
    _forever()


def long_line() -> None:
    os.write(1, b"y" * 10_000_000 + b"\n")
    print('{"type": "ready"}', flush=True)
    sys.stdin.read()


def half_a_line() -> None:
    os.write(1, b'{"type": "rea')
    os._exit(0)


def closes_stdin() -> None:
    os.close(0)
    print('{"type": "ready"}', flush=True)
    _forever()


def prints_its_secret() -> None:
    print("the key is", os.environ["SENTINEL"], file=sys.stderr, flush=True)
    failed = {"type": "failed", "code": "refused", "message": f"bad key {os.environ['SENTINEL']}", "permanent": True}
    print(json.dumps(failed), flush=True)
    os._exit(1)


def fails_and_stays() -> None:
    """Cannot do what it is for, says so, and does not end."""
    print("listening on port 8081", flush=True)
    print("Traceback (most recent call last):\n  …\nPermissionError: [Errno 13] 'jobs'", file=sys.stderr, flush=True)
    print("idle", flush=True)
    _forever()


def never_ready() -> None:
    sys.stdin.read()


def _report(audio_fps: float) -> None:
    print(json.dumps({"type": "leg_stats", "leg": "room", "ice": "connected", "audio_fps": audio_fps}), flush=True)


def stops_reporting() -> None:
    print('{"type": "ready"}', flush=True)
    _report(50)
    _forever()


def media_stops() -> None:
    print('{"type": "ready"}', flush=True)
    _report(50)
    while True:
        _report(0)
        time.sleep(0.2)


def reports() -> None:
    """Is well, and says nothing."""
    print('{"type": "ready"}', flush=True)
    while True:
        _report(50)
        time.sleep(0.2)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
