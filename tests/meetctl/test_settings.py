"""Folders that cannot be used. Root may write wherever there is a folder, so what is in the way is no folder at all."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from meetctl import settings
from meetctl.errors import SettingsError

FOLDERS = {
    "XDG_STATE_HOME": settings.state_dir,
    "XDG_RUNTIME_DIR": settings.runtime_dir,
}


@pytest.mark.parametrize("variable", FOLDERS)
def test_a_folder_that_cannot_be_made_is_named_with_the_variable_that_chooses_another(
    variable: str, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short_path / "file").touch()
    monkeypatch.setenv(variable, str(short_path / "file"))
    with pytest.raises(SettingsError, match="cannot be written") as raised:
        FOLDERS[variable]()
    assert str(short_path / "file" / "meetctl") in raised.value.message
    assert raised.value.hint is not None
    assert raised.value.hint.startswith(f"export {variable}=")


@pytest.mark.parametrize("variable", FOLDERS)
def test_a_folder_that_is_only_to_be_read_is_named_too(
    variable: str, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(short_path))
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # what the kernel says to everybody but root
    with pytest.raises(SettingsError, match=f"{short_path}/meetctl cannot be written"):
        FOLDERS[variable]()


def test_a_home_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")  # Python's own, of a user id without an entry

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    with pytest.raises(SettingsError, match="HOME is not set"):
        settings.cache_dir()
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert settings.cache_dir() == Path("/elsewhere/meetctl")


def test_to_ask_where_meetings_are_makes_nothing(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path / "run"))
    assert settings.runtime_path() == short_path / "run" / "meetctl"
    assert not (short_path / "run").exists()
    made = settings.runtime_dir()
    assert made == short_path / "run" / "meetctl"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_failure_inside_our_folders_is_the_folders_and_elsewhere_it_is_not(
    number: int, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(short_path))
    inside = OSError(number, os.strerror(number), str(short_path / "meetctl" / "standup" / "log"))
    failure = settings.folder_failure(inside)
    assert failure is not None
    assert "XDG_STATE_HOME" in str(failure.hint)
    assert settings.folder_failure(OSError(number, os.strerror(number), str(short_path / "other"))) is None
    assert settings.folder_failure(OSError(errno.EINVAL, "", inside.filename)) is None


@pytest.mark.process
@pytest.mark.parametrize("variable", ["HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"])
@pytest.mark.parametrize("arguments", [["logs"], ["transcript"], ["link"]])
def test_commands_tell_of_the_folder_in_two_lines(variable: str, arguments: list[str], short_path: Path) -> None:
    (short_path / "file").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment = kept | {"XDG_RUNTIME_DIR": str(short_path), variable: str(short_path / "file")}
    command = [sys.executable, "-m", "meetctl", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    if "link" in arguments and variable != "XDG_RUNTIME_DIR":
        assert done.returncode == 3, "it needs no other folder"
        return
    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert f"{short_path}/file/" in error
    assert f"export {'XDG_STATE_HOME' if variable == 'HOME' else variable}=" in hint


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4205"}, False),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "tmux-256color", "VTE_VERSION": "7600"}, False),
        ({"TERM": "xterm-256color", "TMUX": "/tmp/x", "TERM_PROGRAM": "WezTerm"}, False),
        ({"TERM": "dumb", "TERM_PROGRAM": "vscode"}, False),
        ({"TERM": "linux", "FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "xterm-kitty", "FORCE_HYPERLINK": "0"}, False),
        ({}, False),
    ],
)
def test_terminals_with_hyperlinks_are_known_by_their_names(
    variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "environment", lambda: variables)
    assert settings.has_hyperlinks() is expected


@pytest.mark.process
def test_a_bug_is_told_where_no_report_can_be_written(short_path: Path) -> None:
    (short_path / "file").touch()
    program = (
        "import sys; from meetctl import cli; sys.argv = ['meetctl', 'schema', '--json']\n"
        "def broken(): raise ValueError('x')\n"
        "cli.app = lambda **_: broken()\n"
        "cli.main()"
    )
    environment = os.environ | {"XDG_STATE_HOME": str(short_path / "file")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 70, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "bug"
    assert "Traceback" not in done.stderr


FORKSERVER = """
import multiprocessing
if __name__ == "__main__":
    child = multiprocessing.get_context("forkserver").Process(target=print, args=("it runs",))
    child.start()
    child.join(30)
    raise SystemExit(child.exitcode)
"""


@pytest.mark.process
def test_a_long_temporary_folder_has_a_short_name_for_children_who_make_their_sockets_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    given = settings.inherited_environment()
    link = Path(given["TMPDIR"])
    try:
        assert link.samefile(long)
        assert len(os.fsencode(link)) <= settings.TEMP_PATH_LIMIT
        assert settings.inherited_environment()["TMPDIR"] == str(link), "the same again"
        program = tmp_path / "worker.py"
        program.write_text(FORKSERVER)
        done = subprocess.run([sys.executable, program], env=given, capture_output=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, b"it runs\n"), done.stderr
    finally:
        link.unlink()


def test_a_short_temporary_folder_is_handed_on_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert settings.inherited_environment()["TMPDIR"] == "/var/tmp"
    monkeypatch.delenv("TMPDIR")
    assert "TMPDIR" not in settings.inherited_environment()
