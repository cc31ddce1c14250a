from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from meetctl.errors import ConflictError, MeetctlError, NotRunningError, TimedOutError
from meetctl.supervisor.control import ControlServer, Request, address_of, ask, follow


async def echo(request: Request) -> Mapping[str, Any]:
    return {"heard": request["word"]}


async def refuse(_: Request) -> Mapping[str, Any]:
    raise ConflictError("taken", hint="take another")


async def hang(_: Request) -> Mapping[str, Any]:
    await asyncio.Event().wait()
    return {}


async def count(request: Request) -> AsyncGenerator[Mapping[str, Any], None]:
    for number in range(request["to"]):
        yield {"number": number}
    match request.get("then"):
        case "fail":
            raise ConflictError("enough")
        case "hang":
            await asyncio.Event().wait()


HANDLERS = {"echo": echo, "refuse": refuse, "hang": hang}


async def test_a_request_is_answered_over_a_socket_that_only_its_owner_can_open(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with ControlServer(path, HANDLERS):
        assert await ask(path, {"do": "echo", "word": "Zoë"}) == {"heard": "Zoë"}
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="elsewhere such a directory is not chosen")
async def test_a_socket_whose_path_the_kernel_would_not_take_is_reached_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 60) / "s"
    path.parent.mkdir()
    before = len(os.listdir("/proc/self/fd"))
    async with ControlServer(path, HANDLERS, {"count": count}):
        assert path.stat().st_mode & 0o777 == 0o600
        assert await ask(path, {"do": "echo", "word": "far"}) == {"heard": "far"}
        assert [item async for item in follow(path, {"do": "count", "to": 1})] == [{"number": 0}]
    assert not path.exists()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_failure_travels_with_its_class_and_hint(tmp_path: Path) -> None:
    async with ControlServer(tmp_path / "s", HANDLERS):
        with pytest.raises(ConflictError) as caught:
            await ask(tmp_path / "s", {"do": "refuse"})
    assert (caught.value.message, caught.value.hint) == ("taken", "take another")


@pytest.mark.parametrize("line", [b"[1]\n", b"hello\n", b'{"do": "fly"}\n'])
async def test_nonsense_is_answered_with_an_error_and_the_server_goes_on(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "s"
    async with ControlServer(path, HANDLERS):
        with address_of(path) as address:
            reader, writer = await asyncio.open_unix_connection(address)
        writer.write(line)
        assert b'"error"' in await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert await ask(path, {"do": "echo", "word": "still"}) == {"heard": "still"}


async def test_a_supervisor_that_does_not_answer_is_a_time_out_that_says_what_was_asked(tmp_path: Path) -> None:
    async with ControlServer(tmp_path / "s", HANDLERS):
        with pytest.raises(TimedOutError, match="hang"):
            await ask(tmp_path / "s", {"do": "hang"}, timeout_s=0.2)


async def test_no_socket_means_not_running(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        await ask(tmp_path / "s", {"do": "echo"})


async def test_an_unknown_request_says_so(tmp_path: Path) -> None:
    async with ControlServer(tmp_path / "s", HANDLERS):
        with pytest.raises(MeetctlError, match="fly"):
            await ask(tmp_path / "s", {"do": "fly"})


async def test_a_stream_is_read_item_by_item_to_its_end(tmp_path: Path) -> None:
    async with ControlServer(tmp_path / "s", HANDLERS, {"count": count}):
        items = [item async for item in follow(tmp_path / "s", {"do": "count", "to": 3})]
    assert items == [{"number": 0}, {"number": 1}, {"number": 2}]


async def test_a_stream_that_fails_says_why_after_what_it_had(tmp_path: Path) -> None:
    items = []
    async with ControlServer(tmp_path / "s", HANDLERS, {"count": count}):
        with pytest.raises(ConflictError, match="enough"):
            async for item in follow(tmp_path / "s", {"do": "count", "to": 2, "then": "fail"}):
                items.append(item)  # noqa: PERF401 - what came before the failure counts
    assert items == [{"number": 0}, {"number": 1}]


async def test_a_stream_ends_when_its_reader_hangs_up_though_nothing_happens(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def endless(_: Request) -> AsyncGenerator[Mapping[str, Any], None]:
        try:
            yield {"begun": True}
            await asyncio.Event().wait()
        finally:
            over.set()

    async with ControlServer(tmp_path / "s", HANDLERS, {"endless": endless}):
        items = follow(tmp_path / "s", {"do": "endless"})
        assert await anext(items) == {"begun": True}
        await items.aclose()
        async with asyncio.timeout(5):
            await over.wait()


async def test_a_stream_cut_off_by_the_end_of_the_supervisor_is_no_clean_end(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        async with ControlServer(tmp_path / "s", HANDLERS, {"count": count}) as server:
            items = follow(tmp_path / "s", {"do": "count", "to": 1, "then": "hang"})
            await anext(items)
            closing = asyncio.create_task(server.__aexit__(None, None, None))
            await anext(items)
    await closing
