"""How an agent's program is launched: its command line and its environment. Values in, values out; no I/O.

A child sees only the variables listed in `settings.PASSED_ON`, its own `env` and `env_file`, and what is given here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from pydantic import SecretStr

from meetctl.programs.room_access import RoomAccess
from meetctl.protocol.proxies import livekit_is_direct, without_livekit_proxy
from meetctl.roster import AgentEntry, ModelChoice, Program, Roster
from meetctl.settings import LiveKitCredentials, inherited_environment

PRELOADER = (sys.executable, "-m", "meetctl_agents.preloader")
"""The prepared process that built-in programs are forked from, where the platform allows it."""
TOOL_SERVERS = "meetctl_agents.tools.servers"
"""What an agent with tool servers loads beside the others: a fifth of all loading."""


def preloader(roster: Roster) -> tuple[str, ...]:
    """Returns the command line of the prepared process, which loads beforehand what this roster's agents will use."""
    choices = (choice for entry in roster.agents for choice in entry.tools.choices)
    has_servers = any(choice.command or choice.url is not None for choice in choices)
    return (*PRELOADER, f"--also={TOOL_SERVERS}") if has_servers else PRELOADER


def agent_module(entry: AgentEntry) -> str | None:
    """Returns the module of a built-in agent program, None for a command."""
    return None if entry.program is Program.COMMAND else f"meetctl_agents.{entry.program}"


def agent_argv(entry: AgentEntry, room: str) -> tuple[str, ...]:
    """Returns the command line of an agent; placeholders are replaced, secrets never appear."""
    if (module := agent_module(entry)) is not None:
        return (sys.executable, "-m", module)
    values = {"{room}": room, "{identity}": entry.identity, "{name}": entry.name}
    return tuple(_filled(argument, values) for argument in entry.command)


def agent_environment(
    entry: AgentEntry, place: RoomAccess, mark: Mapping[str, str], own: LiveKitCredentials
) -> dict[str, str]:
    """Returns an agent's whole environment.

    Args:
        mark: variables that mark every process of the meeting.
        own: the room's credentials; handed on only where the entry says `livekit_api_credentials`.
    """
    inherited = {"PYTHONUNBUFFERED": "1", **inherited_environment()}
    if entry.program is not Program.COMMAND:
        return {**model_environment(entry), **mark}
    if livekit_is_direct(place.livekit_url, inherited):
        inherited = without_livekit_proxy(place.livekit_url, inherited)
    environment = {**inherited, **_revealed(entry.env), **mark}
    environment |= {
        "LIVEKIT_URL": place.livekit_url,
        "LIVEKIT_TOKEN": place.token.get_secret_value(),
        "LIVEKIT_ROOM": place.room,
        "MEETCTL_IDENTITY": entry.identity,
        "MEETCTL_NAME": entry.name,
    }
    if entry.livekit_api_credentials:
        environment |= {"LIVEKIT_API_KEY": own.api_key, "LIVEKIT_API_SECRET": own.api_secret.get_secret_value()}
    return environment


def model_environment(asks: AgentEntry | Roster) -> dict[str, str]:
    """Returns what models are told by the environment of a built-in agent program, or of a roster's chair."""
    inherited = {"PYTHONUNBUFFERED": "1", **inherited_environment()}
    if isinstance(asks, Roster):
        return {**_variables_of(asks.stt, asks.chair_llm), **inherited}
    return {**_variables_of(asks.llm, asks.tts), **inherited, **_revealed(asks.env)}


def service_environment(mark: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of the stand-ins."""
    # WebRTC has many threads, and glibc gives each a heap of its own: two for all cost nothing and save 3 MB an agent.
    return {**inherited_environment(), **mark, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


def chair_environment(roster: Roster, mark: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of the chair: what its models' plugins look for there, and nothing of the agents'."""
    return {**_variables_of(roster.stt, roster.chair_llm), **service_environment(mark)}


def _filled(argument: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        argument = argument.replace(placeholder, value)
    return argument


def _variables_of(*choices: ModelChoice | None) -> dict[str, str]:
    every = [one for choice in choices if choice for one in choice.in_a_row]
    return {name: value for choice in every for name, value in _revealed(choice.variables).items()}


def _revealed(env: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in env.items()}
