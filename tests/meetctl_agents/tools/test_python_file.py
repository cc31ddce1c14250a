"""Files of tools: the one of the manual can be used as it stands, and what is wrong with others is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from livekit.agents import llm
from meetctl_agents.tools.python_file import ToolFileError, load_tools

MANUAL = Path(__file__).parents[3] / "agents/README.md"


async def test_the_file_of_tools_in_the_manual_works(tmp_path: Path) -> None:
    (source,) = re.findall(r"```python\n(\"\"\".*?)```", MANUAL.read_text(encoding="utf-8"), re.S)
    file = tmp_path / "shop.py"
    file.write_text(source, encoding="utf-8")
    tools = await load_tools(str(file))
    assert set(tools) == {"opening_hours", "count_stock"}
    assert await tools["opening_hours"]("monday") == "9 to 18"
    with pytest.raises(llm.ToolError, match="closed on sunday"):
        await tools["opening_hours"]("sunday")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 1", "it has no @function_tool"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
    ],
)
async def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, source: str, why: str) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(source)
    with pytest.raises(ToolFileError, match=re.escape(why)):
        await load_tools(str(file))
