"""What a realtime session failed with, as errors that say what is behind them. Pure."""

from __future__ import annotations

from typing import Any

import aiohttp
from livekit.agents import APIError, APIStatusError

_STATUS_OF = {
    "invalid_api_key": 401,
    "account_deactivated": 401,
    "insufficient_quota": 429,
    "credit_balance_exhausted": 429,
    "billing_hard_limit_reached": 429,
    "rate_limit_exceeded": 429,
    "inference_rate_limit_exceeded": 429,
}
"""Of what a server says within a session, what it would have answered to a request."""


def fault_from(error: BaseException) -> BaseException:
    """Returns the error of a plugin with the server's own words; any other as it is."""
    each: BaseException | None = error
    while each is not None:
        if isinstance(each, aiohttp.WSServerHandshakeError):
            where = str(each.request_info.url.with_query(None).with_user(None))
            return APIStatusError(
                each.message, status_code=each.status, body={"message": each.message, "address": where}
            )
        each = each.__cause__
    body = getattr(error, "body", None)
    words, code = _of(body, "message"), _of(body, "code") or _of(body, "type")
    if not isinstance(error, APIError) or not words:
        return error
    if (status := _STATUS_OF.get(code)) is not None:
        return APIStatusError(words, status_code=status, body={"message": words, "code": code})
    return APIError(words, body=body, retryable=error.retryable)


def _of(body: Any, key: str) -> str:
    found = body.get(key) if isinstance(body, dict) else getattr(body, key, None)
    return str(found) if found else ""
