"""Session tokens: what a client asked for when it asked for a face, and for how long the token opens it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

TOKEN_SECONDS = 3_600.0
"""Clients reconnect with the token they have; how long the real one lives is not documented."""
MAX_TOKENS = 10_000
"""The oldest are forgotten first."""


class SessionRequest(BaseModel):
    """The body of a token request, of any generation; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    face_id: Annotated[str, Field(alias="faceId", min_length=1)]
    """`face` or `face/emotion`."""
    api_key: Annotated[str | None, Field(alias="apiKey", repr=False)] = None
    """Of the first generation, which has it in the body."""
    handle_silence: Annotated[bool, Field(alias="handleSilence")] = True
    max_session_s: Annotated[float, Field(alias="maxSessionLength", gt=0)] = 3_600
    max_idle_s: Annotated[float, Field(alias="maxIdleTime", gt=0)] = 300

    @property
    def face(self) -> str:
        """The face without its emotion."""
        return self.face_id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class _Issued:
    request: SessionRequest
    expires_at: float


class SessionTokens:
    """The tokens given out; each opens as many sessions as its client needs until it expires."""

    def __init__(self) -> None:
        self._issued: dict[str, _Issued] = {}

    def issue(self, request: SessionRequest) -> str:
        """Returns a new token."""
        while len(self._issued) >= MAX_TOKENS:
            self._issued.pop(next(iter(self._issued)))
        token = secrets.token_urlsafe(32)
        self._issued[token] = _Issued(request, time.monotonic() + TOKEN_SECONDS)
        return token

    def find(self, token: str) -> SessionRequest | None:
        """Returns what was asked for, or None for an unknown or expired token."""
        issued = self._issued.get(token)
        return issued.request if issued and time.monotonic() < issued.expires_at else None
