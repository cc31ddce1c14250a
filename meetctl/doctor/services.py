"""Makes findings of what servers elsewhere answered: LiveKit and Simli. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from meetctl.doctor.findings import Finding, WebAnswer, failure, ok, warning

WORDS_SHOWN = 200

_SIMLI_CODES = {
    "INVALID_API_KEY": "check SIMLI_API_KEY; https://app.simli.com shows your key",
    "BILLING_ERROR": "add credit or a payment method at https://app.simli.com, or write face: local",
    "MISSING_BILLING_INFO": "add credit or a payment method at https://app.simli.com, or write face: local",
    "INVALID_FACE_ID": "check the face_id; https://app.simli.com lists the faces of your account",
    "INVALID_EMOTION": "check the part of the face_id after the slash, or leave it away",
}
_SIMLI_STATUSES = {
    401: _SIMLI_CODES["INVALID_API_KEY"],
    402: _SIMLI_CODES["BILLING_ERROR"],
    403: _SIMLI_CODES["INVALID_API_KEY"],
    404: "check the face's url",
    422: "check the face_id",
    429: "wait until another session ends",
}
_UNREACHABLE = "is the address right and reachable from this machine? An agent without its face goes on by voice"


@dataclass(frozen=True, slots=True)
class FaceAnswers:
    """What Simli answered about one face."""

    url: str
    who: str
    """Whose face it is, or which variable names it."""
    sessions: WebAnswer
    token: WebAnswer | None
    """To the wish for a session with that face; None = no face is named."""


def judge_face(face: FaceAnswers) -> Iterator[Finding]:
    """Yields whether Simli is there, knows the key, has credit, and has the face."""
    if face.sessions.error is not None:
        yield failure("simli", f"{face.url}: {face.sessions.error}", _UNREACHABLE)
        return
    if face.sessions.status == 200:
        usage = _value(face.sessions.body, "currentUsage")
        running = "" if usage is None else f"; {usage} sessions under way with this key"
        yield ok("simli", f"{face.url} answers{running}")
    else:
        yield _refused(f"{face.url} refuses the key", face.sessions)
        return
    token = face.token
    if token is None:
        return
    if token.error is not None:
        yield failure("simli", f"{face.url}: {token.error}", _UNREACHABLE)
    elif token.status == 200 and _value(token.body, "session_token"):
        yield ok("simli", f"the face of {face.who} is there, and the account may use it")
    elif token.status == 429:
        yield warning("simli", f"{face.who}: {_words(token)}", _SIMLI_STATUSES[429])
    else:
        yield _refused(f"{face.who} gets no face", token)


def judge_livekit(url: str, error: tuple[str, str | None] | None, milliseconds: float) -> Finding:
    """Returns whether the LiveKit server is there and knows the key; `error` is message and hint."""
    if error is not None:
        return failure("livekit", error[0], error[1] or "check LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET")
    return ok("livekit", f"{url} answers in {milliseconds:.0f} ms and knows the key")


def _refused(what: str, answer: WebAnswer) -> Finding:
    words = _words(answer)
    by_code = next((hint for code, hint in _SIMLI_CODES.items() if code in words), None)
    hint = by_code or _SIMLI_STATUSES.get(answer.status, "try again later: Simli's side failed")
    return failure("simli", f"{what}: {words}", hint)


def _words(answer: WebAnswer) -> str:
    said = _value(answer.body, "detail") or _value(answer.body, "error") or answer.body
    text = said if isinstance(said, str) else json.dumps(said)
    return f"HTTP {answer.status} {' '.join(text.split())[:WORDS_SHOWN]}".rstrip()


def _value(body: str, key: str) -> object:
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content.get(key) if isinstance(content, dict) else None
