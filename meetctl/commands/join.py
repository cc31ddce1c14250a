"""`meetctl join`: one more agent, in a meeting of this machine or in any LiveKit room."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from meetctl.commands._meetings import find_meeting, is_running, wait_for_agents
from meetctl.display import console
from meetctl.errors import ExitCode, NotRunningError, SettingsError, UsageError
from meetctl.protocol.likeness import ANOTHER_NAME, sounds_like, told_apart
from meetctl.roster import AgentEntry, FaceChoice, ModelChoice, Program, Roster, load_entry_file, load_variables
from meetctl.roster.revealed import revealed
from meetctl.roster.schema import SIMLI_URL
from meetctl.settings import environment, livekit_from_environment, slug
from meetctl.supervisor.control import ask
from meetctl.supervisor.registry import MeetingFiles

NAMES = ("Ada", "Max", "Zoe", "Leo", "Mia", "Sam", "Eva", "Tom")
"""For agents that are given no name: short, and told apart by ear."""
BUILT_IN = {"simli": Program.SIMLI, "audio": Program.AUDIO}
PERSONA = "You are a helpful participant in this meeting."
ANSWER_S = 30.0
"""A stand-in may have to be started for the first agent that needs it."""


def join(
    room: str,
    *,
    agent: str,
    name: str | None,
    face_id: str | None,
    detach: bool,
    timeout_s: float,
    as_json: bool,
    report_fd: int | None,
    env_file: Path | None = None,
) -> ExitCode:
    """Adds the agent and, in a meeting of this machine, waits until it is ready."""
    variables = load_variables(Path(agent) if _is_file(agent) else None, env_file, environment())
    if is_running(room):
        _, files = find_meeting(room)
        return _join_running(room, files, agent, name, face_id, timeout_s, as_json, variables)
    # What runs a meeting takes as long to load as all the rest, and an agent that joins one waits for none of it.
    from meetctl.commands._run import prepare, run_meeting, spawn_detached
    from meetctl.commands.up import run_reporting

    if report_fd is not None:
        return run_reporting(lambda: _own_roster(room, agent, name, face_id, variables), report_fd)
    roster = _own_roster(room, agent, name, face_id, variables)
    binary = prepare(roster)
    if not detach:
        return run_meeting(
            roster, binary, on_started=lambda started: console.talk(f"join: {started.join_link}"), show=True
        )
    arguments = ["join", room, "--agent", agent]
    arguments += ["--name", roster.agents[0].name]
    arguments += ["--face-id", face_id] if face_id is not None else []
    arguments += ["--env-file", str(env_file)] if env_file is not None else []
    started = spawn_detached(arguments, room)
    wait_for_agents(room, timeout_s)
    if as_json:
        console.print_json({"schema_version": 1, **asdict(started)})
    else:
        console.print_data(started.join_link)
    return ExitCode.OK


def _join_running(
    room: str,
    files: MeetingFiles,
    agent: str,
    name: str | None,
    face_id: str | None,
    timeout_s: float,
    as_json: bool,
    variables: Mapping[str, str],
) -> ExitCode:
    request: dict[str, Any] = {"do": "join"}
    if agent in BUILT_IN:
        document = asyncio.run(ask(files.socket, {"do": "status"}))
        taken = {seat["name"].lower() for seat in document["agents"]}
        entry = _built_in(agent, name or _free_name(taken), face_id, variables)
        request |= {"entry": revealed(entry), "default_models": True}
    elif _is_file(agent):
        request |= {"entry": revealed(_renamed(load_entry_file(Path(agent), environment=variables), name))}
    else:
        request |= {"name": agent}
    answer = asyncio.run(ask(files.socket, request, timeout_s=ANSWER_S))
    wait_for_agents(room, timeout_s, [answer["identity"]])
    others = [seat["name"] for seat in asyncio.run(ask(files.socket, {"do": "status"}))["agents"]]
    alike = sounds_like(answer["name"], (other for other in others if other != answer["name"]))
    warnings = [] if alike is None else [{"message": told_apart(answer["name"], alike), "hint": ANOTHER_NAME}]
    if as_json:
        console.print_json({"schema_version": 1, "room": room, **answer, "warnings": warnings})
    else:
        for warning in warnings:
            console.talk(f"{warning['message']}; {warning['hint']}")
        console.print_data(f"{answer['name']} ({answer['program']}) joined {room} as {answer['identity']}")
    return ExitCode.OK


def _own_roster(room: str, agent: str, name: str | None, face_id: str | None, variables: Mapping[str, str]) -> Roster:
    """Returns a roster of this one agent for a room of the server in `LIVEKIT_*`."""
    try:
        livekit = livekit_from_environment(variables)
    except SettingsError as error:
        raise NotRunningError(
            f"no meeting named {room} runs on this machine, and no server is given to look for it on: {error.message}",
            hint=f"meetctl up ROSTER --room {room}, or {error.hint}",
        ) from None
    if agent in BUILT_IN:
        entry = _built_in(agent, name or NAMES[0], face_id, variables)
    elif _is_file(agent):
        entry = _renamed(load_entry_file(Path(agent), environment=variables), name)
    else:
        raise UsageError(
            f"{agent!r} is neither a program (simli, audio) nor a file", hint="--agent audio, or --agent my-agent.yaml"
        )
    return Roster(file=Path(agent), room=room, livekit=livekit, agents=(entry,))


def _built_in(agent: str, name: str, face_id: str | None, variables: Mapping[str, str]) -> AgentEntry:
    program = BUILT_IN[agent]
    return AgentEntry(
        name=name,
        identity=slug(name) or agent,
        program=program,
        persona=PERSONA,
        face=_face(face_id, variables) if program is Program.SIMLI else None,
        llm=ModelChoice(),
        tts=ModelChoice(),
    )


def _face(face_id: str | None, variables: Mapping[str, str]) -> FaceChoice:
    """Returns the face by precedence, and says which it is: it decides whether money is spent."""
    face_id = face_id or variables.get("SIMLI_FACE_ID")
    key = variables.get("SIMLI_API_KEY")
    if face_id and key:
        console.talk(f"face: {face_id} at {SIMLI_URL} (SIMLI_API_KEY)")
        return FaceChoice(local=False, face_id=face_id, api_key=SecretStr(key), url=SIMLI_URL)
    console.talk(f"face: {face_id or 'drawn'} by the local Simli server (no SIMLI_FACE_ID with SIMLI_API_KEY)")
    return FaceChoice(face_id=face_id, transport="auto")


def _free_name(taken: set[str]) -> str:
    numbered = (f"{name} {number}" for number in range(2, 100) for name in NAMES)
    return next(name for name in (*NAMES, *numbered) if name.lower() not in taken)


def _is_file(agent: str) -> bool:
    return agent.endswith((".yaml", ".yml")) or Path(agent).is_file()


def _renamed(entry: AgentEntry, name: str | None) -> AgentEntry:
    return entry if name is None else entry.model_copy(update={"name": name, "identity": slug(name)})
