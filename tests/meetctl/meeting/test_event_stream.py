from __future__ import annotations

import asyncio
import json
from pathlib import Path

from meetctl.meeting.event_stream import EventStream
from meetctl.protocol import Degraded
from meetctl.protocol.secrets import Masker
from meetctl.supervisor.control import ControlServer, follow
from meetctl.supervisor.events import ChildMessage, Exited
from meetctl.supervisor.feed import WAITING_EVENTS

PUBLISHED = 20 * WAITING_EVENTS
"""With the text below 40 MB: far more than socket buffers hold."""
TEXT = "x" * 2000


async def test_who_does_not_read_costs_a_bounded_queue_and_is_told_what_was_dropped(tmp_path: Path) -> None:
    event_stream = EventStream("standup", Masker())
    async with (
        ControlServer(tmp_path / "s", {}, {"events": lambda _: event_stream.stream()}),
        asyncio.timeout(60),
    ):
        events = follow(tmp_path / "s", {"do": "events"})
        assert (await anext(events))["kind"] == "subscribed"
        for number in range(PUBLISHED):
            event_stream.publish(ChildMessage("ada", Degraded(reason=f"{number} {TEXT}"), 0.0))
            if number % 100 == 0:
                await asyncio.sleep(0)  # the server writes what it can
        event_stream.close()
        rest = [event async for event in events]
    assert rest[-1]["kind"] == "meeting_ended"
    dropped = [event["count"] for event in rest if event["kind"] == "dropped"]
    told = [int(event["reason"].split()[0]) for event in rest if event["kind"] == "degraded"]
    assert dropped and sum(dropped) + len(told) == PUBLISHED
    assert told == sorted(set(told)) and told[-1] == PUBLISHED - 1


async def test_secrets_are_masked_also_those_learnt_while_somebody_follows() -> None:
    mask = Masker(["sentinel-1"])
    event_stream = EventStream("standup", mask)
    events = event_stream.stream()
    await anext(events)
    event_stream.publish(Exited("ada", 1, ("sentinel-1", "sentinel-2"), 0.0))
    mask.add("sentinel-2")
    event_stream.close()
    rest = json.dumps([event async for event in events])
    assert "exited" in rest and "sentinel" not in rest
