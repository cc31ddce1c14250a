"""An entry's tools: paths made absolute, files looked at, models that cannot use any refused. Starts nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from meetctl.catalogue import BETTER, local_model
from meetctl.protocol import EVERY_TOOL
from meetctl.roster.env_file import why_not_held
from meetctl.roster.faults import KeyPath, nearest
from meetctl.roster.reading import Reading
from meetctl.roster.schema import ModelChoice, Program, ToolChoice, ToolSettings
from meetctl.roster.tool_files import nodes_of_class, read_agent_class, read_tool_file
from meetctl.roster.written import WRITE_TO_CHAT, AgentWritten, DefaultsWritten, ToolUseWritten, ToolWritten

FILLER_NONE = "none"
HAND_OVER = "hand_over"


def resolve_tools(
    reading: Reading,
    written: AgentWritten,
    defaults: DefaultsWritten,
    *,
    program: Program,
    llm: ModelChoice | None,
    path: KeyPath,
) -> ToolSettings:
    """Returns what the agent has in the way of tools; its own list takes the place of that of `defaults`."""
    if program is Program.COMMAND:
        if written.tools:
            reading.note((*path, "tools"), "a command has tools of its own", "remove tools")
        if written.agent_class is not None:
            reading.note((*path, "class"), "a command brings its own class", "remove class, or write agent: audio")
        return ToolSettings()
    own_class, methods = _own_class(reading, written, (*path, "class"))
    if llm is not None and llm.realtime:
        _note_nodes(reading, own_class, (*path, "class"))
    own = written.tools is not None
    listed = written.tools if written.tools is not None else defaults.tools
    passes_on = _either(written, defaults, "hand_over")
    if passes_on:
        _note_local(reading, llm, (*path, "hand_over") if written.hand_over is not None else ("defaults", "hand_over"))
    if methods and not listed:
        _note_model(reading, llm, (*path, "class"))
    if not listed:
        alone = (*own_class, *([ToolChoice(builtin=HAND_OVER)] if passes_on else []))
        return _use(written, defaults, alone) if alone else ToolSettings()
    where: KeyPath = (*path, "tools") if own else ("defaults", "tools")
    resolved = [_resolved(reading, tool, (*where, index)) for index, tool in enumerate(listed)]
    _note_doubles(reading, resolved, where)
    choices = [*own_class, *(choice for choice, _ in resolved)]
    _note_model(reading, llm, (*path, "llm") if written.llm is not None else where)
    if not any(choice.builtin for choice in choices):
        choices.append(ToolChoice(builtin=WRITE_TO_CHAT))
    if passes_on:
        choices.append(ToolChoice(builtin=HAND_OVER))
    return _use(written, defaults, choices)


def _use(written: AgentWritten, defaults: DefaultsWritten, choices: Sequence[ToolChoice]) -> ToolSettings:
    filler = _either(written, defaults, "filler")
    return ToolSettings(
        choices=tuple(choices),
        max_steps=_either(written, defaults, "max_tool_steps") or ToolSettings().max_steps,
        timeout_s=_either(written, defaults, "tool_timeout") or ToolSettings().timeout_s,
        filler="" if filler == FILLER_NONE else filler,
    )


def _own_class(
    reading: Reading, written: AgentWritten, path: KeyPath
) -> tuple[tuple[ToolChoice, ...], Collection[str]]:
    """Returns the class that the agent is, with the names of its tools; nothing where it is none of its own."""
    if written.agent_class is None:
        return (), ()
    text, colon, name = written.agent_class.rpartition(":")
    if not colon or not name.isidentifier():
        reading.note(path, "names no class", "write class: ./team.py:Ada")
        return (), ()
    found = reading.path(text, path)
    if found is None:
        return (), ()
    file = found.absolute()
    methods, troubles = read_agent_class(file, name)
    for trouble in troubles:
        reading.note(path, trouble.message, trouble.hint, around=True)
    return (ToolChoice(python=file, agent_class=name),), methods


def _note_nodes(reading: Reading, own_class: Sequence[ToolChoice], path: KeyPath) -> None:
    """Notes hooks that a realtime model leaves nothing to do for."""
    for choice in own_class:
        assert choice.python is not None and choice.agent_class is not None
        for node in nodes_of_class(choice.python, choice.agent_class):
            what = f"{choice.agent_class}.{node} cannot be honoured"
            message = f"{what}: a realtime model makes its words and sound itself"
            reading.note(path, message, f"remove {node}, or realtime", around=True)


def _either(written: ToolUseWritten, defaults: ToolUseWritten, key: str) -> Any:
    own = getattr(written, key)
    return own if own is not None else getattr(defaults, key)


def _resolved(reading: Reading, tool: ToolWritten, path: KeyPath) -> tuple[ToolChoice, Collection[str]]:
    """Returns the source, and the tools that it is known to have: those of a file."""
    command = tuple(tool.mcp) if isinstance(tool.mcp, list) else ()
    for index, word in enumerate(command):
        if why := why_not_held(word):
            reading.note((*path, "mcp", index), why, "write what it should be")
    for name, value in (tool.env or {}).items():
        if why := why_not_held(value):
            reading.note((*path, "env", name), why, "write what it should be")
    for name, header in (tool.headers or {}).items():
        if not name.isascii() or any(letter in "\r\n\0" for letter in header.get_secret_value()):
            reading.note((*path, "headers", name), "no header can hold it", "write one line of plain text")
    file, named = _file(reading, tool, path)
    choice = ToolChoice(
        command=command,
        url=tool.mcp if isinstance(tool.mcp, str) else None,
        python=file,
        builtin=tool.builtin,
        headers=tool.headers or {},
        only=None if tool.only is None else tuple(tool.only),
        approve=tuple(tool.approve or ()),
        on_interrupt=tool.on_interrupt,
        env={name: SecretStr(value) for name, value in (tool.env or {}).items()},
    )
    return choice, named


def _file(reading: Reading, tool: ToolWritten, path: KeyPath) -> tuple[Path | None, Collection[str]]:
    where = (*path, "python")
    written = reading.path(tool.python, where)
    if written is None:
        return None, ()
    file = written.absolute()
    named, troubles = read_tool_file(file)
    for trouble in troubles:
        reading.note(where, trouble.message, trouble.hint, around=True)
    if named:
        _note_unknown(reading, tool, named, file.name, path)
    return file, named


def _note_unknown(reading: Reading, tool: ToolWritten, named: Collection[str], file: str, path: KeyPath) -> None:
    """Notes names that the file has no tool of: a misspelt one of `approve` would let the right one run unasked."""
    for key, names in (("only", tool.only or []), ("approve", tool.approve or [])):
        for index, name in enumerate(names):
            if name not in named and name != EVERY_TOOL:
                like = nearest(name, named)
                hint = f"did you mean {like}?" if like else f"it has {', '.join(named)}"
                reading.note((*path, key, index), f"{file} has no tool {name!r}", hint)


def _note_doubles(reading: Reading, resolved: list[tuple[ToolChoice, Collection[str]]], where: KeyPath) -> None:
    """Notes tools of two files that have one name; of servers only the doctor knows what they have."""
    known: dict[str, Path] = {}
    for index, (choice, named) in enumerate(resolved):
        if choice.python is None:
            continue
        for name in named if choice.only is None else set(named) & set(choice.only):
            other = known.setdefault(name, choice.python)
            if other != choice.python:
                message = f"the tool {name!r} is in {other.name} too"
                reading.note((*where, index, "python"), message, "give one of them another name", around=True)


def _note_local(reading: Reading, llm: ModelChoice | None, path: KeyPath) -> None:
    if llm is not None and any(one.is_local for one in llm.in_a_row):
        reading.note(
            path, "a local model does not know when to hand over", "name a provider's model, or remove hand_over"
        )


def _note_model(reading: Reading, llm: ModelChoice | None, path: KeyPath) -> None:
    for one in llm.in_a_row if llm is not None else ():
        model = local_model("llm", one.model or BETTER["llm"]) if one.is_local else None
        if model is not None and not model.tools:
            message = f"local/{model.name} cannot use tools"
            reading.note(path, message, "write llm: local, or a provider's model, or remove tools")
