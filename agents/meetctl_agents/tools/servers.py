"""One tool server, for as long as the agent is there: started, listed, started again where it broke, a few times."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from livekit.agents import llm
from livekit.agents.llm.mcp import MCPServer, MCPServerHTTP, MCPToolResultContext
from mcp import MCPError
from mcp.client._transport import TransportStreams
from mcp.types import INVALID_PARAMS

from meetctl.protocol import EVERY_TOOL, ToolRules, ToolSource

from ..process.tasks import begin
from .failure_words import words_of
from .stdio import child_streams

START_S = 30.0
"""A program that has to be fetched first (uvx, npx) takes some of it."""
MOST_RESTARTS = 3
"""In a row; one that lived for `WELL_S` begins anew."""
WELL_S = 60.0
FIRST_PAUSE_S = 1.0
"""Doubled at each start."""
CLOSE_S = 2.5
TIMEOUTS_IN_A_ROW = 2
"""Then it hangs, and is started again."""

logger = logging.getLogger(__name__)


class Server:
    """Keeps one source's server running; its tools are there while it does.

    Args:
        warn: is told what is wrong with it, under the same name each time.
        works: is told that it works again.
    """

    def __init__(
        self, source: ToolSource, rules: ToolRules, warn: Callable[[str, object], None], works: Callable[[str], None]
    ) -> None:
        self.source = source
        self.tools: dict[str, llm.RawFunctionTool[Any, Any]] = {}
        self.only_read: frozenset[str] = frozenset()
        """Those that say of themselves that they change nothing."""
        self._rules = rules
        self._warn = warn
        self._works = works
        self._about = f"the tools of {source.name} are missing"
        self._broken: asyncio.Future[str] | None = None
        self._timeouts = 0
        self.missing: str | None = None
        """Why its tools are not there; None = they are, or it was only just started."""
        self.listed = asyncio.Event()
        """Set once the first attempt has come to an end, good or bad."""

    async def run(self) -> None:
        """Runs until it is cancelled, or was started too often."""
        restarts = 0
        while True:
            began = asyncio.get_running_loop().time()
            why = await self._serve()
            if asyncio.get_running_loop().time() - began > WELL_S:
                restarts = 0
            logger.warning("tool server %s: %s", self.source.name, why)
            is_left = restarts == MOST_RESTARTS
            self.missing = f"{why}; it was started {MOST_RESTARTS + 1} times and is left alone" if is_left else why
            self.remind()
            self.listed.set()
            if is_left:
                return
            await asyncio.sleep(FIRST_PAUSE_S * 2**restarts)
            restarts += 1

    def remind(self) -> None:
        """Says what is missing, while it is."""
        if self.missing is not None:
            self._warn(self._about, self.missing)

    def timed_out(self) -> None:
        """Notes that a call was not answered in time."""
        self._timeouts += 1
        if self._timeouts >= TIMEOUTS_IN_A_ROW:
            self.breaks(f"it answered none of {self._timeouts} calls in time")

    def answered(self) -> None:
        self._timeouts = 0

    def failed(self, error: BaseException) -> None:
        """Notes how a call ended: what a tool says, and arguments that are wrong, tell nothing of its server."""
        is_told = isinstance(error, llm.ToolError) or (isinstance(error, MCPError) and error.code == INVALID_PARAMS)
        if not is_told:
            self.breaks(words_of(error))

    def breaks(self, why: str) -> None:
        """Notes that it is of no use any more; it is ended and started again."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(why)

    async def _serve(self) -> str:
        """Serves as long as it can; returns why it could not any longer."""
        self._broken, self._timeouts = asyncio.get_running_loop().create_future(), 0
        server = _server(self.source, self._rules, self.breaks)
        try:
            async with asyncio.timeout(START_S):
                await _first(self._list(server), self._broken)
            self.missing = None
            self.listed.set()
            self._works(self._about)
            return await self._broken
        except TimeoutError:
            return f"it did not start within {START_S:.0f} s"
        except Exception as error:
            return words_of(error)
        finally:
            self.tools, self.only_read = {}, frozenset()
            closing = begin(_close(server), f"tool-server-{self.source.name}-end")
            with contextlib.suppress(Exception):
                await asyncio.shield(closing)

    async def _list(self, server: MCPServer) -> None:
        await server.initialize()
        told = await server._list_raw_tools()
        self.only_read = frozenset(tool.name for tool in told if tool.annotations and tool.annotations.read_only_hint)
        self.tools = {tool.info.name: tool for tool in await server.list_tools()}
        if missing := unknown_names(self.source, self.tools):
            self._warn(f"tools are not there: {', '.join(missing)}", f"{self.source.name} has {', '.join(self.tools)}")


def unknown_names(source: ToolSource, tools: Collection[str]) -> list[str]:
    """Returns what the roster names and the source does not have; one of `approve` may be a misspelt one."""
    return sorted({*(source.only or ()), *source.approve} - {*tools, EVERY_TOOL})


async def _first(work: Any, broken: asyncio.Future[str]) -> None:
    """Waits for the work, unless its server breaks before."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, broken}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise RuntimeError(broken.result())
        task.result()
    finally:
        task.cancel()


async def _close(server: MCPServer) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSE_S):
            await server.aclose()
    for ended in (server._ready_fut, server._client_task):
        if ended is not None and ended.done() and not ended.cancelled():
            ended.exception()  # it is known already what went wrong


def _server(source: ToolSource, rules: ToolRules, gone: Callable[[str], None]) -> MCPServer:
    if source.url is not None:
        headers = {name: value.get_secret_value() for name, value in source.headers.items()}
        kind: Any = "sse" if source.url.rstrip("/").endswith("/sse") else "streamable_http"
        # The time-out of each call is the caller's, who knows what the roster says.
        return MCPServerHTTP(
            source.url, kind, headers=headers, client_session_timeout_seconds=0, tool_result_resolver=_told
        )
    env = {name: value.get_secret_value() for name, value in source.env.items()}
    return _Child(source.command, {**rules.environment, **env}, rules.folder, gone)


class _Child(MCPServer):
    def __init__(
        self, command: tuple[str, ...], env: Mapping[str, str], folder: str, gone: Callable[[str], None]
    ) -> None:
        super().__init__(client_session_timeout_seconds=0, tool_result_resolver=_told)
        self._made = (command, env, folder, gone)

    def client_streams(self) -> AbstractAsyncContextManager[TransportStreams]:
        return child_streams(*self._made)


def _told(context: MCPToolResultContext) -> str:
    """Returns a result as the model reads it: its texts; of anything else, that there is some."""
    parts = [getattr(part, "text", None) or f"[{part.type}]" for part in context.result.content]
    return "\n".join(parts) or "(nothing)"
