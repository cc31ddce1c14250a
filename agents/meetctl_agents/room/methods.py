"""The `mc.*` messages over LiveKit RPC: serving them to those who may call, and calling them. Knows no meaning of any.

Any guest can send any RPC to anybody, so every method is served with the question who may be believed, and the answer
to everybody else is an error that changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from livekit import rtc
from pydantic import ValidationError

from meetctl.protocol import Model

from ..process.allowance import LOG_LINES, Allowances, Verdict
from .seating import participant_in, seat_of_identity

FORBIDDEN = 403
MALFORMED = 400

ROUND_TRIP_S = 3.0
"""A message takes 3 to 12 ms on one machine; across the world, with a retry of LiveKit's, a second or two."""

Message = TypeVar("Message", bound=Model)
Believes = Callable[[str], bool]
"""Says whether whoever is in this seat may call, or the person of this identity."""

logger = logging.getLogger(__name__)


def serve(
    room: rtc.Room,
    method: str,
    kind: type[Message],
    believes: Believes,
    handle: Callable[[Message, str], str | None],
) -> None:
    """Answers the method with what `handle(message, caller)` returns; an empty answer for None."""

    complaints = Allowances(*LOG_LINES)

    async def answer(call: rtc.RpcInvocationData) -> str:
        caller = seat_of_identity(room, call.caller_identity)
        if not believes(caller):
            if complaints.take(caller, time.monotonic()) is Verdict.TAKEN:
                logger.warning("%s from %r is refused", method, caller)
            raise rtc.RpcError(FORBIDDEN, f"{method} is not believed from {caller!r}")
        try:
            message = kind.model_validate_json(call.payload)
        except ValidationError as error:
            raise rtc.RpcError(MALFORMED, f"{method}: {error.error_count()} faults in the payload") from None
        return handle(message, caller) or ""

    room.local_participant.register_rpc_method(method, answer)


async def call(room: rtc.Room, seat: str, method: str, message: Model) -> str:
    """Sends the message to whoever is in the seat, or to the person of that identity; returns the answer.

    Raises:
        RpcError: if the participant is not there, does not answer within `ROUND_TRIP_S`, or refuses.
    """
    there = participant_in(room, seat)
    try:
        async with asyncio.timeout(2 * ROUND_TRIP_S):
            return await room.local_participant.perform_rpc(
                destination_identity=seat if there is None else there.identity,
                method=method,
                payload=message.model_dump_json(),
                response_timeout=ROUND_TRIP_S,
                max_round_trip_latency=ROUND_TRIP_S,
            )
    except TimeoutError:
        code = rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT
        raise rtc.RpcError(code, f"{seat!r} did not answer {method}") from None
