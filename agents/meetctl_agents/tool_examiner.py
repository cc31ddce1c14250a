"""`python -m meetctl_agents.tool_examiner`: starts each source of an agent's tools once, lists them and ends it.

Reads ToolRules from stdin, writes a ToolsFound a line as each is known, and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from meetctl.protocol import ToolRules, ToolsFound, ToolSource

from .models.errors import ModelError
from .process.examining import run_examination
from .process.masking import masker_of
from .process.tasks import begin
from .process.wire import Report
from .speaking.own_class import made_from_class, tools_of_class, unused_of_class
from .tools.python_file import ToolFileError, load_tools
from .tools.servers import START_S, Server, unknown_names


async def examine(rules: ToolRules, report: Report) -> None:
    """Looks at all at once, and writes what came of each."""
    mask = masker_of(rules)

    async def one(index: int, source: ToolSource) -> None:
        began = time.monotonic()
        left_out: list[str] = []
        tools, fault, hint = await _look(source, rules, left_out)
        seconds = round(time.monotonic() - began, 2)
        fault = None if fault is None else mask(fault)
        found = ToolsFound(index=index, seconds=seconds, tools=tuple(tools), fault=fault, hint=hint)
        report(found.model_copy(update={"left_out": tuple(left_out)}))

    async with asyncio.TaskGroup() as looking:
        for index, source in enumerate(rules.sources):
            if source.builtin is None:
                looking.create_task(one(index, source))


async def _look(source: ToolSource, rules: ToolRules, left_out: list[str]) -> tuple[list[str], str | None, str | None]:
    """Returns the names of its tools, what is wrong with it, and what to do about that."""
    if source.python is not None and source.agent_class is not None:
        try:
            own = await made_from_class(source.python, source.agent_class, lambda text, is_wish: None)
        except ModelError as error:
            return [], error.message, error.hint
        left_out += unused_of_class(own)
        return list(tools_of_class(own)), None, None
    if source.python is not None:
        try:
            tools = await load_tools(source.python)
        except ToolFileError as error:
            return [], str(error), None
        names, told = list(tools), ""
    else:
        names, told = await _listed(source, rules)
    missing = unknown_names(source, names)
    if missing and names:
        return names, f"it has no {', '.join(missing)}; it has {', '.join(names)}", None
    return names, None if names else told or "it has no tools", None


async def _listed(source: ToolSource, rules: ToolRules) -> tuple[list[str], str]:
    server = Server(source, rules, lambda what, why: None, lambda about: None)
    running = begin(server.run(), f"tool-server-{source.name}")
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S + 5):
                await server.listed.wait()
        return list(server.tools), server.missing or ""
    finally:
        running.cancel()
        await asyncio.wait({running})


if __name__ == "__main__":
    run_examination(ToolRules, examine, log=logging.ERROR)
