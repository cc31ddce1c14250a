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

FORBIDDEN = 403
MALFORMED = 400

ROUND_TRIP_S = 3.0
"""A message takes 3 to 12 ms on one machine; across the world, with a retry of LiveKit's, a second or two."""

Message = TypeVar("Message", bound=Model)
Believes = Callable[[str], bool]
"""Says whether the participant of this identity may call."""

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
        if not believes(call.caller_identity):
            if complaints.take(call.caller_identity, time.monotonic()) is Verdict.TAKEN:
                logger.warning("%s from %r is refused", method, call.caller_identity)
            raise rtc.RpcError(FORBIDDEN, f"{method} is not believed from {call.caller_identity!r}")
        try:
            message = kind.model_validate_json(call.payload)
        except ValidationError as error:
            raise rtc.RpcError(MALFORMED, f"{method}: {error.error_count()} faults in the payload") from None
        return handle(message, call.caller_identity) or ""

    room.local_participant.register_rpc_method(method, answer)


async def call(room: rtc.Room, identity: str, method: str, message: Model) -> str:
    """Sends the message and returns the answer.

    Raises:
        RpcError: if the participant is not there, does not answer within `ROUND_TRIP_S`, or refuses.
    """
    try:
        async with asyncio.timeout(2 * ROUND_TRIP_S):
            return await room.local_participant.perform_rpc(
                destination_identity=identity,
                method=method,
                payload=message.model_dump_json(),
                response_timeout=ROUND_TRIP_S,
                max_round_trip_latency=ROUND_TRIP_S,
            )
    except TimeoutError:
        code = rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT
        raise rtc.RpcError(code, f"{identity!r} did not answer {method}") from None
