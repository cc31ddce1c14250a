"""The faults in force: which one hits the request or session at hand, and when they are used up."""

from __future__ import annotations

from meetctl.local.simli.config import Faults

_NONE = Faults()

_OF_SESSIONS = frozenset(Faults.model_fields) - {"token_status", "token_detail", "error_text", "times"}

_DETAILS = {400: "INVALID_API_KEY", 402: "You have run out of credits", 429: "Too many sessions"}


class FaultBox:
    """The faults to play; changed while the server runs only where that was allowed."""

    def __init__(self, faults: Faults | None) -> None:
        self._faults = faults or _NONE
        self._left = self._faults.times

    @property
    def faults(self) -> Faults:
        """Those set, whether or not they are used up."""
        return self._faults

    def set(self, faults: Faults) -> None:
        """Replaces all faults."""
        self._faults = faults
        self._left = faults.times

    def for_token(self) -> Faults:
        """Returns what hits this token request; a hit counts."""
        return self._hit() if self._faults.token_status is not None else _NONE

    def for_session(self) -> Faults:
        """Returns what hits this session; a hit counts."""
        set_ones = (getattr(self._faults, name) for name in _OF_SESSIONS)
        return self._hit() if any(value is not None and value is not False for value in set_ones) else _NONE

    def _hit(self) -> Faults:
        if self._left is not None:
            if self._left == 0:
                return _NONE
            self._left -= 1
        return self._faults


def token_failure(faults: Faults) -> tuple[int, dict[str, object]]:
    """Returns status and body of a failing token request, in the shapes that clients know."""
    status = faults.token_status or 500
    detail = faults.token_detail or _DETAILS.get(status, "Internal Server Error")
    if status == 422:
        return 422, unprocessable("faceId", faults.token_detail or "Field required", "missing")
    if status == 400:
        return 400, {"session_token": "FAIL TOKEN", "detail": detail}
    return status, {"detail": detail}


def unprocessable(field: str, message: str, kind: str) -> dict[str, object]:
    """Returns the body of a 422 for one field of a request's body."""
    return {"detail": [{"loc": ["body", field], "msg": message, "type": kind}]}
