"""Finds the pinned livekit-server, or fetches it: PATH, user cache, GitHub release, `go install`, in this order.

Only the release's own `checksums.txt` vouches for a download (Go vouches for its own builds), and a program is moved
into the cache only after it has said its version. It never runs the server.
"""

from __future__ import annotations

import asyncio
import platform
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from meetctl.errors import FetchError
from meetctl.local.fetch import (
    Progress,
    download,
    download_text,
    locked,
    no_progress,
    partial_directory,
    run_tool,
    tool_environment,
)
from meetctl.settings import cache_dir, environment

PINNED_VERSION = "1.13.5"
"""The tag that `go install` accepts (later ones carry `replace` directives), and the one everything is tested with."""

PROGRAM = "livekit-server"
GO_PACKAGE = f"github.com/livekit/livekit-server/cmd/server@v{PINNED_VERSION}"
GO_BINARY = "server"
RELEASES_URL = "https://github.com/livekit/livekit/releases/download"

RELEASE_SYSTEMS = {"Linux": "linux"}
"""`platform.system()` to the name in an asset. There are assets for Windows too, where meetctl does not run."""

RELEASE_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7"}

VERSION_TIMEOUT_S = 10.0
"""`livekit-server --version` takes 0.05 s, more when 75 MB come from a cold disk."""

GO_TIMEOUT_S = 1800.0
"""Two and a half minutes on two idle cores; this is for a small machine on a slow line."""


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """A livekit-server that runs on this machine."""

    path: Path
    version: str
    warnings: tuple[str, ...] = ()
    """What a person should know: not the pinned version, or fetched in the second-best way."""


def cached_server() -> Path:
    """Returns where the pinned server is kept, whether it is there or not."""
    return cache_dir() / PROGRAM / f"v{PINNED_VERSION}" / PROGRAM


async def find_server() -> ServerBinary | None:
    """Returns the server on PATH, else the fetched one, else None. Fetches nothing."""
    on_path, refused = await _on_path()
    if on_path is not None:
        return on_path
    cached = cached_server()
    return ServerBinary(cached, PINNED_VERSION, refused) if cached.is_file() else None


async def ensure_server(progress: Progress = no_progress, *, releases_url: str = RELEASES_URL) -> ServerBinary:
    """Returns the server, fetched if need be; a second caller waits for the first.

    Raises:
        FetchError: naming every way that was tried, why it failed, and what to type.
    """
    found = await find_server()
    if found is not None:
        return found
    cached = cached_server()
    async with locked(cached.parent):
        if cached.is_file():  # fetched by the other while we waited for the lock
            return ServerBinary(cached, PINNED_VERSION)
        failures: list[str] = []
        for way, fetch in (("release download", _download_release), ("go install", _go_install)):
            try:
                with partial_directory(cached.parent) as directory:
                    program = await fetch(directory, progress, releases_url)
                    await _check_pinned(program)
                    program.replace(cached)
            except FetchError as error:
                failures.append(f"{way}: {error.message}")
            else:
                return ServerBinary(cached, PINNED_VERSION, tuple(failures))
    _, refused = await _on_path()
    raise FetchError(
        "\n  - ".join(
            [
                f"no livekit-server {PINNED_VERSION} on this machine, and none could be fetched; tried",
                *(refused or (f"PATH: no {PROGRAM}",)),
                f"cache: no {cached}",
                *failures,
            ]
        ),
        hint=_what_to_type(platform.system()),
    )


def asset_name(system: str, machine: str) -> str:
    """Returns the release's asset for `platform.system()` and `platform.machine()`.

    Raises:
        FetchError: where LiveKit releases none.
    """
    if system == "Darwin":
        raise FetchError("LiveKit releases no macOS program", hint=_what_to_type(system))
    if system not in RELEASE_SYSTEMS or machine.lower() not in RELEASE_MACHINES:
        raise FetchError(f"LiveKit releases no program for {system} on {machine}")
    return f"livekit_{PINNED_VERSION}_{RELEASE_SYSTEMS[system]}_{RELEASE_MACHINES[machine.lower()]}.tar.gz"


def checksum_of(asset: str, checksums: str) -> str:
    """Returns the SHA-256 that a `checksums.txt` gives for the asset.

    Raises:
        FetchError: if it has no line for it.
    """
    for line in checksums.splitlines():
        match line.split():
            case [digest, name] if name.removeprefix("*") == asset and len(digest) == 64:
                return digest.lower()
    raise FetchError(f"checksums.txt of v{PINNED_VERSION} has no line for {asset}")


async def _on_path() -> tuple[ServerBinary | None, tuple[str, ...]]:
    """Returns the server on PATH, or None and why the one that is there will not do."""
    path = shutil.which(PROGRAM, path=environment().get("PATH"))
    if path is None:
        return None, ()
    try:
        version = await _version(Path(path))
    except FetchError as error:
        return None, (f"PATH: {error.message}",)
    if version == PINNED_VERSION:
        return ServerBinary(Path(path), version), ()
    warning = f"{path} is version {version}; meetctl is tested with {PINNED_VERSION}"
    return ServerBinary(Path(path), version, (warning,)), ()


async def _version(program: Path) -> str:
    try:
        async with asyncio.timeout(VERSION_TIMEOUT_S):
            code, lines = await run_tool([str(program), "--version"], tool_environment())
    except TimeoutError:
        raise FetchError(f"{program} --version did not end within {VERSION_TIMEOUT_S:g} s") from None
    words = lines[-1].split() if lines else []
    if code != 0 or words[:2] != [PROGRAM, "version"] or len(words) < 3:
        raise FetchError(f"{program} --version ended with {code} and said {' '.join(lines)[:200]!r}")
    return words[2]


async def _check_pinned(program: Path) -> None:
    version = await _version(program)
    if version != PINNED_VERSION:
        raise FetchError(f"what was fetched calls itself version {version}, not {PINNED_VERSION}")


async def _download_release(directory: Path, progress: Progress, releases_url: str) -> Path:
    asset = asset_name(platform.system(), platform.machine())
    release = f"{releases_url.rstrip('/')}/v{PINNED_VERSION}"
    expected = checksum_of(asset, await download_text(f"{release}/checksums.txt"))
    archive = directory / asset
    await download(
        f"{release}/{asset}", archive, what=f"{PROGRAM} {PINNED_VERSION}", sha256=expected, progress=progress
    )
    return await asyncio.to_thread(_unpack, archive, directory / PROGRAM)


def _unpack(archive: Path, program: Path) -> Path:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            member = tar.extractfile(PROGRAM)
            if member is None:
                raise KeyError(PROGRAM)
            with member, program.open("wb") as file:
                shutil.copyfileobj(member, file)
    except (KeyError, tarfile.TarError, EOFError, OSError) as error:
        raise FetchError(f"{archive.name} cannot be unpacked: {error}") from error
    program.chmod(0o755)
    return program


async def _go_install(directory: Path, progress: Progress, releases_url: str) -> Path:
    go = shutil.which("go", path=environment().get("PATH"))
    if go is None:
        raise FetchError("PATH: no go")
    packages = 0

    def count(line: str) -> None:
        nonlocal packages
        packages += 1
        progress(f"{PROGRAM} {PINNED_VERSION}, built with Go", packages, None, "packages")

    env = tool_environment("GO", "GIT_", "SSH_") | {"GOBIN": str(directory), "CGO_ENABLED": "0"}
    try:
        async with asyncio.timeout(GO_TIMEOUT_S):
            code, lines = await run_tool([go, "install", "-v", GO_PACKAGE], env, on_line=count)
    except TimeoutError:
        raise FetchError(f"go install {GO_PACKAGE} did not end within {GO_TIMEOUT_S:g} s") from None
    if code != 0:
        raise FetchError(f"go install {GO_PACKAGE} ended with {code}: {' | '.join(lines[-3:])}")
    return directory / GO_BINARY


def _what_to_type(system: str) -> str:
    if system == "Darwin":
        return "brew install livekit"
    return (
        f"put {PROGRAM} {PINNED_VERSION} on PATH, or install Go and run `meetctl setup`; "
        "or name a server that runs already in the roster: `livekit: {url, api_key, api_secret}`"
    )
