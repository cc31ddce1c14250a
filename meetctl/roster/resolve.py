"""From the file as written to the roster: defaults merged, keys found, names made unique. Notes faults, raises none.

Looks at files that the roster names (`env_file`, `cwd`) and at the environment it is handed; at nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from meetctl.protocol import Example, RestartPolicy, Speaks, Voice
from meetctl.protocol.names import is_reserved, reads_as
from meetctl.protocol.proxies import is_loopback
from meetctl.roster.env_file import EnvFileError, parse_env_file, why_not_held
from meetctl.roster.faults import KeyPath
from meetctl.roster.models import Keys, resolve_model
from meetctl.roster.public_url import check_node_ip, parse_public_url
from meetctl.roster.reach import why_not_direct
from meetctl.roster.reading import Reading
from meetctl.roster.schema import (
    IDLE_CLOSE_S,
    SIMLI_URL,
    AgentEntry,
    Budget,
    FaceChoice,
    Limits,
    ModelChoice,
    Program,
    ReachChoice,
    avatar_identity,
)
from meetctl.roster.tools import resolve_tools
from meetctl.roster.variables import Given, Variables
from meetctl.roster.written import (
    AgentWritten,
    BudgetWritten,
    DefaultsWritten,
    FaceWritten,
    LiveKitWritten,
    ModelWritten,
    ReachWritten,
    VoiceWritten,
)
from meetctl.settings import LiveKitCredentials, slug

SIMLI_KEY = "SIMLI_API_KEY"
RESERVED_IDENTITIES = frozenset({"chair", "livekit-server", "models", "simli-server"})
"""The names of the meeting's own seats."""

PUBLIC_HINT = "public_url: https://meet.example.org/team/"
NODE_HINT = "node_ip: 203.0.113.7, or stun:stun.example.org:3478"

_COMMAND_ONLY = ("cwd", "livekit_api_credentials", "start_timeout")


def resolve_livekit(
    reading: Reading, written: LiveKitWritten | None, environment: Mapping[str, str]
) -> LiveKitCredentials | None:
    """Returns the server that the roster names, None for one of our own (or after a fault)."""
    if written is None or written.local:
        return None
    keys = Keys({}, environment)
    url = written.url or environment.get("LIVEKIT_URL", "")
    api_key = keys.find(written.api_key, "LIVEKIT_API_KEY")
    api_secret = keys.find(written.api_secret, "LIVEKIT_API_SECRET")
    for name, found in (("url", url), ("api_key", api_key), ("api_secret", api_secret)):
        if not found:
            variable = f"LIVEKIT_{name.upper()}"
            message = f"is not given and {variable} is not set"
            reading.note(("livekit", name), message, f"export {variable}=…, or write livekit: local", around=True)
    if not url or api_key is None or api_secret is None:
        return None
    return LiveKitCredentials(url, api_key.get_secret_value(), api_secret)


def resolve_reach(reading: Reading, written: ReachWritten | None) -> ReachChoice | None:
    """Returns how people on other machines come in, None where the roster does not say that they do."""
    if written is None:
        return None
    if (written.tls_cert is None) != (written.tls_key is None):
        there, missing = ("tls_cert", "tls_key") if written.tls_key is None else ("tls_key", "tls_cert")
        reading.note(("reach", there), f"needs {missing} beside it", f"add {missing}: FILE, or remove {there}")
    cert, key = (
        reading.path(text, ("reach", name))
        for name, text in (("tls_cert", written.tls_cert), ("tls_key", written.tls_key))
    )
    public_url = reading.made(parse_public_url, written.public_url, ("reach", "public_url"), PUBLIC_HINT)
    if written.public_url is not None and written.tls_cert is not None:
        message = "belongs to a page that meetctl serves by TLS itself; with public_url that is the proxy's"
        reading.note(("reach", "tls_cert"), message, "give the pair to the proxy, or remove public_url")
    if written.public_url is not None and written.host is not None and is_loopback(f"http://{written.host}"):
        message = "is where sound and pictures come in, past the proxy, and others cannot reach this machine there"
        reading.note(("reach", "host"), message, "leave host out, or name an address that others reach")
    if written.node_ip is not None and written.host is None and written.public_url is None:
        message = "says where media comes in from other machines, and nobody there can join"
        reading.note(("reach", "node_ip"), message, "add host: auto or public_url: https://…")
    return ReachChoice(
        host=written.host or (None if public_url is None else "auto"),
        public_url=public_url,
        node_ip=reading.made(check_node_ip, written.node_ip, ("reach", "node_ip"), NODE_HINT),
        port=written.port,
        tls=written.tls is not False,
        tls_cert=cert and cert.absolute(),
        tls_key=key and key.absolute(),
    )


def resolve_agent(
    reading: Reading,
    written: AgentWritten,
    defaults: DefaultsWritten,
    *,
    path: KeyPath,
    wrong: frozenset[str],
    environment: Mapping[str, str],
) -> AgentEntry:
    """Returns the entry with its defaults; `wrong` are keys whose faults are noted already."""
    program = _program(reading, written, path, wrong)
    base = reading.document.base
    env = _env(reading, written, base, path, environment)
    for index, word in enumerate(written.command or ()):
        if why := why_not_held(word):
            reading.note((*path, "command", index), why, "write what it should be")
    keys = Keys(env, environment)
    models: dict[str, ModelChoice | None] = {}
    for part in ("llm", "tts"):
        own: ModelWritten | None = getattr(written, part)
        if program is Program.COMMAND and own is None:
            models[part] = None  # it brings its own
        else:
            where = (*path, part) if own else ("defaults", part)
            models[part] = resolve_model(reading, own or getattr(defaults, part), keys, where)
    if (llm := models["llm"]) is not None and llm.realtime:
        models["tts"] = None  # it speaks by itself
        if written.tts is not None:
            reading.note((*path, "tts"), "a realtime model speaks by itself", "remove tts; voice: … names its voice")
    tools = resolve_tools(reading, written, defaults, program=program, llm=models["llm"], path=path)
    return AgentEntry(
        name=written.name,
        identity=written.identity or slug(written.name),
        program=program,
        role=written.role or "",
        also_called=tuple(written.also_called or ()),
        persona=written.persona or "",
        examples=tuple(Example(asked=one.asked, answer=one.answer) for one in written.examples or ()),
        voice=_voice(reading, written.voice, models["tts"] or models["llm"], (*path, "voice")),
        face=_face(reading, written.face, keys, program, (*path, "face")),
        speaks=written.speaks or Speaks.FREELY,
        restart=written.restart or RestartPolicy.ON_FAILURE,
        limits=Limits(memory_mb=written.limits.memory if written.limits else None),
        budget=_budget(reading, written.budget, program, (*path, "budget")),
        env={name: SecretStr(value) for name, value in env.items()},
        command=tuple(written.command or ()),
        cwd=_cwd(reading, written, base, path) if program is Program.COMMAND else None,
        livekit_api_credentials=written.livekit_api_credentials or False,
        start_timeout_s=written.start_timeout,
        llm=models["llm"],
        tts=models["tts"],
        tools=tools,
        folder=base.absolute() if tools.choices else None,
    )


def note_clashes(reading: Reading, agents: Mapping[int, AgentWritten]) -> None:
    """Notes identities and names that are empty, reserved, or there twice, case aside."""
    names: dict[str, int] = {}
    identities: dict[str, int] = {}
    for index, agent in agents.items():
        path: KeyPath = ("agents", index)
        identity = agent.identity or slug(agent.name)
        where = (*path, "identity" if agent.identity else "name")
        if (first := names.setdefault(reads_as(agent.name), index)) != index:
            message = f"the name {agent.name!r} is taken by agents[{first}]: names are how agents are addressed"
            reading.note((*path, "name"), message, "write another name")
        elif (first := identities.setdefault(identity.casefold(), index)) != index:
            message = f"the identity {identity!r} is taken by agents[{first}]"
            reading.note(where, message, f"add identity: {identity}-2")
        elif is_reserved(agent.name):
            message = f"{agent.name!r} is a name by which the meeting itself speaks"
            reading.note((*path, "name"), message, "write another name")
        note_identity(reading, identity, where)


def note_transports(reading: Reading, entries: Mapping[int, AgentEntry], livekit: LiveKitCredentials | None) -> None:
    """Notes avatars that are to join by themselves and cannot."""
    identities = {entry.identity.casefold() for entry in entries.values()}
    for index, entry in entries.items():
        if entry.face is None or entry.face.transport != "direct":
            continue
        where: KeyPath = ("agents", index, "face", "transport")
        why = (
            None if entry.face.local else why_not_direct(livekit.url if livekit else None, entry.face.url or SIMLI_URL)
        )
        if why is not None:
            reading.note(where, why, "write transport: bridge, or transport: auto", around=True)
        if avatar_identity(entry.identity).casefold() in identities:
            message = f"the avatar would be {avatar_identity(entry.identity)!r}, which is another agent's identity"
            reading.note(where, message, "give that agent another identity", around=True)


def note_identity(reading: Reading, identity: str, where: KeyPath) -> None:
    """Notes an identity that is empty or one of the meeting's own."""
    if not identity:
        reading.note(where, "no identity can be made of this name", "add identity: agent-1")
    elif len(identity) > 64:
        reading.note(where, "the identity made of this name is too long", "add identity: agent-1")
    elif identity.casefold() in RESERVED_IDENTITIES:
        message = f"the identity {identity!r} is one of the meeting's own"
        reading.note(where, message, f"add identity: {identity}-agent")


def _program(reading: Reading, written: AgentWritten, path: KeyPath, wrong: frozenset[str]) -> Program:
    if written.agent is not None and written.command is not None:
        reading.note((*path, "command"), "an entry has agent or command, not both", "remove one of them")
    if written.agent is None and written.command is None and not wrong & {"agent", "command"}:
        reading.note(path, "has neither agent nor command", "add agent: audio, agent: simli or command: [python, …]")
    program = Program.COMMAND if written.agent is None and written.command else Program(written.agent or Program.AUDIO)
    known = "agent" not in wrong and "command" not in wrong
    if known and written.agent == "audio" and written.face is not None:
        reading.note((*path, "face"), "an audio agent shows no face", "write agent: simli, or remove face")
    if known and written.agent is not None and written.command is None:
        for key in _COMMAND_ONLY:
            if getattr(written, key) is not None:
                reading.note((*path, key), "belongs to an entry with command", f"remove {key}")
    return program


def _env(
    reading: Reading, written: AgentWritten, base: Path, path: KeyPath, environment: Mapping[str, str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    where = (*path, "env_file")
    file = reading.path(written.env_file, where)
    if file is not None:
        try:
            found = parse_env_file(file.read_text(encoding="utf-8"), environment, lines=lines)
        except FileNotFoundError:
            reading.note(where, f"no such file: {file}", "create it, or remove env_file", around=True)
        except UnicodeDecodeError:
            reading.note(where, f"{file} is not UTF-8 text", "save it as UTF-8", around=True)
        except OSError as error:
            reading.note(where, f"{file} cannot be read: {error.strerror}", f"ls -l {file}", around=True)
        except EnvFileError as error:
            for fault in error.faults:
                reading.note(where, f"{file}:{fault.line} {fault.message}", fault.hint, around=True)
    given = written.env or {}
    for name, value in given.items():
        if why := why_not_held(value):
            reading.note((*path, "env", name), why, "write what it should be")
    if isinstance(environment, Variables):
        own = reading.document
        environment.given += [
            *(Given(written.name, name, file or base, lines[name]) for name in found if name not in given),
            *(Given(written.name, name, own.file, own.place((*path, "env", name)).line) for name in given),
        ]
    return found | given


def _cwd(reading: Reading, written: AgentWritten, base: Path, path: KeyPath) -> Path:
    cwd = (reading.path(written.cwd, (*path, "cwd")) or base).absolute()
    if written.cwd is not None and not cwd.is_dir():
        reading.note((*path, "cwd"), f"no such directory: {cwd}", "it is relative to the roster", around=True)
    return cwd


def _budget(reading: Reading, written: BudgetWritten | None, program: Program, path: KeyPath) -> Budget:
    if written is None:
        return Budget()
    if program is Program.COMMAND:
        reading.note(path, "a command does not tell what it uses", "remove budget; it may have limits: {memory: …}")
    elif program is Program.AUDIO and written.avatar_seconds is not None:
        reading.note((*path, "avatar_seconds"), "an audio agent has no avatar", "remove avatar_seconds")
    return Budget(**written.model_dump())


def _voice(reading: Reading, written: VoiceWritten | None, tts: ModelChoice | None, path: KeyPath) -> Voice | None:
    if written is None:
        return None
    for name in ("pitch", "formant"):
        # A server of one's own may be another meetctl's, which knows them.
        is_theirs = tts is not None and not tts.is_local and (tts.base_url is None or tts.realtime)
        if getattr(written, name) is not None and tts is not None and is_theirs:
            reading.note((*path, name), f"belongs to the local voice, not to {tts.provider}'s", f"remove {name}")
    return Voice(name=written.name, pitch=written.pitch or 1.0, formant=written.formant or 1.0)


def _face(
    reading: Reading, written: FaceWritten | None, keys: Keys, program: Program, path: KeyPath
) -> FaceChoice | None:
    if written is None:
        return FaceChoice(transport="auto") if program is Program.SIMLI else None
    if written.local:
        return FaceChoice(transport=written.transport or "auto")
    if not written.face_id:
        reading.note((*path, "face_id"), "is missing", "write face: local, or add face_id: …")
    api_key = keys.find(written.api_key, SIMLI_KEY)
    if api_key is None:
        message = f"is not given and {SIMLI_KEY} is not set"
        hint = f"export {SIMLI_KEY}=…, or write face: local"
        reading.note((*path, "api_key"), message, hint, around=True)
    return FaceChoice(
        local=False,
        face_id=written.face_id,
        api_key=api_key,
        url=written.url or SIMLI_URL,
        api=written.api or "compose",
        transport=written.transport or "bridge",
        max_session_s=written.max_session,
        max_idle_s=written.max_idle,
        idle_close_s=None if written.idle_close == "never" else written.idle_close or IDLE_CLOSE_S,
    )
