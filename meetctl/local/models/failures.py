"""Failures as OpenAI's clients expect them: a status and `{"error": {message, type, param, code}}`. Nothing else."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import ValidationError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiError(Exception):
    """A request that is refused, with the words the client shows."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.param = param
        self.code = code

    def body(self) -> dict[str, dict[str, str | None]]:
        """Returns the error in OpenAI's shape."""
        kind = "invalid_request_error"
        if self.status == 429:
            kind = "rate_limit_error"
        elif self.status >= 500:
            kind = "server_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


class Busy(ApiError):
    """Too many requests run and wait already."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what}: {limit} requests wait already", status=429, code="rate_limit_exceeded")


def api_error_from_validation(error: ValidationError) -> ApiError:
    """Returns the first fault of a request body, naming the field."""
    first = error.errors(include_url=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"]) or None
    return ApiError(f"{param}: {first['msg']}" if param else first["msg"], param=param)


@web.middleware
async def openai_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every failure of a handler into OpenAI's shape."""
    try:
        return await handler(request)
    except ApiError as error:
        failure = error
    except ValidationError as error:
        failure = api_error_from_validation(error)
    except web.HTTPException as error:
        failure = ApiError(f"{request.method} {request.path}: {error.reason}", status=error.status)
    except ConnectionError:
        raise  # the client went away; there is nobody to answer
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        failure = ApiError("the model failed; the server's log says why", status=500)
    headers = {"Retry-After": "1"} if failure.status == 429 else None
    return web.json_response(failure.body(), status=failure.status, headers=headers)
