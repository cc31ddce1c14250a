from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.commands.init import init
from meetctl.errors import MeetctlError, UsageError
from meetctl.roster import load_roster


def test_the_starter_is_a_roster_that_needs_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "roster.yaml"
    init(path, force=False)
    roster = load_roster(path, environment={})
    assert [entry.program.value for entry in roster.agents] == ["simli", "audio"]
    assert roster.livekit is None
    out, err = capsys.readouterr()
    assert out == f"{path}\n" and f"meetctl up {path}" in err


def test_what_is_there_is_overwritten_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "roster.yaml"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists") as caught:
        init(path, force=False)
    assert path.read_text() == "mine"
    assert caught.value.hint is not None and "--force" in caught.value.hint
    init(path, force=True)
    assert "agents:" in path.read_text()


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeetctlError, match=r"missing/roster\.yaml cannot be written"):
        init(tmp_path / "missing" / "roster.yaml", force=False)
