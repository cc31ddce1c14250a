"""Recordings of people with their words: Debian's `pocketsphinx-testdata`, five sentences of a reader, 16 kHz."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meetctl.settings import cache_dir

PACKAGE = "pocketsphinx-testdata"
BELOW = Path("usr/share/pocketsphinx/test/data/librivox")
RATE = 16_000
COMMAND_S = 300
_LINE = re.compile(r"<s> (.*) </s> \((.*)\)")

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Recording:
    text: str
    samples: Samples


def read_recordings() -> list[Recording]:
    """Returns them.

    Raises:
        FileNotFoundError: saying what to type, if they are neither on this machine nor to be had.
    """
    folder = next((path for path in (Path("/") / BELOW, _cached() / BELOW) if path.is_dir()), None) or _fetched()
    lines = (folder / "transcription").read_text(encoding="utf-8").splitlines()
    return [Recording(match[1], _samples(folder / f"{match[2]}.wav")) for match in map(_LINE.match, lines) if match]


def _cached() -> Path:
    return cache_dir() / "recordings"


def _fetched() -> Path:
    """Unpacks the package into the cache; nothing is installed."""
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["apt-get", "download", PACKAGE], cwd=directory, timeout=COMMAND_S, capture_output=True)
            for package in Path(directory).glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", package, _cached()], timeout=COMMAND_S, check=True)
                return _cached() / BELOW
    raise FileNotFoundError(f"no recordings of people here; on Debian: apt-get install {PACKAGE}")


def _samples(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1), path
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)
