from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from meetctl.errors import ConflictError, MeetctlError, NotRunningError, TimedOutError
from meetctl.supervisor.control import ControlServer, Request, ask


async def echo(request: Request) -> Mapping[str, Any]:
    return {"heard": request["word"]}


async def refuse(_: Request) -> Mapping[str, Any]:
    raise ConflictError("taken", hint="take another")


async def hang(_: Request) -> Mapping[str, Any]:
    await asyncio.Event().wait()
    return {}


HANDLERS = {"echo": echo, "refuse": refuse, "hang": hang}


async def test_a_request_is_answered_over_a_socket_that_only_its_owner_can_open(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with ControlServer(path, HANDLERS):
        assert await ask(path, {"do": "echo", "word": "Zoë"}) == {"heard": "Zoë"}
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


async def test_a_failure_travels_with_its_class_and_hint(tmp_path: Path) -> None:
    async with ControlServer(tmp_path / "s", HANDLERS):
        with pytest.raises(ConflictError) as caught:
            await ask(tmp_path / "s", {"do": "refuse"})
    assert (caught.value.message, caught.value.hint) == ("taken", "take another")


@pytest.mark.parametrize("line", [b"[1]\n", b"hello\n", b'{"do": "fly"}\n'])
async def test_nonsense_is_answered_with_an_error_and_the_server_goes_on(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "s"
    async with ControlServer(path, HANDLERS):
        reader, writer = await asyncio.open_unix_connection(path)
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
