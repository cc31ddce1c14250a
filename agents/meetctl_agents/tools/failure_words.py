"""Why a tool, or its server, failed: in words for a model and for people."""

from __future__ import annotations

import httpx2


def words_of(error: BaseException) -> str:
    """Returns what went wrong in words: of a group, the first of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"no such program: {error.filename}"
    if isinstance(error, httpx2.HTTPStatusError):
        return f"it answers {error.response.status_code}"
    # What a tool server answers comes with the class of a library that is loaded where there is one, and takes long to.
    if type(error).__name__ == "MCPError" and isinstance(message := getattr(error, "message", None), str):
        return message
    return str(error) or type(error).__name__
