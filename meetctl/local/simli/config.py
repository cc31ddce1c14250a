"""How the server is set up: values, and the files they are read from. Secrets come from files, never from argv."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from meetctl.errors import StandInError

M = TypeVar("M", bound=BaseModel)

_EVERYONE = stat.S_IRWXG | stat.S_IRWXO


class LiveKitAccess(BaseModel):
    """The LiveKit server on which livekit-mode sessions get their rooms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    api_key: str
    api_secret: SecretStr


class Faults(BaseModel):
    """What goes wrong, on purpose. Everything left out works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_status: Annotated[int, Field(ge=400, le=599)] | None = None
    """Status of every token request: 400, 402, 422, 429, 500, …"""
    token_detail: str | None = None
    """What it says, for example INVALID_FACE_ID; each status has its own words otherwise."""
    socket_status: Annotated[int, Field(ge=400, le=599)] | None = None
    """Status of every request to open a session (WebSocket, or the offer's POST)."""
    session_error: str | None = None
    """Sent in the place of an answer, then the socket is closed: `ERROR: …` or `RATE …`."""
    never_answer: bool = False
    never_start: bool = False
    never_video: bool = False
    drop_after_s: Annotated[float, Field(ge=0)] | None = None
    """After so long a session is cut without a word: socket and media."""
    error_after_s: Annotated[float, Field(ge=0)] | None = None
    """After so long `error_text` is said and the session ends."""
    error_text: str = "ERROR: INTERNAL"
    max_session_s: Annotated[float, Field(gt=0)] | None = None
    """Overrules what the client asked for; so does the next."""
    max_idle_s: Annotated[float, Field(gt=0)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    """How many requests and sessions are hit in all before everything works again; None = all."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Everything that can be chosen."""

    port: int = 0
    size: int = 512
    fps: int = 25
    codec: Literal["vp8", "h264"] | None = None
    keys: frozenset[str] | None = None
    """API keys accepted; None = any that is not empty."""
    faces: frozenset[str] | None = None
    """Face ids accepted, without emotion; None = any."""
    prepared: tuple[str, ...] = ()
    """Face ids that are drawn before anybody asks for them."""
    livekit: LiveKitAccess | None = None
    faults: Faults | None = None
    injectable: bool = False

    def __post_init__(self) -> None:
        if not 64 <= self.size <= 1280 or self.size % 2:
            raise StandInError(f"--size {self.size} is not an even number from 64 to 1280", hint="--size 512")
        if not 5 <= self.fps <= 60:
            raise StandInError(f"--fps {self.fps} is not from 5 to 60", hint="--fps 25")


def load_keys(path: Path) -> frozenset[str]:
    """Returns the keys of a private file, one a line.

    Raises:
        StandInError: the file cannot be read, or others can read it.
    """
    return frozenset(line.strip() for line in _read_private(path).splitlines() if line.strip())


def load_livekit(path: Path) -> LiveKitAccess:
    """Returns the LiveKit access of a private JSON file.

    Raises:
        StandInError: the file cannot be read, others can read it, or it is not as it should be.
    """
    return _parse(LiveKitAccess, path, _read_private(path))


def load_faults(path: Path) -> Faults:
    """Returns the faults of a JSON file.

    Raises:
        StandInError: the file cannot be read, or names a fault there is none of.
    """
    return _parse(Faults, path, _read(path))


def parse_faults(text: str) -> Faults:
    """Returns the faults of a JSON text.

    Raises:
        ValueError: it is not as it should be.
    """
    return Faults.model_validate_json(text)


def _parse(model: type[M], path: Path, text: str) -> M:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StandInError(f"{path}: {where}: {first['msg']}") from None


def _read_private(path: Path) -> str:
    text = _read(path)
    if path.stat().st_mode & _EVERYONE:
        raise StandInError(f"{path} holds secrets and can be read by others", hint=f"chmod 600 {path}")
    return text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StandInError(f"cannot read {path}: {error}") from None
