"""What an entry of the roster means: defaults merged, keys found, who serves its models. Notes faults, raises none.

Looks at files that the roster names (`env_file`, `cwd`, a model) and at the environment it is handed; at nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from meetctl import catalogue
from meetctl.catalogue import local_model
from meetctl.protocol import Example, RestartPolicy, Speaks, Voice
from meetctl.roster.env_file import EnvFileError, parse_env_file, why_not_held
from meetctl.roster.faults import KeyPath, nearest
from meetctl.roster.model_files import is_path, trouble_with_chat, trouble_with_ears
from meetctl.roster.placement import note_placement
from meetctl.roster.providers import (
    PARTS,
    PROVIDERS,
    REALTIME,
    SERVED_BY_OPENAI,
    install_hint,
    is_installed,
    need_of,
)
from meetctl.roster.reading import Reading
from meetctl.roster.schema import (
    IDLE_CLOSE_S,
    LOCAL,
    NO_KEY,
    SIMLI_URL,
    AgentEntry,
    Budget,
    FaceChoice,
    Limits,
    ModelChoice,
    Program,
)
from meetctl.roster.tools import resolve_tools
from meetctl.roster.variables import Given, Variables
from meetctl.roster.written import (
    AgentWritten,
    BudgetWritten,
    DefaultsWritten,
    FaceWritten,
    ModelWritten,
    VoiceWritten,
)
from meetctl.settings import slug

SIMLI_KEY = "SIMLI_API_KEY"
_COMMAND_ONLY = ("cwd", "livekit_api_credentials", "start_timeout")


@dataclass(frozen=True, slots=True)
class Keys:
    """Where an entry's keys come from, nearest first."""

    own: Mapping[str, str]
    """`env` and `env_file` of the entry."""
    environment: Mapping[str, str]
    elsewhere: bool = False
    """It runs on another machine, which has keys of its own: none of ours is handed on, and none is missing."""

    def find(self, written: SecretStr | None, variable: str) -> SecretStr | None:
        """Returns the key as written, else of the variable; an empty one counts as none."""
        if self.elsewhere:
            return None
        text = (written.get_secret_value() if written else "") or self.own.get(variable, "")
        text = text or self.environment.get(variable, "")
        return SecretStr(text) if text else None


def resolve_agent(
    reading: Reading,
    written: AgentWritten,
    defaults: DefaultsWritten,
    *,
    path: KeyPath,
    wrong: frozenset[str],
    environment: Mapping[str, str],
    on: str | None = None,
) -> AgentEntry:
    """Returns the entry with its defaults.

    Args:
        wrong: keys whose faults are noted already.
        on: where agents run whose entries do not say it; None = here.
    """
    program = _program(reading, written, path, wrong)
    base = reading.document.base
    env = _env(reading, written, base, path, environment)
    for index, word in enumerate(written.command or ()):
        if why := why_not_held(word):
            reading.note((*path, "command", index), why, "write what it should be")
    on = written.on or (LOCAL if program is Program.COMMAND else on or LOCAL)
    keys = Keys(env, environment, elsewhere=on != LOCAL)
    if keys.elsewhere:
        note_placement(reading, written, defaults, program, path)
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
        on=on,
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
    if api_key is None and not keys.elsewhere:
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


def resolve_model(
    reading: Reading, written: ModelWritten | None, keys: Keys, path: KeyPath, part: str | None = None
) -> ModelChoice:
    """Returns who serves a model; local where nothing is written. `path` ends in the part unless one is given."""
    part = part or str(path[-1])
    if written is None:
        return ModelChoice()
    _note_realtime(reading, written, part, path)
    if not written.fallbacks:
        return _resolved(reading, written, part, keys, path)
    first, *others = (
        _resolved(reading, one, part, keys, (*path, index)) for index, one in enumerate((written, *written.fallbacks))
    )
    return first.model_copy(update={"fallbacks": tuple(others)})


def _resolved(reading: Reading, written: ModelWritten, part: str, keys: Keys, path: KeyPath) -> ModelChoice:
    if written.provider == "local":
        return ModelChoice(model=_local_model(reading, written.model, part, path), options=written.options or {})
    if not _note_plugin(reading, written, part, path):
        return ModelChoice()
    need = need_of(written.provider, part)
    options = written.options or {}
    key = written.api_key if written.api_key and written.api_key.get_secret_value() else None
    variables: dict[str, SecretStr] = {}
    # A key from the environment is never sent to another server than the provider's own.
    if written.base_url is None:
        key = keys.find(key, need.key) if need.key is not None else key
        lacks = key is None and need.key is not None and not keys.elsewhere
        if lacks and not (need.unless and options.get(need.unless)):
            message = f"is not given and {need.key} is not set"
            hint = f"export {need.key}=…"
            if written.provider == "openai":
                hint += ", or name your own server with base_url: …"
            reading.note((*path, "api_key"), message, hint, around=True)
        for name in (*need.variables, *need.optional):
            if (value := keys.find(None, name)) is not None:
                variables[name] = value
        missing = [name for name in need.variables if name not in variables]
        if missing and not keys.elsewhere:
            exports = " ".join(f"{name}=…" for name in missing)
            reading.note(path, f"needs {' and '.join(missing)}, not set", f"export {exports}", around=True)
    elif key is None:
        key = SecretStr(NO_KEY)
    return ModelChoice(
        provider=written.provider,
        model=written.model,
        base_url=written.base_url,
        api_key=key,
        variables=variables,
        options=options,
        realtime=bool(written.realtime),
    )


def _note_realtime(reading: Reading, written: ModelWritten, part: str, path: KeyPath) -> None:
    """Notes a realtime model where none can be: whose turn it is, is the chair's to say."""
    every = [written, *(written.fallbacks or ())]
    if not any(one.realtime for one in every):
        return
    provider = written.provider
    example = "write llm: {provider: openai, model: gpt-realtime, realtime: true}, or remove realtime"
    if len(every) > 1:
        reading.note(
            path, "a realtime model has nobody who is asked in its place", "write it alone, or remove realtime"
        )
    elif part != "llm" or path[:1] == ("meeting",):
        what = "judge" if part == "llm" else PARTS[part]
        reading.note(path, f"a realtime model is an agent's voice, and no {what}", "remove realtime", around=True)
    elif provider == "local":
        reading.note(path, "local has no realtime model", example, around=True)
    elif provider in PROVIDERS and provider not in REALTIME:
        message = f"{provider} has no realtime model that leaves it to the chair whose turn it is"
        reading.note(path, message, example, around=True)
    elif "turn_detection" in (written.options or {}):
        where = (*path, "options", "turn_detection")
        reading.note(where, "whose turn it is, is the chair's to decide", "remove turn_detection")


def _local_model(reading: Reading, written: str | None, part: str, path: KeyPath) -> str | None:
    """Returns the name of the model in the catalogue, the absolute path of a file, or None for the usual one."""
    if not written:
        return None
    if is_path(written) and part != "tts":
        file = (reading.document.file.parent / Path(written).expanduser()).resolve()
        trouble = trouble_with_chat(file) if part == "llm" else trouble_with_ears(file)
        if trouble is not None:
            reading.note(path, trouble.message, trouble.hint, around=True)
        return str(file)
    model = local_model(part, written)
    if model is None:
        known = catalogue.names(part)
        like = nearest(written, known)
        or_path = {"llm": ", or a path: ./my.gguf", "stt": ", or a path: ./my-whisper/"}.get(part, "")
        if like:
            hint = f"did you mean local/{like}?"
        else:
            hint = f"write local, or one of {', '.join(f'local/{one}' for one in known)}{or_path}"
        reading.note(path, f"no local {PARTS[part]} is named {written!r}", hint)
        return None
    return model.name


def _note_plugin(reading: Reading, written: ModelWritten, part: str, path: KeyPath) -> bool:
    """Notes a provider that does not exist, cannot do this part, or is not installed; returns whether it is usable."""
    provider = written.provider
    known = PROVIDERS.get(provider)
    if known is not None and part not in known.parts:
        able = ", ".join(name for name, other in PROVIDERS.items() if part in other.parts and is_installed(name))
        reading.note(path, f"{provider} has no {PARTS[part]}", f"write local, or one of {able}")
        return False
    if is_installed(provider):
        return True
    if known is not None:
        message = f"the plugin for {provider} is not installed"
        reading.note(path, message, install_hint(provider), around=True)
        return False
    if (address := SERVED_BY_OPENAI.get(provider.lower().replace("-", ""))) is not None:
        hint = f"write {{provider: openai, model: {written.model or '…'}, base_url: {address}}}"
        reading.note(path, f"{provider} speaks OpenAI's HTTP API and has no plugin of its own", hint)
        return False
    like = nearest(provider, ["local", *PROVIDERS])
    hint = f"did you mean {like}?" if like else f"write local or openai/MODEL; if it exists: {install_hint(provider)}"
    reading.note(path, f"no plugin is named {provider!r}", hint)
    return False
