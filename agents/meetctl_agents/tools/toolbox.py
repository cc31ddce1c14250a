"""All the tools of one agent, from wherever they come; one that is missing is warned of, and the agent goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from livekit.agents import llm

from meetctl.protocol import EVERY_TOOL, OnInterrupt, ToolRules, ToolSource

from ..process.tasks import Tasks
from .python_file import Tool, ToolFileError, load_tools

if TYPE_CHECKING:
    from .servers import Server

Warn = Callable[[str, object], None]
"""Takes what is wrong, and the error or the words for it."""

REMIND_S = 60.0
"""The board shows a warning for two minutes."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One tool as a model may ask for it."""

    tool: Tool
    source: ToolSource
    only_reads: bool = False
    server: Server | None = None
    is_doubtful: bool = False
    """Whether `approve` names a tool that its source does not have: it may be this one, misspelt."""

    @property
    def name(self) -> str:
        return self.tool.info.name

    @property
    def needs_approval(self) -> bool:
        return self.is_doubtful or EVERY_TOOL in self.source.approve or self.name in self.source.approve

    @property
    def is_cancelled(self) -> bool:
        """Whether a person who takes the floor ends it."""
        if self.source.on_interrupt is None:
            return self.only_reads
        return self.source.on_interrupt is OnInterrupt.CANCEL


class Toolbox:
    """Owns the servers; async context manager. Entering it waits for none of them.

    Args:
        builtin: the tools that meetctl has itself, by name.
        own: the tools of the class that the agent is, by name.
    """

    def __init__(
        self,
        rules: ToolRules,
        warn: Warn,
        works: Callable[[str], None],
        builtin: Mapping[str, Tool] | None = None,
        own: Mapping[str, Tool] | None = None,
    ) -> None:
        self.rules = rules
        self._warn = warn
        self._builtin = builtin or {}
        self._own = own or {}
        self._servers = {
            index: _server(source, rules, warn, works)
            for index, source in enumerate(rules.sources)
            if source.command or source.url
        }
        self._loaded: dict[int, dict[str, Tool]] = {}
        self._missing: dict[str, str] = {}
        """By file, why its tools are not there."""
        self._tasks = Tasks(lambda name, error: warn(f"{name} broke", error))
        self._doubles: set[str] = set()

    async def __aenter__(self) -> Self:
        for index, source in enumerate(self.rules.sources):
            if index in self._servers:
                self._tasks.own(self._servers[index].run(), f"tool-server-{source.name}")
            elif source.python is not None and source.agent_class is None:
                self._tasks.own(self._load(index, source, source.python), f"tool-file-{source.name}")
        self._tasks.own(self._remind(), "tools-that-are-missing")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.aclose()

    def offered(self) -> dict[str, Offered]:
        """Returns what can be used now, by name and in the roster's order."""
        found: dict[str, Offered] = {}
        for index, source in enumerate(self.rules.sources):
            for one in self._of(index, source):
                if one.name not in found:
                    found[one.name] = one
                elif one.name not in self._doubles:
                    self._doubles.add(one.name)
                    other = found[one.name].source.name
                    self._warn(f"the tool {one.name!r} of {source.name} is left out", f"{other} has one of that name")
        return found

    def _of(self, index: int, source: ToolSource) -> list[Offered]:
        if source.builtin is not None:
            return [Offered(tool, source) for name, tool in self._builtin.items() if name == source.builtin]
        if source.agent_class is not None:
            return [Offered(tool, source) for tool in self._own.values()]
        server = self._servers.get(index)
        tools: Mapping[str, Tool] = self._loaded.get(index, {}) if server is None else server.tools
        is_doubtful = bool(set(source.approve) - {*tools, EVERY_TOOL})
        reads = frozenset() if server is None else server.only_read
        return [
            Offered(tool, source, name in reads, server, is_doubtful)
            for name, tool in tools.items()
            if source.only is None or name in source.only
        ]

    async def _load(self, index: int, source: ToolSource, path: str) -> None:
        try:
            self._loaded[index] = await load_tools(path)
        except ToolFileError as error:
            self._missing[source.name] = str(error)
            self._remind_of_files()

    async def _remind(self) -> None:
        """Says again what is missing: a warning that is said once is forgotten after a while."""
        while True:
            await asyncio.sleep(REMIND_S)
            for server in self._servers.values():
                server.remind()
            self._remind_of_files()

    def _remind_of_files(self) -> None:
        for name, why in self._missing.items():
            self._warn(f"the tools of {name} are missing", why)


def as_context(offered: Mapping[str, Offered]) -> llm.ToolContext:
    """Returns the tools as livekit-agents takes them."""
    return llm.ToolContext([one.tool for one in offered.values()])


def tools_of(offered: Mapping[str, Offered]) -> list[Any]:
    """Returns the tools as a model takes them."""
    return [one.tool for one in offered.values()]


def _server(source: ToolSource, rules: ToolRules, warn: Warn, works: Callable[[str], None]) -> Server:
    from .servers import Server  # what speaks to tool servers takes a fifth of all loading, and most agents have none

    return Server(source, rules, warn, works)
