"""Starts each tool server of a roster once, has it list its tools, and ends it; files of tools are loaded likewise."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from meetctl.doctor.findings import Finding, failure, ok, warning
from meetctl.doctor.running import answers_of
from meetctl.programs.launch import model_environment
from meetctl.programs.tools import tool_rules
from meetctl.protocol import ToolRules, ToolsFound, ToolSource
from meetctl.roster import AgentEntry, Roster

ANSWER_S = 60.0
"""The program gives each half a minute, and needs some seconds to begin."""
SHOWN = 12
"""Tools that are named; of more, how many they are."""
CHECK = "tools"


async def look_at_tools(roster: Roster) -> list[Finding]:
    """Returns what each source of each agent's tools offers, or why it does not; what several share, once."""
    seen: list[ToolRules] = []
    asked: list[tuple[AgentEntry, ToolRules]] = []
    for entry in roster.agents:
        rules = tool_rules(entry, roster.language, {})
        if rules is not None and rules not in seen:
            seen.append(rules)
            asked.append((entry, rules))
    found = await asyncio.gather(*(_look(entry, rules) for entry, rules in asked))
    return [finding for findings in found for finding in findings]


async def _look(entry: AgentEntry, rules: ToolRules) -> list[Finding]:
    program, environment = "meetctl_agents.tool_examiner", model_environment(entry)
    found = await answers_of(program, environment, rules, ToolsFound, within_s=ANSWER_S, folder=entry.folder)
    told = {one.index: one for one in found}
    findings = [
        _judge(entry, source.name, told.get(index))
        for index, source in enumerate(rules.sources)
        if source.builtin is None
    ]
    return [*findings, *_doubles(entry, [(rules.sources[index], one) for index, one in sorted(told.items())])]


def _judge(entry: AgentEntry, name: str, told: ToolsFound | None) -> Finding:
    what = f"the tools of {entry.name}, {name}"
    if told is None:
        return failure(CHECK, f"{what} could not be listed", "python -m meetctl_agents.tool_examiner should start")
    if told.fault is not None:
        return failure(CHECK, f"{what}: {told.fault}", told.hint or "mend it in the roster; the agent goes on without")
    if told.left_out:
        hint = "its tools, its words and its sound are used; see agents/README.md"
        return warning(CHECK, f"{what}: left out is {', '.join(told.left_out)}", hint)
    more = f" and {len(told.tools) - SHOWN} more" if len(told.tools) > SHOWN else ""
    shown = ", ".join(told.tools[:SHOWN]) or "no tools"
    return ok(CHECK, f"{what}: {shown}{more}, in {told.seconds:.1f} s")


def _doubles(entry: AgentEntry, found: Sequence[tuple[ToolSource, ToolsFound]]) -> list[Finding]:
    owner: dict[str, str] = {}
    findings = []
    for source, one in found:
        for tool in one.tools if source.only is None else [tool for tool in one.tools if tool in source.only]:
            if owner.setdefault(tool, source.name) != source.name:
                message = f"{entry.name} has two tools named {tool!r}, of {owner[tool]} and of {source.name}"
                findings.append(failure(CHECK, message, "leave one of them out with only: […]"))
    return findings
