"""How large things come onto this machine: checked, whole or not at all, one fetcher at a time. It never prints.

Everything is made in a partial directory beside its place and moved there at the end, so that a cut connection, a
full disk or Ctrl-C leaves nothing that looks finished.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from meetctl.errors import FetchError, SettingsError
from meetctl.settings import CACHE, environment, inherited_environment

CONNECT_TIMEOUT_S = 4.0
"""Runs out behind a firewall that swallows packets; a machine that is merely offline fails at once."""

STALL_TIMEOUT_S = 20.0
"""Runs out when a connection stays open and nothing more comes."""

LOCK_POLL_S = 0.2
"""The kernel's lock cannot be awaited, and a thread that waits for it cannot be cancelled."""

CHUNK_BYTES = 256 * 1024
LINE_BYTES = 1_000_000
LAST_LINES = 12
"""Of a tool that failed, shown in the error."""

PARTIAL_PREFIX = ".partial-"


class Progress(Protocol):
    """Told what is being fetched and how far it is; `unit` is what is counted, where that is not bytes."""

    def __call__(self, what: str, done: int, total: int | None, unit: str = "bytes") -> None: ...


def no_progress(what: str, done: int, total: int | None, unit: str = "bytes") -> None:
    """Looks away."""


def size_of(path: Path) -> int:
    """Returns how many bytes are there already; none where there is no file."""
    return path.stat().st_size if path.exists() else 0


@asynccontextmanager
async def locked(directory: Path) -> AsyncIterator[None]:
    """Makes the directory and holds it for this process; waits while another meetctl fetches into it."""
    with _lock_file(directory) as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(LOCK_POLL_S)
        yield


def _lock_file(directory: Path) -> IO[bytes]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return (directory / ".lock").open("wb")
    except OSError as error:
        message = f"{directory} cannot be written: {error.strerror}"
        raise SettingsError(message, hint=f"export {CACHE}=FOLDER, with a folder that can be written") from error


@contextmanager
def partial_directory(parent: Path) -> Iterator[Path]:
    """Yields an empty directory on the same file system as `parent`; what is still in it at the end is deleted.

    Call it under `locked(parent)`: what a killed fetcher left behind goes too.
    """
    for left_behind in parent.glob(f"{PARTIAL_PREFIX}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


async def download(url: str, target: Path, *, what: str, sha256: str, progress: Progress) -> None:
    """Downloads the URL into the target, a file in a partial directory: if this raises, it holds only a part.

    Raises:
        FetchError: on no connection, any status but 200, a cut or stalled connection, or another hash.
    """
    digest = hashlib.sha256()
    done = 0
    async with aclosing(_chunks(url)) as chunks:
        with target.open("wb") as file:
            async for chunk, total in chunks:
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                progress(what, done, total)
    if digest.hexdigest() != sha256:
        raise FetchError(f"{url} has SHA-256 {digest.hexdigest()}, its publisher says {sha256}")


async def download_text(url: str) -> str:
    """Returns a small text file. Raises FetchError as `download` does."""
    async with aclosing(_chunks(url)) as chunks:
        return b"".join([chunk async for chunk, _ in chunks]).decode(errors="replace")


async def _chunks(url: str) -> AsyncGenerator[tuple[bytes, int | None], None]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT_S, sock_read=STALL_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session, session.get(url) as response:
            if response.status != 200:
                raise FetchError(f"{url} answered HTTP {response.status} {response.reason}")
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                yield chunk, response.content_length
    except (aiohttp.ClientError, TimeoutError) as error:
        raise FetchError(f"{url}: {error or type(error).__name__}") from error


def tool_environment(*prefixes: str) -> dict[str, str]:
    """Returns the environment for a user's own tool: what every child may see, and its own settings by prefix."""
    own = {name: value for name, value in environment().items() if name.startswith(prefixes)}
    return inherited_environment() | own


async def run_tool(
    argv: Sequence[str], env: Mapping[str, str], *, on_line: Callable[[str], None] | None = None
) -> tuple[int, list[str]]:
    """Runs a program to its end and returns its exit code and the last lines it wrote.

    Cancelled, it kills the program and everything that the program started.

    Raises:
        FetchError: if it cannot be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # its own compilers and helpers go with it
            limit=LINE_BYTES,
        )
    except OSError as error:
        raise FetchError(f"{argv[0]} cannot be started: {error}") from error
    last: deque[str] = deque(maxlen=LAST_LINES)
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace").strip()
            last.append(text)
            if on_line is not None:
                on_line(text)
        return await process.wait(), list(last)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
