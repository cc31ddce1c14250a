"""Who serves a language model, a voice or ears: the plugin, its key, and what is missing. Notes faults, raises none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from meetctl import catalogue
from meetctl.catalogue import local_model
from meetctl.roster.faults import KeyPath, nearest
from meetctl.roster.model_files import is_path, trouble_with_chat, trouble_with_ears
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
from meetctl.roster.schema import NO_KEY, ModelChoice
from meetctl.roster.written import ModelWritten


@dataclass(frozen=True, slots=True)
class Keys:
    """Where an entry's keys come from, nearest first."""

    own: Mapping[str, str]
    """`env` and `env_file` of the entry."""
    environment: Mapping[str, str]

    def find(self, written: SecretStr | None, variable: str) -> SecretStr | None:
        """Returns the key as written, else of the variable; an empty one counts as none."""
        text = (written.get_secret_value() if written else "") or self.own.get(variable, "")
        text = text or self.environment.get(variable, "")
        return SecretStr(text) if text else None


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
        if key is None and need.key is not None and not (need.unless and options.get(need.unless)):
            message = f"is not given and {need.key} is not set"
            hint = f"export {need.key}=…"
            if written.provider == "openai":
                hint += ", or name your own server with base_url: …"
            reading.note((*path, "api_key"), message, hint, around=True)
        for name in (*need.variables, *need.optional):
            if (value := keys.find(None, name)) is not None:
                variables[name] = value
        missing = [name for name in need.variables if name not in variables]
        if missing:
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
