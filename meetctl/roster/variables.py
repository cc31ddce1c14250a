"""What a roster's `${NAME}` and keys are filled from: the shell's environment, then a `.env`. Knows who asked.

The `.env` is the one beside the roster, as Compose and the agents' own frameworks read it, or another that is named.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from meetctl.errors import SettingsError
from meetctl.roster.env_file import EnvFileError, parse_env_file
from meetctl.roster.interpolation import defaults_in
from meetctl.roster.streams import base_of, is_stream, read_bytes, shown
from meetctl.roster.yaml_source import load_document

ENV_FILE = ".env"
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """A variable that an entry gives to its agent."""

    agent: str
    name: str
    file: Path
    line: int | None


@dataclass(slots=True)
class Variables(Mapping[str, str]):
    """The variables by name; the shell's win."""

    shell: Mapping[str, str]
    file: Path | None = None
    """The `.env` that was read."""
    found: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)
    """Every name that was looked up, in order, whether it was there or not."""
    given: list[Given] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        self.asked[name] = None
        return self.shell[name] if name in self.shell else self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.found, **self.shell})

    def __len__(self) -> int:
        return len({**self.found, **self.shell})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of one variable comes from."""

    name: str
    kind: Literal["shell", "env_file", "default", "roster"] | None
    """None = it is not set."""
    file: Path | None = None
    line: int | None = None
    agent: str | None = None
    """Of a variable that is its agent's own, by `env` or `env_file`."""

    @property
    def is_set(self) -> bool:
        return self.kind is not None


def origins(roster: Path, variables: Variables) -> list[Origin]:
    """Returns the origin of every variable that was asked for while the roster was read, by name; the agents' own last.

    Raises:
        RosterFaults: where there is no document to look for defaults in.
    """
    defaults: dict[str, int] = {}
    for place in load_document(roster, None).places.values():
        for name in defaults_in(place.written) if "$" in place.written else ():
            defaults.setdefault(name, place.line)

    def origin(name: str) -> Origin:
        if name in variables.shell:
            return Origin(name, "shell")
        if name in variables.found:
            return Origin(name, "env_file", variables.file, variables.lines[name])
        if name in defaults:
            return Origin(name, "default", roster, defaults[name])
        return Origin(name, None)

    own = [
        Origin(given.name, "roster" if given.file == roster else "env_file", given.file, given.line, given.agent)
        for given in variables.given
    ]
    return [*(origin(name) for name in sorted(variables.asked)), *own]


def load_variables(roster: Path | None, env_file: Path | None, shell: Mapping[str, str]) -> Variables:
    """Returns the variables for a roster, or for the current folder where there is none.

    Args:
        env_file: instead of the `.env` beside it; it has to be there.

    Raises:
        SettingsError: where it cannot be read, with every line that is wrong.
    """
    file = env_file or (base_of(roster) if roster is not None else Path()) / ENV_FILE
    if env_file is None and (not _is_there(file) or is_stream(file)):
        return Variables(shell)
    lines: dict[str, int] = {}
    try:
        data = read_bytes(file, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise OSError(errno.EFBIG, f"larger than {MAX_BYTES} bytes")
        values = parse_env_file(data.decode("utf-8-sig"), shell, lines=lines)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{shown(file)}:{line}: is not UTF-8 text", hint="save it as UTF-8") from None
    except (OSError, ValueError) as error:
        raise _failure(file, error) from None
    return Variables(shell, file, values, lines)


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()  # a folder of that name is somebody's virtual environment
    except OSError:
        return True  # it is there and cannot be looked at, which is to be told


def _failure(file: Path, error: Exception) -> SettingsError:
    name = shown(file)
    if isinstance(error, EnvFileError):
        first = error.faults[0]
        if len(error.faults) == 1:
            return SettingsError(f"{name}:{first.line}: {first.message}", hint=first.hint)
        lines = (f"{name}:{fault.line}: {fault.message} ({fault.hint})" for fault in error.faults)
        return SettingsError("\n".join(lines), hint=f"mend these {len(error.faults)} lines")
    if isinstance(error, FileNotFoundError):
        return SettingsError(f"{name}: no such file", hint=f"create it, or look for it: ls {file.parent}")
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SettingsError(f"{name} cannot be read: {why}", hint="name another one: --env-file FILE")
