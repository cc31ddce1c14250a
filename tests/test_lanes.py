"""Each test is in exactly one lane, and is held to it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testing.fixtures.lanes import LANES, Lane

ROOT = Path(__file__).parents[1]
CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
SUITE = f"""
import os, pytest, subprocess, sys
from testing.fixtures.lanes import Lane, starts

@pytest.fixture(scope="session")
@starts(Lane.SYSTEM)
def server():
    {CHILD}

@pytest.fixture
def client(server):
    pass

def test_nothing(): pass
def test_secretly(): {CHILD}
def test_by_fork():
    if (pid := os.fork()) == 0: os._exit(0)
    os.waitpid(pid, 0)
def test_by_fixture(client): pass
def test_by_fixture_later(client): pass
@pytest.mark.process
def test_openly(): {CHILD}
@pytest.mark.process
def test_boastful(): pass
@pytest.mark.soak
def test_long(client): pass
@pytest.mark.root
def test_of_root(client): assert os.geteuid() == 0
def test_skipped(): pytest.skip("no browser here")
"""


def test_every_test_is_in_exactly_one_lane(request: pytest.FixtureRequest) -> None:
    """Of all that this run collected; a mark of another lane beside a fixture's is one too many."""
    assert {test: lanes for test, lanes in request.config.stash[LANES].items() if len(lanes) != 1} == {}


@pytest.mark.process
def test_make_runs_every_lane_once_and_root_only_as_root() -> None:
    printed = subprocess.run(
        ["make", "--dry-run", "test", "soak"], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    ).stdout
    chosen = [one or two for one, two in re.findall(r"-m pytest -m (?:'([^']+)'|(\w+))", printed)]
    ran = [lane for lane in Lane for one in chosen if eval(one, {}, {other: other is lane for other in Lane})]
    assert ran == [lane for lane in Lane if lane is not Lane.ROOT or os.geteuid() == 0]


@pytest.mark.process
def test_who_is_in_the_wrong_lane_fails_and_a_fixture_brings_its_own(tmp_path: Path) -> None:
    suite = tmp_path / "test_suite.py"
    suite.write_text(SUITE, encoding="utf-8")
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    told = ["-rA", "--no-fold-skipped", "--tb=line"]
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "testing.fixtures.lanes", *settings, *told, str(suite)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CI": "true"},
    ).stdout
    ended = {name: outcome for outcome, name in re.findall(r"^([A-Z]+) \S*::test_(\w+)", said, re.M)}
    assert ended == {
        "nothing": "PASSED",
        "secretly": "FAILED",
        "by_fork": "FAILED",
        "by_fixture": "PASSED",
        "by_fixture_later": "PASSED",
        "openly": "PASSED",
        "boastful": "FAILED",
        "long": "PASSED",
        "of_root": "PASSED" if os.geteuid() == 0 else "SKIPPED",
        "skipped": "FAILED",
    }, said
    assert f"starts a process ({suite}:" in said and "or the fixture that starts it `@starts" in said
    assert "starts no process, but is in the lane `process`" in said
    assert "lanes: 4 unit, 2 process, 2 system" in said
