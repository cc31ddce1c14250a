"""Signaling of a Simli session: the one interface that both of Simli's protocols meet, and what their messages mean.

Here are values, the interface and the reading of messages; `compose.py` speaks the current protocol. No media here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aiortc import RTCIceServer, RTCPeerConnection

from ...process.masking import Mask
from .refusal import FaceRefused, json_from_text, refusal_from_text

CHUNK_BYTES = 6000
"""Simli's own clients split speech so: 187.5 ms of 16 kHz mono."""
SAMPLE_RATE = 16_000


class FaceSignal(StrEnum):
    """What a server message without content tells."""

    START = "start"
    SPEAK = "speak"
    SILENT = "silent"
    ACK = "ack"


@dataclass(frozen=True, slots=True)
class SdpAnswer:
    """The server's SDP."""

    sdp: str


@dataclass(frozen=True, slots=True)
class SessionEnding:
    """The server closes the session; the reason in its own word: `IDLE`, `MAX`, `STOP`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to be logged and nothing more."""

    text: str


Message = FaceSignal | SdpAnswer | SessionEnding | Notice | FaceRefused
OnSaid = Callable[[FaceSignal], None]
"""Told when the face starts and stops speaking, and of acknowledgements."""


class Signaling(ABC):
    """One session's control connection. An async context manager: whatever was opened is closed at its end."""

    @abstractmethod
    async def ice_servers(self) -> list[RTCIceServer]:
        """Obtains the session token and returns the ICE servers to gather with.

        Raises:
            FaceRefused: in the server's words.
        """

    @abstractmethod
    def prepare(self, connection: RTCPeerConnection) -> None:
        """Adds to the connection, before the offer is made, what this protocol needs in it."""

    @abstractmethod
    async def negotiate(self, offer_sdp: str) -> str:
        """Returns the SDP answer.

        Raises:
            FaceRefused: in the server's words, or naming what did not come.
        """

    @abstractmethod
    async def wait_started(self) -> None:
        """Returns once the server says the session runs.

        Raises:
            FaceRefused: in the server's words, or naming what did not come.
        """

    @abstractmethod
    async def wait_ended(self) -> SessionEnding | FaceRefused:
        """Returns why the session is over, once it is."""

    @abstractmethod
    async def send_audio(self, pcm: bytes) -> None:
        """Sends speech, s16le mono 16 kHz; quietly does nothing on a connection that is gone."""

    @abstractmethod
    async def skip(self) -> None:
        """Drops everything that is queued at the server and silences the face."""

    @abstractmethod
    async def close(self) -> None:
        """Ends the session at the server and the connection; bounded, never raises, may be called twice."""

    async def __aenter__(self) -> Signaling:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def parse_message(text: str, mask: Mask = str) -> Message:
    """Returns what a text message of the server means; what is not known is a notice. Secrets in it are masked."""
    text = text.strip()
    if text.startswith("{"):
        return _parse_json(text)
    word, _, rest = text.partition(" ")
    if word in ("START", "SPEAK", "SILENT", "ACK"):
        return FaceSignal(word.lower())
    if word in ("CLOSING", "STOP"):
        return SessionEnding(rest.partition("REASON:")[2].strip() or word)
    if text.startswith(("ERROR", "RATE", "SERVER ERROR", "CLIENT NOT CONNECTED")):
        return refusal_from_text(text, mask)
    return Notice(text)


def chunks(pcm: bytes, size: int = CHUNK_BYTES) -> list[bytes]:
    """Returns the speech in pieces that the server takes."""
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


def _parse_json(text: str) -> Message:
    content = json_from_text(text)
    sdp = content.get("sdp") if isinstance(content, dict) else None
    if isinstance(sdp, str):
        return SdpAnswer(sdp)
    return Notice(text)
