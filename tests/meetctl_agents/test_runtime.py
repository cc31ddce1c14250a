"""The life of an agent program, with real processes and a real server."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from meetctl_agents.process.shell import LAST_RESORT_S
from meetctl_agents.runtime import LEAVE_BODY_S
from pydantic import SecretStr

from meetctl.protocol import CastChanged, Failed, FloorChanged, Ready, Stop, Warn
from meetctl.rooms import Rooms
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.staging import ADA, assignment
from testing.fixtures.livekit import MintToken

BODY = "testing.agents.body"


class Stage:
    """Starts programs in this test's room."""

    def __init__(self, server: LiveKitCredentials, room: str, mint: MintToken, stack: AsyncExitStack) -> None:
        self.server, self.room, self.mint, self._stack = server, room, mint, stack

    async def program(self, mode: str, *, identity: str = "ada", token: SecretStr | None = None) -> Child:
        given = assignment(self.server, self.room, token or self.mint(identity, role="agent"), identity)
        return await self._stack.enter_async_context(Child(BODY, given, arguments=(mode,)))


@pytest.fixture
async def stage(livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(livekit_server, room_name, mint_token, stack)


async def test_it_leaves_the_room_and_exits_cleanly_when_told_to_stop(stage: Stage) -> None:
    child = await stage.program("waits")
    await child.wait_said(Ready)
    async with Rooms(stage.server) as rooms:
        assert [who.identity for who in await rooms.participants(stage.room)] == ["ada"]
        child.send(Stop())
        assert await child.wait_exit() == 0
        assert not await rooms.participants(stage.room)
    assert not child.said(Failed)


async def test_the_end_of_stdin_ends_it(stage: Stage) -> None:
    child = await stage.program("waits")
    await child.wait_said(Ready)
    child.close_stdin()
    assert await child.wait_exit() == 0


async def test_sigterm_ends_it_as_a_failure_and_ctrl_c_does_not_end_it(stage: Stage) -> None:
    child = await stage.program("echoes")
    await child.wait_said(Ready)
    child.process.send_signal(signal.SIGINT)
    child.send(CastChanged(cast=(ADA,)))
    assert (await child.wait_said(FloorChanged)).holder == "ada"
    child.process.send_signal(signal.SIGTERM)
    assert await child.wait_exit() == 143, "nobody of the meeting asked for it, so the seat is filled again"


async def test_a_stray_print_lands_in_the_log_and_not_on_the_wire(stage: Stage) -> None:
    child = await stage.program("prints")
    await child.wait_said(Ready)
    child.send(Stop())
    assert await child.wait_exit() == 0
    assert not child.bad_lines
    for stray in (b"a stray print", b"a stray write", b"a stray child"):
        assert stray in child.errors


async def test_an_exception_is_its_last_line_and_never_shows_a_secret(stage: Stage) -> None:
    token = stage.mint("ada", role="agent")
    child = await stage.program("raises", token=token)
    failed = await child.wait_said(Failed)
    assert await child.wait_exit() == 1
    assert (failed.code, failed.permanent) == ("crashed", False)
    assert "ValueError: no good" in failed.message
    assert b"Traceback" in child.errors
    assert token.get_secret_value() not in failed.message
    assert token.get_secret_value().encode() not in child.errors
    assert child.events[-1] == failed


async def test_what_ends_a_task_that_nobody_waits_for_is_a_warning_and_the_program_goes_on(stage: Stage) -> None:
    token = stage.mint("ada", role="agent")
    child = await stage.program("drops a task", token=token)
    warning = await child.wait_said(Warn)
    assert "ValueError: nobody waits for me" in warning.message
    assert token.get_secret_value() not in warning.message
    child.send(Stop())
    assert await child.wait_exit() == 0
    assert b"Traceback" in child.errors and token.get_secret_value().encode() not in child.errors


async def test_a_known_failure_keeps_its_code_and_hint(stage: Stage) -> None:
    child = await stage.program("gives up")
    failed = await child.wait_said(Failed)
    assert failed == Failed(code="agent_failed", message="the face is not there", hint="draw one")
    assert await child.wait_exit() == 1


async def test_a_body_that_clings_is_left_behind(stage: Stage) -> None:
    child = await stage.program("clings")
    await child.wait_said(Ready)
    child.send(Stop())
    await child.wait_said(FloorChanged)
    assert await child.wait_exit(LEAVE_BODY_S * 5) == 0


async def test_a_blocked_loop_ends_all_the_same(stage: Stage) -> None:
    child = await stage.program("blocks")
    await child.wait_said(Ready)
    child.close_stdin()
    assert await child.wait_exit(LAST_RESORT_S * 3) == 1


async def test_an_identity_taken_by_another_is_for_good(stage: Stage) -> None:
    first = await stage.program("waits")
    await first.wait_said(Ready)
    second = await stage.program("waits")
    failed = await first.wait_said(Failed)
    assert (failed.code, failed.permanent) == ("duplicate_identity", True)
    assert await first.wait_exit() == 1
    await second.wait_said(Ready)


async def test_a_deleted_room_is_for_good(stage: Stage) -> None:
    child = await stage.program("waits")
    await child.wait_said(Ready)
    async with Rooms(stage.server) as rooms:
        await rooms.delete(stage.room)
    failed = await child.wait_said(Failed)
    assert (failed.code, failed.permanent) == ("room_deleted", True)
    assert await child.wait_exit() == 1


async def test_a_refused_token_is_for_good_and_is_not_shown(stage: Stage) -> None:
    token = SecretStr("not.a.token-at-all")
    child = await stage.program("waits", token=token)
    failed = await child.wait_said(Failed)
    assert (failed.code, failed.permanent) == ("livekit", True)
    assert stage.room in failed.message
    assert token.get_secret_value() not in failed.message
    assert await child.wait_exit() == 1


async def test_a_server_that_is_away_may_come_back(livekit_server: LiveKitCredentials) -> None:
    nowhere = LiveKitCredentials("ws://127.0.0.1:9", "key", SecretStr("secret"))
    given = assignment(nowhere, "room", SecretStr("token-of-nobody"), "ada")
    async with Child(BODY, given, arguments=("waits",)) as child:
        failed = await child.wait_said(Failed, within=40)
        assert (failed.code, failed.permanent) == ("livekit", False)
        assert await child.wait_exit() == 1


async def test_what_is_no_command_is_told_and_ignored(stage: Stage) -> None:
    child = await stage.program("waits")
    await child.wait_said(Ready)
    child.write(b'{"type": "stop"')
    child.write(b"\n\xff\xfe\n" + b"x" * 2_000_000 + b"\n")
    await child.wait_said(Warn, lambda warning: "no command" in warning.message)
    child.send(Stop())
    assert await child.wait_exit() == 0


@pytest.mark.process
async def test_without_an_assignment_it_says_so() -> None:
    async with Child(BODY, CastChanged(cast=()), arguments=("waits",)) as child:
        failed = await child.wait_said(Failed)
        assert (failed.code, failed.permanent) == ("no_assignment", True)
        assert await child.wait_exit() == 1


@pytest.mark.process
async def test_a_supervisor_that_is_gone_at_once_leaves_nothing_behind() -> None:
    async with Child(BODY, arguments=("waits",)) as child:
        child.close_stdin()
        assert await child.wait_exit() == 0
        assert not child.events
