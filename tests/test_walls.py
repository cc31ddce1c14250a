"""The walls that import-linter cannot see: which parts of an external package are imported, and who prints or exits."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVERS = (ROOT / "meetctl/local/models", ROOT / "meetctl/local/simli")
ORCHESTRATOR = sorted(
    path
    for path in (ROOT / "meetctl").rglob("*.py")
    if not any(server in path.parents for server in SERVERS) and "node_modules" not in path.parts
)
HEAVY = ("livekit.rtc", "livekit.agents", "aiortc", "av", "numpy", "xllamacpp", "faster_whisper", "hibari", "openai")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", ORCHESTRATOR, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_orchestrator_imports_no_media_library(path: Path) -> None:
    heavy = {name for name in _imports(path) if any(name == part or name.startswith(f"{part}.") for part in HEAVY)}
    assert heavy == set()


def test_only_the_command_line_exits_and_only_settings_reads_the_environment() -> None:
    exits, reads = set(), set()
    for path in ORCHESTRATOR:
        text = path.read_text()
        name = str(path.relative_to(ROOT / "meetctl"))
        if "sys.exit(" in text or "SystemExit" in text:
            exits.add(name)
        if "os.environ" in text or "os.getenv" in text:
            reads.add(name)
    # The guard is a program of its own, with an exit code of its own.
    assert exits == {"cli.py", "supervisor/guard.py"}
    assert reads == {"settings.py"}


@pytest.mark.process
def test_help_loads_nothing_that_it_does_not_need() -> None:
    code = "import sys; import meetctl.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    unneeded = {"aiohttp", "yaml", "livekit", "pydantic", "psutil", "asyncio", "meetctl.meeting", "meetctl.supervisor"}
    assert unneeded & set(loaded) == set()
