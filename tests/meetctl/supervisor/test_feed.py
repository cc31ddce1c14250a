from __future__ import annotations

import asyncio

from meetctl.supervisor.events import SeatEvent, Stopping
from meetctl.supervisor.feed import Dropped, Feed


def event(number: int) -> SeatEvent:
    return Stopping("ada", float(number))


async def test_every_reader_gets_what_happens_from_when_it_began_until_the_end() -> None:
    feed: Feed[SeatEvent] = Feed()
    with feed.reading() as first:
        feed.publish(event(1))
        with feed.reading() as second:
            feed.publish(event(2))
            feed.close()
            assert [item async for item in first] == [event(1), event(2)]
            assert [item async for item in second] == [event(2)]


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    feed: Feed[SeatEvent] = Feed(limit=3)
    with feed.reading() as items:
        for number in range(8):
            feed.publish(event(number))
        assert await anext(items) == Dropped(5)
        assert await anext(items) == event(5)
        feed.publish(event(8))
        feed.publish(event(9))
        feed.close()
        assert [item async for item in items] == [Dropped(1), event(7), event(8), event(9)]


async def test_who_waits_is_woken_by_the_next_event_and_by_the_end() -> None:
    feed: Feed[SeatEvent] = Feed()
    with feed.reading() as items:
        waiting = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0)
        feed.publish(event(1))
        async with asyncio.timeout(5):
            assert await waiting == event(1)
        ending = asyncio.ensure_future(anext(items, None))
        await asyncio.sleep(0)
        feed.close()
        async with asyncio.timeout(5):
            assert await ending is None
    feed.publish(event(2))  # nobody reads: nothing is kept
