"""What an agent is told of its tools. A process of theirs sees what every child inherits, and its entry's variables."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from meetctl.protocol import ToolRules, ToolSource
from meetctl.roster import AgentEntry, ToolChoice, secrets_of_entry
from meetctl.settings import inherited_environment


def tool_rules(entry: AgentEntry, language: str | None, mark: Mapping[str, str]) -> ToolRules | None:
    """Returns the entry's tools for the wire, None where it has none.

    Args:
        mark: variables that mark every process of the meeting.
    """
    use = entry.tools
    if not use.choices:
        return None
    return ToolRules(
        sources=tuple(_source(choice, entry) for choice in use.choices),
        folder=str(entry.folder or "."),
        environment={**inherited_environment(), **mark},
        secrets=tuple(SecretStr(secret) for secret in sorted(secrets_of_entry(entry))),
        # A small model that has a result before it asks for it again.
        max_steps=1 if entry.llm is not None and entry.llm.is_local else use.max_steps,
        timeout_s=use.timeout_s,
        filler=use.filler,
        language=language,
    )


def _source(choice: ToolChoice, entry: AgentEntry) -> ToolSource:
    return ToolSource(
        name=choice.name,
        command=choice.command,
        url=choice.url,
        python=str(choice.python) if choice.python is not None else None,
        builtin=choice.builtin,
        agent_class=choice.agent_class,
        headers=choice.headers,
        env={**entry.env, **choice.env} if choice.command else {},
        only=choice.only,
        approve=choice.approve,
        on_interrupt=choice.on_interrupt,
    )
