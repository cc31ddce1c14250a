"""Two tools of one name: one that the roster leaves out is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.doctor.tools import _doubles
from meetctl.protocol import ToolsFound, ToolSource
from meetctl.roster import load_roster


@pytest.mark.parametrize(("only", "count"), [(None, 1), (("other",), 0), (("search",), 1)])
def test_only_what_is_offered_can_be_there_twice(tmp_path: Path, only: tuple[str, ...] | None, count: int) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text("agents: [{name: Ada, agent: audio}]\n")
    (ada,) = load_roster(file, environment={}).agents
    both = [
        (ToolSource(name="a", command=("a",)), ToolsFound(index=0, seconds=0.1, tools=("search", "send"))),
        (ToolSource(name="b", command=("b",), only=only), ToolsFound(index=1, seconds=0.1, tools=("search", "other"))),
    ]
    assert len(_doubles(ada, both)) == count
