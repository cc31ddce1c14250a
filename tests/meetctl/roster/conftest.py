"""A roster's file, and the roster in it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from meetctl.roster import (
    Roster,
    load_roster,
)

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_roster(text: str) -> Path:
        file = tmp_path / "roster.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write_roster


Load = Callable[..., Roster]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str, *, only: tuple[str, ...] = (), room: str | None = None, **environment: str) -> Roster:
        file = tmp_path / "roster.yaml"
        file.write_text(text, encoding="utf-8")
        return load_roster(file, environment=environment, only=only, room=room, chance=random.Random(7))

    return load_text


CLOUD = {
    "LIVEKIT_URL": "wss://cloud.example",
    "LIVEKIT_API_KEY": "APIkey-of-cloud",
    "LIVEKIT_API_SECRET": "secret-of-cloud",
    "OPENAI_API_KEY": "sk-openai-key",
    "SIMLI_API_KEY": "simli-key",
    "SIMLI_FACE_ID": "face-1",
}
