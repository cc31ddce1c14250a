"""Tools of a Python file: LiveKit's `@function_tool` functions, as they are."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

from livekit.agents import llm
from livekit.agents.llm.tool_context import find_function_tools

LOAD_S = 30.0
Tool = llm.FunctionTool[Any, Any] | llm.RawFunctionTool[Any, Any]


class ToolFileError(Exception):
    """The file cannot be used; its text says why."""


async def load_tools(path: str) -> dict[str, Tool]:
    """Runs the file and returns its tools, by name.

    Raises:
        ToolFileError: if it fails, takes too long, or has none.
    """
    module = await loaded(path)
    tools: dict[str, Tool] = {}
    for tool in find_function_tools(module):
        if tools.setdefault(tool.info.name, tool) is not tool:
            raise ToolFileError(f"the tool {tool.info.name!r} is there twice")
    if not tools:
        raise ToolFileError("it has no @function_tool at its top level")
    return tools


async def loaded(path: str) -> Any:
    """Runs the file as a module of its own; what lies beside it can be imported.

    Raises:
        ToolFileError: in the words of what it raises, or if it takes too long.
    """
    try:
        async with asyncio.timeout(LOAD_S):
            return await asyncio.to_thread(_load, Path(path))
    except TimeoutError:
        raise ToolFileError(f"it was not loaded within {LOAD_S:.0f} s") from None


def _load(path: Path) -> Any:
    name = f"meetctl_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ToolFileError("it is no Python file")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its own annotations are looked up there
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a file may leave by sys.exit, too
        sys.modules.pop(name, None)
        raise ToolFileError(f"{type(error).__name__}: {error}") from error
    return module
