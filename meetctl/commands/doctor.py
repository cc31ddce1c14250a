"""`meetctl doctor`: what on this machine or around it would keep a meeting from working, and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from meetctl.catalogue import LocalModel, in_place_of, local_model, pair
from meetctl.display import console
from meetctl.display import doctor as words
from meetctl.doctor import checks, probing
from meetctl.doctor.carrying import judge_cores, measured_machine
from meetctl.doctor.findings import Finding, Level, document, failure, ok
from meetctl.doctor.memory import needed_mb
from meetctl.doctor.models import ask_models
from meetctl.doctor.reach import look_at_reach
from meetctl.doctor.services import FaceAnswers, judge_face, judge_livekit
from meetctl.doctor.tools import look_at_tools
from meetctl.errors import ExitCode, MeetctlError
from meetctl.local.carrying import cores
from meetctl.local.data import missing_models
from meetctl.local.livekit_binary import PINNED_VERSION, find_server
from meetctl.protocol.secrets import Masker
from meetctl.roster import SIMLI_URL, Program, Roster, load_roster, load_variables, reached_at, secrets_of, shown
from meetctl.settings import LiveKitCredentials, environment, livekit_from_environment, state_dir

Face = tuple[str, SecretStr, str | None, str]
"""URL, key, face id where one is named, and whose it is."""
DEMO = (Program.SIMLI, Program.AUDIO)
"""Whom the memory is reckoned for where no roster is given."""


def doctor(
    path: Path | None, *, as_json: bool, env_file: Path | None = None, host: str | None = None, port: int | None = None
) -> ExitCode:
    """Looks at everything and prints what it found; the code says whether something is to be mended."""
    variables: Mapping[str, str] = environment()
    found: list[Finding] = []
    try:
        variables = load_variables(path, env_file, environment())
    except MeetctlError as error:
        found.append(failure("environment", error.message, error.hint or "mend it"))
    told, roster = _read(path, variables)
    found += told
    found += asyncio.run(_examine(roster, variables))
    choice = reached_at(roster.reach if roster else None, host, port)
    found += look_at_reach(choice, state_dir(), own_server=roster is None or roster.livekit is None)
    mask = Masker(_secrets(roster, variables))
    found = [replace(finding, message=mask(finding.message)) for finding in found]
    if as_json:
        console.print_json(document(found))
    else:
        for line in words.lines(found):
            console.print_data(line)
    return ExitCode.FAILED if any(finding.level is Level.FAILURE for finding in found) else ExitCode.OK


def _read(path: Path | None, variables: Mapping[str, str]) -> tuple[list[Finding], Roster | None]:
    if path is None:
        return [], None
    try:
        roster = load_roster(path, environment=variables)
    except MeetctlError as error:
        return [failure("roster", error.message, error.hint or f"meetctl check {path}")], None
    return [ok("roster", f"{shown(path)} is good: {len(roster.agents)} agents")], roster


async def _examine(roster: Roster | None, variables: Mapping[str, str]) -> list[Finding]:
    machine = await measured_machine()  # alone: what follows keeps the cores busy itself
    livekit, faces = _livekit(roster, variables), list(_faces(roster, variables))
    here, server, there, asked, tools, *shown = await asyncio.gather(
        asyncio.to_thread(lambda: list(_machine(roster, variables))),
        _server(roster),
        _far_livekit(livekit, roster),
        _asked_models(roster),
        _tools(roster),
        *(_face(face) for face in faces),
    )
    carried = judge_cores(machine, roster.agents if roster is not None else ())
    return [*here, carried, *server, *there, *asked, *tools, *(finding for found in shown for finding in found)]


def _machine(roster: Roster | None, variables: Mapping[str, str]) -> Iterator[Finding]:
    yield from checks.judge_sockets(probing.probe_sockets())
    yield from checks.judge_interfaces(probing.interfaces())
    wanted = probing.requirements()
    yield from checks.judge_libraries(wanted, probing.installed(checks.names_of(wanted)))
    yield from checks.judge_keys(variables)
    yield from checks.judge_proxies(probing.probe_proxies(environment()))
    models = _models(roster)
    programs = DEMO if roster is None else tuple(agent.program for agent in roster.agents)
    local = 1 if roster is None else sum(agent.face is not None and agent.face.local for agent in roster.agents)
    free = probing.free_memory_mb()
    if models:
        yield checks.judge_models([(model.title, model.size, _instead(model)) for model in missing_models(models)])
        yield checks.judge_pairs(cores(), free, needed_mb(programs, models=(), local_faces=local))
    needed = needed_mb(programs, models=models, local_faces=local)
    whom = "one avatar and one audio agent" if roster is None else f"the {len(programs)} agents of {shown(roster.file)}"
    yield checks.judge_memory(needed, free, whom)


async def _asked_models(roster: Roster | None) -> list[Finding]:
    if roster is None:
        return []
    return await ask_models(roster, local=not missing_models(_models(roster)))


async def _tools(roster: Roster | None) -> list[Finding]:
    return [] if roster is None else await look_at_tools(roster)


def _models(roster: Roster | None) -> tuple[LocalModel, ...]:
    """Returns the catalogue's models that the meeting loads; the voice comes with the server, whatever it serves."""
    if roster is None:
        return pair()
    named = [local_model(part, name) for part, name in roster.local_models]
    return tuple(dict.fromkeys(filter(None, [*named, local_model("tts", None) if named else None])))


def _instead(model: LocalModel) -> str | None:
    """Returns what is used while this model is not there, None where nothing can be."""
    small = in_place_of(model)
    return small.title if small is not None and not missing_models([small]) else None


async def _server(roster: Roster | None) -> list[Finding]:
    if roster is not None and roster.livekit is not None:
        return []
    found = await find_server()
    if found is None:
        return list(checks.judge_server(None, None, (), PINNED_VERSION))
    return list(checks.judge_server(str(found.path), found.version, found.warnings, PINNED_VERSION))


def _livekit(roster: Roster | None, variables: Mapping[str, str]) -> LiveKitCredentials | None:
    """Returns the server elsewhere: the roster's; without one, that of the environment, if it is whole."""
    if roster is not None:
        return roster.livekit
    try:
        return livekit_from_environment(variables)
    except MeetctlError:
        return None


async def _far_livekit(credentials: LiveKitCredentials | None, roster: Roster | None) -> list[Finding]:
    if credentials is None:
        return []
    error, milliseconds, skew_s = await probing.ask_livekit(credentials, roster.room if roster else "meetctl-doctor")
    found = [judge_livekit(credentials.url, error, milliseconds)]
    return found if skew_s is None else [*found, checks.judge_clock(credentials.url, skew_s)]


def _faces(roster: Roster | None, variables: Mapping[str, str]) -> Iterator[Face]:
    """Yields every face that Simli draws, each once."""
    if roster is None:
        key, face_id = variables.get("SIMLI_API_KEY"), variables.get("SIMLI_FACE_ID")
        if key:
            yield SIMLI_URL, SecretStr(key), face_id or None, "SIMLI_FACE_ID"
        return
    seen = set()
    for agent in roster.agents:
        face = agent.face
        if face is None or face.local or face.api_key is None or face.face_id is None:
            continue
        if (mark := (face.url, face.api_key.get_secret_value(), face.face_id)) not in seen:
            seen.add(mark)
            yield face.url or SIMLI_URL, face.api_key, face.face_id, agent.name


async def _face(face: Face) -> list[Finding]:
    url, key, face_id, who = face
    sessions, token = await probing.ask_simli(url, key, face_id)
    found = list(judge_face(FaceAnswers(url, who, sessions, token)))
    return found if sessions.skew_s is None else [*found, checks.judge_clock(url, sessions.skew_s)]


def _secrets(roster: Roster | None, variables: Mapping[str, str]) -> set[str]:
    """Returns what no line may show, should a server repeat it."""
    named = {value for name, value in variables.items() if name.endswith(("_KEY", "_SECRET")) and len(value) >= 6}
    return named | (secrets_of(roster) if roster is not None else set())
