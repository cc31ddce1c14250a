"""The walls that import-linter cannot see: which parts of an external package are imported, and who prints or exits."""

from __future__ import annotations

import ast
import re
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
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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
    # The guard, and what goes on detached in a fork, are processes of their own, with exit codes of their own.
    assert exits == {"cli.py", "supervisor/guard.py", "supervisor/detaching.py"}
    # What a program hides of the proxies from native code has to be done in the program itself, by the wire's rules.
    assert reads == {"settings.py", "protocol/proxies.py"}


def test_tests_benchmarks_and_what_they_share_import_in_one_direction() -> None:
    forbidden = {
        "tests": ("benchmarks",),
        "benchmarks": ("tests",),
        "testing": ("tests", "benchmarks"),
        "meetctl": ("tests", "testing", "benchmarks"),
        "agents": ("tests", "testing", "benchmarks"),
    }
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for folder, others in forbidden.items()
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
        for name in _imports(path)
        if name.partition(".")[0] in others
    }
    assert found == set(), "what tests and benchmarks share belongs to testing/"


def test_the_supervisor_knows_nothing_of_avatars_or_faces() -> None:
    known = {
        f"{path.name}: {word}"
        for path in (ROOT / "meetctl/supervisor").glob("*.py")
        for word in re.findall(r"(?i)avatar\w*|\bfaces?\b|\bsimli\b", path.read_text(encoding="utf-8"))
    }
    assert known == {"events.py: simli"}, "a name of a program, as an example"


def test_every_task_of_the_orchestrator_has_an_owner_that_reads_how_it_ended() -> None:
    made = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in ORCHESTRATOR
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("create_task", "ensure_future", "run_coroutine_threadsafe")
        and not (isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "_tasks")  # a TaskGroup
    }
    # Tasks are made in one place; below it, one function awaits what it measures beside a download.
    assert {place.partition(":")[0] for place in made} == {"meetctl/supervisor/tasks.py", "meetctl/local/wheels.py"}


@pytest.mark.process
def test_help_loads_nothing_that_it_does_not_need() -> None:
    code = "import sys; import meetctl.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    unneeded = {"aiohttp", "yaml", "livekit", "pydantic", "psutil", "asyncio", "meetctl.meeting", "meetctl.supervisor"}
    assert unneeded & set(loaded) == set()


@pytest.mark.process
def test_an_agent_without_tool_servers_loads_nothing_that_speaks_to_them() -> None:
    code = "import sys; import meetctl_agents.tools.calls, meetctl_agents.tools.toolbox; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "mcp" not in loaded


PRODUCT = sorted(
    path
    for package in (ROOT / "meetctl", ROOT / "agents", ROOT / "hatch_build.py")
    for path in ([package] if package.is_file() else package.rglob("*.py"))
    if "node_modules" not in path.parts
)
_MODE = re.compile(r"[rwaxt+]+")


def _is_text_without_encoding(call: ast.Call) -> bool:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in keywords or None in keywords:
        return False
    asked = [keywords.get("text"), keywords.get("universal_newlines")]
    if any(isinstance(value, ast.Constant) and value.value is True for value in asked):
        return True
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("read_text", "write_text"):
        return len(call.args) <= (name == "write_text")
    mode = keywords.get("mode")
    if name == "fdopen" or (name == "open" and isinstance(call.func, ast.Name)):
        mode = mode or (call.args[1] if len(call.args) > 1 else ast.Constant("r"))
    elif call.args:  # a path's own `open`; any other is no file's
        mode = call.args[0] if name == "open" else None
    return isinstance(mode, ast.Constant) and bool(_MODE.fullmatch(str(mode.value)))


def test_text_is_read_and_written_in_one_encoding_whatever_the_locale_says() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _is_text_without_encoding(node)
    ] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text('utf-8')", False),
        ("path.write_text(x, errors='replace')", True),
        ("open(path)", True),
        ("open(path, 'rb')", False),
        ("path.open('w', newline='')", True),
        ("os.fdopen(number, 'w')", True),
        ("os.fdopen(number, 'wb')", False),
        ("subprocess.run(argv, text=True)", True),
        ("subprocess.run(argv, text=True, encoding='utf-8')", False),
        ("webbrowser.open(link)", False),
        ("av.open(stream, mode='r')", False),
    ],
)
def test_the_rule_of_one_encoding_sees_each_way_of_writing_it(code: str, found: bool) -> None:
    (call,) = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    assert _is_text_without_encoding(call) is found


def test_no_task_of_an_agent_is_let_go_without_anybody_reading_how_it_ended() -> None:
    """What a set of tasks drops when it is done takes its exception with it, unless `tasks.begin` began it."""
    letting_go = set()
    for path in (ROOT / "agents/meetctl_agents").rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.unparse(function)
                if ".discard)" in text and ("create_task(" in text or "ensure_future(" in text):
                    letting_go.add(f"{path.name}: {function.name}")
    assert letting_go == set()
