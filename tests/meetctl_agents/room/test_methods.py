"""Messages from those who may not send them change nothing, and write no log full."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from meetctl_agents.process.allowance import LOG_LINES
from meetctl_agents.room.methods import serve

from meetctl.protocol import RELEASE, Release


async def test_two_thousand_refused_calls_write_a_few_lines_and_each_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    served: dict[str, Callable[[Any], Awaitable[str]]] = {}
    room = SimpleNamespace(
        remote_participants={}, local_participant=SimpleNamespace(register_rpc_method=served.__setitem__)
    )
    serve(cast(rtc.Room, room), RELEASE, Release, lambda identity: identity == "ada", lambda message, caller: "taken")
    payload = Release(grant_id="g1", text="Hello.").model_dump_json()
    refused = 0
    with caplog.at_level(logging.INFO):
        for number in range(2000):
            try:
                caller = "mallory" if number % 2 else "eve"
                await served[RELEASE](SimpleNamespace(caller_identity=caller, payload=payload))
            except rtc.RpcError as error:
                refused += error.code == 403
        assert await served[RELEASE](SimpleNamespace(caller_identity="ada", payload=payload)) == "taken"
    assert refused == 2000
    assert len(caplog.records) <= 2 * (LOG_LINES[0] + 1)
