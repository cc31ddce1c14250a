"""Rosters that are no files: `-`, `/dev/stdin`, what the shell writes for `<(…)`, a named pipe.

Such a thing can be read only once, so what it held is kept for as long as the process lives; and it stands in no
folder, so paths in it count from the current one.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

STDIN = "-"

_kept: dict[str, bytes] = {}


def is_stream(path: Path) -> bool:
    """Returns whether the path names something that flows, be it a regular file that was opened as `/dev/stdin`."""
    if str(path) == STDIN or path.parts[:2] in (("/", "dev"), ("/", "proc")):
        return True
    with contextlib.suppress(OSError, ValueError):
        mode = path.stat().st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


def base_of(path: Path) -> Path:
    """Returns the folder that relative paths in the file count from."""
    return Path.cwd() if is_stream(path) else path.parent


def shown(path: Path) -> str:
    """Returns what people read as its name."""
    return "<stdin>" if str(path) == STDIN else str(path)


def read_bytes(path: Path, limit: int) -> bytes:
    """Returns at most so many bytes of the file, or of the stream, the same each time.

    Raises:
        OSError: as `open` does.
    """
    if not is_stream(path):
        with path.open("rb") as file:
            return file.read(limit)
    if str(path) not in _kept:
        with open(0 if str(path) == STDIN else path, "rb", closefd=str(path) != STDIN) as file:
            _kept[str(path)] = file.read(limit)
        descriptor = path.name if path.parent == Path("/dev/fd") else ""
        if descriptor.isdecimal() and int(descriptor) > 2:
            with contextlib.suppress(OSError):
                os.close(int(descriptor))  # it is read out, and no child should inherit it
    return _kept[str(path)]


@contextlib.contextmanager
def handed_on(*paths: Path | None) -> Iterator[tuple[dict[Path | None, str], list[int]]]:
    """Gives the names under which another process can read the files, and the descriptors that it has to inherit.

    What this process has read out of a stream nobody can read again, so the other one is handed a file with the same
    in it, which has no name and is gone when both have closed it.
    """
    with contextlib.ExitStack() as stack:
        names: dict[Path | None, str] = {}
        descriptors: list[int] = []
        for path in paths:
            names[path] = str(path)
            if path is not None and is_stream(path):
                file = stack.enter_context(tempfile.TemporaryFile())
                file.write(_kept.get(str(path), b""))
                file.flush()
                file.seek(0)
                names[path] = f"/dev/fd/{file.fileno()}"
                descriptors.append(file.fileno())
        yield names, descriptors


def kept() -> dict[str, str]:
    """Returns what was read out of every stream so far, for a process that will be asked to read it again."""
    return {name: data.decode("utf-8", "surrogateescape") for name, data in _kept.items()}


def keep(streams: Mapping[str, SecretStr]) -> None:
    """Lets `read_bytes` answer with what another process has read, as it said by `kept`."""
    for name, text in streams.items():
        _kept[name] = text.get_secret_value().encode("utf-8", "surrogateescape")
