"""Why a model could not be asked, in its server's own words, with what to do about it. Pure; no I/O.

Plugins wrap what happened two or three times ("Connection error."); what is worth reading stands at the bottom.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from livekit.agents import APIError, APIStatusError, APITimeoutError

from .openai_answers import words_of

LOADING_S = 1.0
"""Until a server is asked again that says 503 and no time: it loads its model."""
RUNNING = "is the model server running, and is its address right?"
_CONTEXT = re.compile(r"context (?:size|length|window)|maximum context|too many tokens|prompt is too long", re.I)
_QUOTA = re.compile(r"insufficient_quota|quota|billing|credit|payment|balance", re.I)
_MISSING_MODEL = re.compile(r"model .*(?:not found|does not exist|not exist|unknown)|no such model|try pulling", re.I)
_ROLE = re.compile(r"system (?:role|message)s? (?:is |are )?not supported|conversation roles must alternate", re.I)
_LOADING = re.compile(r"load(?:ing|ed)? (?:the )?model|model is loading|warming up", re.I)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What went wrong and what to do."""

    detail: str
    hint: str


def explain(error: object) -> Explanation:
    """Returns what is behind an error of a plugin; a text is taken as it is."""
    if isinstance(error, str):
        return Explanation(error, "see `meetctl logs` for the whole answer")
    assert isinstance(error, BaseException)
    chain = list(_chain(error))
    failure = next((each for each in chain if isinstance(each, APIStatusError) and each.status_code > 0), None)
    if failure is not None:
        body: Mapping[str, Any] = failure.body if isinstance(failure.body, dict) else {}
        words = str(body.get("message") or words_of(str(failure.body or failure.message)))
        where = body.get("address")
        detail = f"{failure.status_code} {words}{f' ({where})' if where else ''}"
        return Explanation(detail, _hint_for_status(failure.status_code, words, str(body.get("code")), where))
    where = next((url for each in chain if (url := _address_of(each))), None)
    at = f" ({where})" if where else ""
    for each in reversed(chain):
        if found := _explain_transport(each, at):
            return found
    if any(isinstance(each, APITimeoutError | TimeoutError) or "Timeout" in type(each).__name__ for each in chain):
        said = next((str(each) for each in chain if isinstance(each, TimeoutError) and str(each)), "no answer in time")
        return Explanation(f"{said}{at}", "is the model still being loaded, or too large for this machine?")
    words = _first_words(chain)
    return Explanation(f"{words}{at}", _hint_for_words(words) or RUNNING)


def retry_after_s(error: APIError) -> float | None:
    """Returns how long a server asks to wait before it is asked again; None where that is no use."""
    if not isinstance(error, APIStatusError) or error.status_code not in (429, 503):
        return None
    body: Mapping[str, Any] = error.body if isinstance(error.body, dict) else {}
    if body.get("code") == "insufficient_quota":
        return None
    asked = body.get("retry_after_s")
    return float(asked) if asked is not None else (LOADING_S if error.status_code == 503 else None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields the error and what it was raised from, those that were hidden too."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def _first_words(chain: list[BaseException]) -> str:
    for each in reversed(chain):
        said = each.message if isinstance(each, APIError) else str(each)
        if said and said not in ("Connection error.", "Request timed out."):
            return words_of(said) if said.lstrip().startswith("{") else " ".join(said.split())
    return " ".join(f"{type(each).__name__}" for each in chain[-1:])


def _address_of(error: BaseException) -> str | None:
    """Returns the address that was asked, without what may be secret in it."""
    try:
        url = getattr(getattr(error, "request", None), "url", None)
    except RuntimeError:
        return None  # an error that knows of no request
    if url is not None and getattr(url, "host", None):
        return f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}{url.path}"
    host, port = getattr(error, "host", None), getattr(error, "port", None)
    return f"{host}:{port}" if host and port else None


def _explain_transport(error: BaseException, at: str) -> Explanation | None:
    said = str(error)
    if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in said:
        reason = getattr(error, "verify_message", "") or "it cannot be verified"
        return Explanation(
            f"the server's certificate is not trusted: {reason}{at}",
            "set SSL_CERT_FILE to the authority's certificate, in the agent's env",
        )
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER_FAILURE" in said:
        return Explanation(f"the server speaks no TLS{at}", "write http:// in place of https:// in its base_url")
    if isinstance(error, socket.gaierror):
        return Explanation(
            f"no such host{at}", "is the name in its base_url right, and does this machine have a network?"
        )
    if isinstance(error, ConnectionRefusedError) or "All connection attempts failed" in said:
        return Explanation(f"nothing listens there{at}", RUNNING)
    if "illegal status line" in said or "Server disconnected without sending a response" in said:
        return Explanation(
            f"the server does not answer in HTTP{at}", "does it speak TLS? Then write https:// in its base_url"
        )
    return None


def _hint_for_words(words: str) -> str | None:
    if _CONTEXT.search(words):
        return "give the model a larger context (of Ollama: OLLAMA_CONTEXT_LENGTH), or shorten the persona"
    if match := re.search(r"model ['\"`]?([\w.:/-]+)['\"`]? not found,? try pulling", words):
        return f"ollama pull {match[1]}"
    if _MISSING_MODEL.search(words):
        return "is the model's name right, and does that server have it?"
    if _ROLE.search(words):
        return "this model's template takes no instructions: choose another model"
    return None


def _hint_for_status(status: int, words: str, code: str, where: str | None) -> str:
    if hint := _hint_for_words(words):
        return hint
    if status in (401, 403):
        return "is its key right, and may it use this model?"
    if status == 402 or (status == 429 and _QUOTA.search(f"{code} {words}")):
        return "the account's quota is used up: look at its plan and billing"
    if status == 429:
        return "the provider's rate limit is reached: wait, ask less often, or name a second provider"
    if status in (404, 405):
        right = "" if where and "/v1/" in where else ", which mostly ends in /v1"
        return f"is its base_url right{right}?"
    if status == 503 and _LOADING.search(words):
        return "the model is still being loaded; it is asked again"
    if status >= 500:
        return "the fault is the server's: see its own log"
    return "the server refuses what it is asked: see the options in the roster"
