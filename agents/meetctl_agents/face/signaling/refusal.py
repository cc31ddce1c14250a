"""Why there is no face: every error status and text that Simli documents, as one typed failure with a hint. Pure.

The server's own words are kept, since they say more than we could; keys and tokens that it may repeat are masked.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from meetctl.errors import MeetctlError

from ...process.masking import Mask

WORDS_SHOWN = 300
"""A proxy may answer with a whole page; its beginning tells which."""


class FaceFault(StrEnum):
    """What kind of refusal it is; the values are stable, for scripts."""

    KEY = "face_key"
    BILLING = "face_billing"
    FACE_ID = "face_id"
    EMOTION = "face_emotion"
    REQUEST = "face_request"
    ENDPOINT = "face_endpoint"
    LIMIT = "face_limit"
    SERVER = "face_server"
    UNREACHABLE = "face_unreachable"
    TIMEOUT = "face_timeout"
    MEDIA = "face_media"
    ENDED = "face_ended"


_HINTS: dict[FaceFault, str] = {
    FaceFault.KEY: "check SIMLI_API_KEY; https://app.simli.com shows your key",
    FaceFault.BILLING: "add credit or a payment method at https://app.simli.com, or use `face: local`",
    FaceFault.FACE_ID: "check the face_id; https://app.simli.com lists the faces of your account",
    FaceFault.EMOTION: "check the part of the face_id after the slash, or leave it away",
    FaceFault.REQUEST: "check the face's settings in the roster",
    FaceFault.ENDPOINT: "check the face's url, or choose the other protocol with `api: legacy` or `api: compose`",
    FaceFault.LIMIT: "close another Simli session, or wait until one ends",
    FaceFault.SERVER: "Simli's side failed; it is tried again",
    FaceFault.UNREACHABLE: "is the address right and reachable from this machine?",
    FaceFault.TIMEOUT: "the server answers too slowly or not at all; it is tried again",
    FaceFault.MEDIA: "the connection is up but no media comes: does a firewall drop UDP?",
    FaceFault.ENDED: "a new session is opened",
}

_PERMANENT = frozenset(
    {FaceFault.KEY, FaceFault.BILLING, FaceFault.FACE_ID, FaceFault.EMOTION, FaceFault.REQUEST, FaceFault.ENDPOINT}
)
"""A person has to change something first."""

_CODES: dict[str, FaceFault] = {
    "INVALID_API_KEY": FaceFault.KEY,
    "BILLING_ERROR": FaceFault.BILLING,
    "MISSING_BILLING_INFO": FaceFault.BILLING,
    "INVALID_FACE_ID": FaceFault.FACE_ID,
    "INVALID_EMOTION": FaceFault.EMOTION,
}
"""Codes that Simli's own clients know, in an HTTP `detail` and in `ERROR:` messages alike."""

_STATUSES: dict[int, FaceFault] = {
    400: FaceFault.REQUEST,
    401: FaceFault.KEY,
    402: FaceFault.BILLING,
    403: FaceFault.KEY,
    404: FaceFault.ENDPOINT,
    405: FaceFault.ENDPOINT,
    408: FaceFault.TIMEOUT,
    422: FaceFault.REQUEST,
    429: FaceFault.LIMIT,
}


class FaceRefused(MeetctlError):
    """There is no face, or no longer one; the agent speaks on without."""

    code = "face_refused"

    def __init__(self, fault: FaceFault, message: str) -> None:
        super().__init__(message, hint=_HINTS[fault])
        self.fault = fault

    @property
    def permanent(self) -> bool:
        """Whether trying again cannot help."""
        return self.fault in _PERMANENT

    def as_dict(self) -> dict[str, str | None]:
        return {"code": self.fault.value, "message": self.message, "hint": self.hint}


def refusal_from_status(status: int, body: str, where: str, mask: Mask = str) -> FaceRefused:
    """Returns the refusal of an HTTP answer (`where` names request and server)."""
    words = mask(_words_of(body))
    fault = _fault_of(words) or _STATUSES.get(status) or (FaceFault.SERVER if status >= 500 else FaceFault.REQUEST)
    return FaceRefused(fault, f"{where} answered {status}" + (f": {words}" if words else ""))


def refusal_from_text(text: str, mask: Mask = str) -> FaceRefused:
    """Returns the refusal of a control message: `ERROR: …`, `RATE …` and their like."""
    words = mask(text.strip())[:WORDS_SHOWN]
    if words.startswith("RATE"):
        fault = FaceFault.LIMIT
    elif words.startswith("CLIENT NOT CONNECTED"):
        fault = FaceFault.MEDIA
    else:
        fault = _fault_of(words) or FaceFault.SERVER
    return FaceRefused(fault, f"Simli said: {words}")


def json_from_text(text: str) -> Any:
    """Returns what the JSON says; None where it is none, or nested too deeply for anybody."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _fault_of(words: str) -> FaceFault | None:
    return next((fault for code, fault in _CODES.items() if code in words), None)


def _words_of(body: str) -> str:
    """The message inside an error body: `detail` (text, or a list of validation errors), `error`, or all of it."""
    content = json_from_text(body)
    if content is None:
        return " ".join(body.split())[:WORDS_SHOWN]
    if isinstance(content, dict):
        content = content.get("detail", content.get("error", content))
    if isinstance(content, list):
        content = "; ".join(_validation_error(each) for each in content)
    return (content if isinstance(content, str) else json.dumps(content))[:WORDS_SHOWN]


def _validation_error(error: object) -> str:
    if isinstance(error, dict) and "msg" in error:
        where = ".".join(str(part) for part in error.get("loc", ()))
        return f"{where}: {error['msg']}" if where else str(error["msg"])
    return json.dumps(error)
