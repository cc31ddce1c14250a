from __future__ import annotations

import asyncio
import hashlib
import io
import os
import platform
import shutil
import tarfile
from pathlib import Path

import pytest

from meetctl.errors import FetchError
from meetctl.local.livekit_binary import (
    GO_PACKAGE,
    PINNED_VERSION,
    PROGRAM,
    ServerBinary,
    asset_name,
    cached_server,
    checksum_of,
    ensure_server,
    find_server,
)
from tests.meetctl.local.publishing import published

NOWHERE = "http://127.0.0.1:1"


def server_saying(version: str) -> str:
    """A program that answers `--version` as livekit-server does; here it is only found, fetched and moved."""
    return f"#!/bin/sh\necho livekit-server version {version}\n"


def go_writing(program: str, *, code: int = 0) -> str:
    """A `go` that 'builds' by writing the program where `go install` puts it."""
    return f"""#!/bin/sh
[ "$*" = "install -v {GO_PACKAGE}" ] || exit 64
echo "golang.org/x/one" >&2
echo "golang.org/x/two" >&2
[ {code} = 0 ] || {{ echo "no such host" >&2; exit {code}; }}
cat > "$GOBIN/server" <<'END'
{program}
END
chmod +x "$GOBIN/server"
"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and only /bin tools; returns the directory that is first on PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = tmp_path / "bin"
    directory.mkdir()
    for tool in ("sh", "cat", "chmod"):
        found = shutil.which(tool)
        assert found is not None
        (directory / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return directory


def install(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def release(program: str, *, checksum: str | None = None, prefix: str = "", member: str = PROGRAM) -> dict[str, bytes]:
    """Returns the files of a release as they are published: one archive and `checksums.txt`."""
    asset = asset_name("Linux", "x86_64")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (("LICENSE", b"Apache"), (member, program.encode())):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    archive = packed.getvalue()
    digest = checksum or hashlib.sha256(archive).hexdigest()
    checksums = f"{'0' * 64}  livekit_{PINNED_VERSION}_linux_arm64.tar.gz\n{digest}  {asset}\n"
    folder = f"{prefix}v{PINNED_VERSION}"
    return {f"{folder}/{asset}": archive, f"{folder}/checksums.txt": checksums.encode()}


def left_in_cache() -> list[str]:
    return sorted(path.name for path in cached_server().parent.iterdir())


@pytest.mark.process
async def test_the_server_on_path_comes_first(machine: Path) -> None:
    path = install(machine, PROGRAM, server_saying(PINNED_VERSION))
    assert await ensure_server(releases_url=NOWHERE) == ServerBinary(path, PINNED_VERSION)
    assert not cached_server().exists()


@pytest.mark.process
async def test_another_version_on_path_is_used_with_a_warning(machine: Path) -> None:
    path = install(machine, PROGRAM, server_saying("1.9.0"))
    found = await find_server()
    assert found == ServerBinary(path, "1.9.0", (f"{path} is version 1.9.0; meetctl is tested with 1.13.5",))


@pytest.mark.process
async def test_a_program_of_that_name_that_is_no_server_is_passed_over_and_named(machine: Path) -> None:
    path = install(machine, PROGRAM, "#!/bin/sh\necho hello\nexit 3\n")
    async with published(release(server_saying(PINNED_VERSION))) as url:
        assert (await ensure_server(releases_url=url)).path == cached_server()
    found = await find_server()
    assert found is not None
    assert found.warnings == (f"PATH: {path} --version ended with 3 and said 'hello'",)


async def test_nothing_is_found_on_a_fresh_machine_and_nothing_is_fetched_by_looking() -> None:
    assert await find_server() is None
    assert not cached_server().parent.exists()


@pytest.mark.process
async def test_a_release_is_fetched_once_and_found_from_then_on() -> None:
    told: list[tuple[str, int, int | None]] = []
    files = release(server_saying(PINNED_VERSION))
    async with published(files) as url:
        fetched = await ensure_server(lambda *step: told.append(step), releases_url=url)
    size = len(files[f"v{PINNED_VERSION}/{asset_name('Linux', 'x86_64')}"])
    assert fetched == ServerBinary(cached_server(), PINNED_VERSION)
    assert told[-1] == ("livekit-server 1.13.5", size, size)
    assert left_in_cache() == [".lock", PROGRAM]
    assert os.access(cached_server(), os.X_OK)
    assert await ensure_server(releases_url=NOWHERE) == fetched


@pytest.mark.process
async def test_two_fetchers_at_once_end_with_one_server() -> None:
    async with published(release(server_saying(PINNED_VERSION))) as url:
        one, other = await asyncio.gather(ensure_server(releases_url=url), ensure_server(releases_url=url))
    assert one == other == ServerBinary(cached_server(), PINNED_VERSION)
    assert left_in_cache() == [".lock", PROGRAM]


@pytest.mark.process
@pytest.mark.parametrize(
    ("files", "prefix", "why"),
    [
        (release(server_saying(PINNED_VERSION), checksum="f" * 64), "", "its publisher says ffff"),
        ({}, "", "answered HTTP 404"),
        (release("x" * 100_000, prefix="cut/"), "cut/", "not completed"),
        ({f"v{PINNED_VERSION}/checksums.txt": b"nonsense\n"}, "", "has no line for livekit_1.13.5_linux_amd64.tar.gz"),
        (release(server_saying("1.13.4")), "", "calls itself version 1.13.4, not 1.13.5"),
        (release(server_saying(PINNED_VERSION), member="other"), "", "cannot be unpacked"),
        (release("#!/nowhere/sh\n"), "", "cannot be started"),
    ],
    ids=["wrong hash", "404", "cut connection", "no checksum", "wrong version", "wrong archive", "does not run"],
)
async def test_a_bad_release_falls_through_to_go_and_without_go_leaves_nothing(
    machine: Path, files: dict[str, bytes], prefix: str, why: str
) -> None:
    async with published(files) as url:
        with pytest.raises(FetchError) as caught:
            await ensure_server(releases_url=f"{url}/{prefix}")
        assert left_in_cache() == [".lock"]
        install(machine, "go", go_writing(server_saying(PINNED_VERSION)))
        fetched = await ensure_server(releases_url=f"{url}/{prefix}")
    assert why in caught.value.message
    assert fetched.path == cached_server()
    assert len(fetched.warnings) == 1
    assert why in fetched.warnings[0]
    assert left_in_cache() == [".lock", PROGRAM]


@pytest.mark.process
async def test_go_builds_where_there_is_no_release_to_be_had_and_counts_packages(machine: Path) -> None:
    told: list[tuple[object, ...]] = []
    install(machine, "go", go_writing(server_saying(PINNED_VERSION)))
    await ensure_server(lambda *step: told.append(step), releases_url=NOWHERE)
    what = "livekit-server 1.13.5, built with Go"
    assert told == [(what, 1, None, "packages"), (what, 2, None, "packages")]


@pytest.mark.process
async def test_when_nothing_works_every_way_is_named_with_what_to_type(machine: Path) -> None:
    install(machine, PROGRAM, "#!/bin/sh\nexit 1\n")
    install(machine, "go", go_writing("", code=1))
    with pytest.raises(FetchError) as caught:
        await ensure_server(releases_url=NOWHERE)
    lines = caught.value.message.splitlines()
    assert [line.split(":")[0].strip(" -") for line in lines[1:]] == ["PATH", "cache", "release download", "go install"]
    assert "Cannot connect to host 127.0.0.1:1" in lines[3]
    assert "ended with 1" in lines[4]
    assert "no such host" in lines[4]
    assert caught.value.hint is not None
    assert "meetctl setup" in caught.value.hint
    assert left_in_cache() == [".lock"]


async def test_a_mac_is_told_of_homebrew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(FetchError, match="no macOS program") as caught:
        await ensure_server(releases_url=NOWHERE)
    assert caught.value.hint == "brew install livekit"


@pytest.mark.process
async def test_a_cancelled_fetch_leaves_nothing(machine: Path) -> None:
    building = asyncio.Event()
    install(machine, "go", "#!/bin/sh\necho half > $GOBIN/server\necho building\nwhile :; do :; done\n")
    fetching = asyncio.create_task(ensure_server(lambda *_: building.set(), releases_url=NOWHERE))
    await asyncio.wait_for(building.wait(), 5)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert left_in_cache() == [".lock"]


@pytest.mark.parametrize(
    ("system", "machine_name", "asset"),
    [
        ("Linux", "x86_64", "livekit_1.13.5_linux_amd64.tar.gz"),
        ("Linux", "aarch64", "livekit_1.13.5_linux_arm64.tar.gz"),
        ("Linux", "armv7l", "livekit_1.13.5_linux_armv7.tar.gz"),
    ],
)
def test_assets_are_named_as_livekit_names_them(system: str, machine_name: str, asset: str) -> None:
    assert asset_name(system, machine_name) == asset


@pytest.mark.parametrize(("system", "machine_name"), [("Linux", "riscv64"), ("FreeBSD", "amd64")])
def test_a_platform_without_an_asset_is_named(system: str, machine_name: str) -> None:
    with pytest.raises(FetchError, match=f"{system} on {machine_name}"):
        asset_name(system, machine_name)


def test_a_checksum_is_read_in_both_of_sha256sums_forms() -> None:
    text = f"{'a' * 64}  other.tar.gz\n{'B' * 64} *livekit.tar.gz\nshort livekit.zip\n"
    assert checksum_of("livekit.tar.gz", text) == "b" * 64
    with pytest.raises(FetchError, match=r"no line for livekit\.zip"):
        checksum_of("livekit.zip", text)
