from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from meetctl import __version__
from meetctl.errors import BugError, ConflictError, MeetctlError, NotRunningError, TimedOutError, UsageError
from meetctl.supervisor.control import REQUEST_LIMIT, ControlServer, Request, address_of, ask, follow


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


async def trip(_: Request) -> Mapping[str, Any]:
    raise KeyError("sentinel-4711")


async def unspeakable(_: Request) -> Mapping[str, Any]:
    return {"what": object()}


async def stumble(_: Request) -> AsyncGenerator[Mapping[str, Any], None]:
    yield {"number": 0}
    raise RuntimeError("sentinel-4711")


@pytest.mark.parametrize("do", ["trip", "unspeakable", "stumble"])
async def test_what_nobody_foresaw_is_answered_as_a_bug_told_to_the_log_and_no_end_of_anything(
    tmp_path: Path, do: str
) -> None:
    bugs: list[tuple[str, BaseException]] = []

    async def stream() -> None:
        async for _ in follow(tmp_path / "s", {"do": do}):
            pass

    async with ControlServer(
        tmp_path / "s",
        {**HANDLERS, "trip": trip, "unspeakable": unspeakable},
        {"stumble": stumble},
        bug=lambda asked, error: bugs.append((asked, error)),
    ):
        with pytest.raises(BugError) as caught:
            await (stream() if do == "stumble" else ask(tmp_path / "s", {"do": do}))
        assert await ask(tmp_path / "s", {"do": "echo", "word": "still"}) == {"heard": "still"}
    assert "sentinel" not in caught.value.message, "its text may hold anything"
    assert [asked for asked, _ in bugs] == [do]


async def test_a_request_that_is_too_long_is_told_so(tmp_path: Path) -> None:
    async with ControlServer(tmp_path / "s", HANDLERS):
        with pytest.raises(UsageError, match="at most"):
            await ask(tmp_path / "s", {"do": "echo", "word": "x" * (REQUEST_LIMIT + 1)})


async def test_who_still_waits_when_the_meeting_ends_is_told_that_it_ended(tmp_path: Path) -> None:
    async with ControlServer(tmp_path / "s", HANDLERS):
        waiting = asyncio.create_task(ask(tmp_path / "s", {"do": "hang"}))
        while not (tmp_path / "s").exists() or waiting.done():
            await asyncio.sleep(0.01)
        await ask(tmp_path / "s", {"do": "echo", "word": "the other connection is taken by now"})
    with pytest.raises(NotRunningError, match="ended meanwhile"):
        await waiting


@pytest.mark.process
async def test_no_answer_is_said_of_a_process_that_is_gone_and_not_of_one_that_lives(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    with address_of(tmp_path / "s") as address:
        server = await asyncio.start_unix_server(hang_up, address)
    async with server:
        with pytest.raises(BugError, match=rf"pid {os.getpid()}\) runs and did not answer `echo`"):
            await ask(tmp_path / "s", {"do": "echo"}, timeout_s=60)
    program = f"""
import os, socket
listening = socket.socket(socket.AF_UNIX)
os.chdir({str(tmp_path)!r})  # the whole path may be longer than the kernel takes
listening.bind("gone")
listening.listen()
print("listens", flush=True)
listening.accept()[0].recv(100)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as gone:  # noqa: ASYNC220
        assert gone.stdout is not None and gone.stdout.readline() == b"listens\n"
        with pytest.raises(NotRunningError, match="ended meanwhile"):
            await ask(tmp_path / "gone", {"do": "echo"}, timeout_s=60)


async def test_where_a_request_is_not_understood_by_another_version_both_are_named(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert json.loads(await reader.readline())["version"] == __version__
        writer.write(b'{"error": {"code": "usage", "message": "what?", "hint": null}, "version": "0.0.7"}\n')
        writer.close()

    with address_of(tmp_path / "s") as address:
        server = await asyncio.start_unix_server(answer, address)
    async with server:
        with pytest.raises(
            UsageError, match=rf"what\? \(the meeting runs under meetctl 0\.0\.7, this is {__version__}"
        ):
            await ask(tmp_path / "s", {"do": "new"}, timeout_s=60)
