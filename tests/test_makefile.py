"""What make says and does around the project's own programs, which stand-ins in a made-up environment play."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import subprocess
import termios
import time
from pathlib import Path

import pytest

from testing.fixtures.paths import short_directory

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[1]
NOBODY = 65534
NEEDED = ("pyproject.toml", "requirements.lock", "hatch_build.py")
"""What an environment is made again for, when it is older."""
SECONDS = 60.0
"""Make and a shell take a hundredth of it."""
WAITS = """#!/bin/sh
[ "$1" = up ] || exit 0
trap 'echo the meeting is over; exit 130' INT
echo running
while :; do read line; done
"""
ECHOES = """#!/bin/sh
echo "ran in $PWD: $*"
"""


def environment(folder: Path, program: str, text: str) -> Path:
    """Makes a folder that make takes for an environment in which all is installed."""
    (folder / "bin").mkdir(parents=True)
    path = folder / "bin" / program
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    (folder / ".installed").touch()
    return folder


def test_a_meeting_ended_by_ctrl_c_is_no_error_of_make(tmp_path: Path) -> None:
    venv = environment(tmp_path / "venv", "meetctl", WAITS)
    terminal, other = pty.openpty()

    def take_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    make = subprocess.Popen(
        ["make", "up", f"VENV={venv}"],
        cwd=ROOT,
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
        preexec_fn=take_the_terminal,
    )
    os.close(other)
    said = read_until(terminal, b"running")
    os.write(terminal, b"\x03")
    said += read_until(terminal, None)
    make.wait(SECONDS)
    os.close(terminal)
    assert b"the meeting is over" in said
    assert b"***" not in said
    assert b"Error" not in said


def read_until(terminal: int, word: bytes | None) -> bytes:
    """Reads what a terminal shows until the word, or until nobody writes to it any more."""
    said = b""
    deadline = time.monotonic() + SECONDS
    while word is None or word not in said:
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], said
        try:
            part = os.read(terminal, 4096)
        except OSError:  # as Linux has it when the other side is closed
            part = b""
        if not part:
            assert word is None, said
            break
        said += part
    return said


def test_a_meeting_that_fails_is_one(tmp_path: Path) -> None:
    venv = environment(tmp_path / "venv", "meetctl", '#!/bin/sh\n[ "$1" = setup ] || exit 6\n')
    ran = subprocess.run(["make", "up", f"VENV={venv}"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert "Error 6" in ran.stderr


def make_as_somebody(*arguments: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    """Runs make as one who cannot write everywhere, as root can."""
    return subprocess.run(
        ["make", "-C", str(checkout), *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": "/home/ada"},
        user=NOBODY if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_from_a_checkout_that_cannot_be_written_make_says_which_folder_it_needs_and_how_to_name_another() -> None:
    with short_directory() as directory:
        checkout = directory / "räume mit ü"
        checkout.mkdir()
        shutil.copy(ROOT / "Makefile", checkout)
        for name in NEEDED:
            (checkout / name).touch()
        checkout.chmod(0o555)
        for goal in ("up", "test"):
            refused = make_as_somebody(goal, checkout=checkout)
            assert refused.returncode != 0
            first, second, *_ = refused.stderr.splitlines()
            assert f"the folder {checkout} cannot be written, and make needs it for .venv and the join page" in first
            assert second.strip() == f"make {goal} VENV=/home/ada/.cache/meetctl-venv"
        assert "Run the demo meeting" in make_as_somebody("help", checkout=checkout).stdout

        elsewhere = environment(directory / "venv", "meetctl", ECHOES)
        elsewhere.chmod(0o777)
        ran = make_as_somebody("up", f"VENV={elsewhere}", checkout=checkout)
        assert ran.stderr == ""
        assert f"ran in {elsewhere}/checkout: up configs/demo.yaml" in ran.stdout.splitlines()
        assert {path.name for path in checkout.iterdir()} == {"Makefile", *NEEDED}


def test_a_name_that_make_cannot_have_is_refused() -> None:
    ran = subprocess.run(
        ["make", "check", "VENV=/tmp/two words"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS
    )
    assert ran.returncode != 0
    assert "VENV=/tmp/two words holds a space" in ran.stderr
