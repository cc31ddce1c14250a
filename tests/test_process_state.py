"""What belongs to the whole process (umask, directory, environment, signals…) is never changed around an await.

Whoever is started meanwhile would inherit it. Each change that there is stands below, with the moment it is made; a new
one has to be put there, and none of them can hold an await.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = sorted(
    path
    for package in (ROOT / "meetctl", ROOT / "agents")
    for path in package.rglob("*.py")
    if "node_modules" not in path.parts
)

SETTERS = {
    "os.umask",
    "os.chdir",
    "os.fchdir",
    "os.chroot",
    "os.putenv",
    "os.unsetenv",
    "os.nice",
    "os.setpriority",
    "os.sched_setaffinity",
    "os.setsid",
    "os.setpgid",
    "os.setuid",
    "os.setgid",
    "os.environ.update",
    "os.environ.setdefault",
    "os.environ.pop",
    "os.environ.clear",
    "contextlib.chdir",
    "contextlib.redirect_stdout",
    "contextlib.redirect_stderr",
    "locale.setlocale",
    "resource.setrlimit",
    "signal.signal",
    "signal.siginterrupt",
    "signal.set_wakeup_fd",
    "signal.pthread_sigmask",
    "signal.setitimer",
    "signal.alarm",
    "socket.setdefaulttimeout",
    "sys.setrecursionlimit",
    "sys.setswitchinterval",
    "time.tzset",
    "warnings.catch_warnings",
    "warnings.simplefilter",
    "warnings.filterwarnings",
    "gc.disable",
    "gc.enable",
    "gc.freeze",
    "random.seed",
}

ALLOWED = {
    # At a program's start, before anything else runs in it:
    ("meetctl/cli.py", "main", "signal.signal"),
    ("meetctl/supervisor/guard.py", "main", "signal.signal"),
    ("meetctl/local/models/__main__.py", "main", "os.environ.setdefault"),
    ("agents/meetctl_agents/process/shell.py", "run_in_shell", "signal.signal"),
    ("meetctl/protocol/proxies.py", "keep_livekit_direct", "os.unsetenv"),
    # Around one call that starts a browser, in a command that runs nothing else:
    ("meetctl/settings.py", "marked", "os.environ[]"),
    # Of a thread that was started for it, which ends with what it loads:
    ("meetctl/local/models/giving_way.py", "run", "os.setpriority"),
    ("agents/meetctl_agents/preloader.py", "main", "gc.disable"),
    ("agents/meetctl_agents/preloader.py", "main", "gc.freeze"),
    ("agents/meetctl_agents/preloader.py", "main", "gc.enable"),
    ("agents/meetctl_agents/preloader.py", "_serve", "signal.set_wakeup_fd"),
    ("agents/meetctl_agents/preloader.py", "_serve", "signal.signal"),
    # Of a worker, before it serves; of a process of its, before it has a job:
    ("agents/meetctl_agents/worker/serving.py", "_server", "os.environ[]"),
    ("agents/meetctl_agents/worker/serving.py", "_server", "os.environ.pop"),
    ("agents/meetctl_agents/worker/job.py", "prepare", "os.environ.pop"),
    # In a fork, before it becomes the program:
    ("agents/meetctl_agents/preloader.py", "_serve_one", "signal.set_wakeup_fd"),
    ("meetctl/supervisor/detaching.py", "_become", "os.setsid"),
    ("agents/meetctl_agents/preloader.py", "_become", "os.setsid"),
    ("agents/meetctl_agents/preloader.py", "_become", "signal.signal"),
    ("agents/meetctl_agents/preloader.py", "_become", "os.environ.clear"),
    ("agents/meetctl_agents/preloader.py", "_become", "os.environ.update"),
    ("agents/meetctl_agents/preloader.py", "_become", "os.chdir"),
    ("agents/meetctl_agents/preloader.py", "_become", "time.tzset"),
    ("agents/meetctl_agents/preloader.py", "_become", "random.seed"),
    # So that children inherit nothing of it; changes nothing for this process:
    ("meetctl/supervisor/launcher.py", "spawn", "signal.pthread_sigmask"),
    ("meetctl/supervisor/launcher.py", "_catch_what_is_ignored", "signal.signal"),
}

Change = tuple[str, str, str]
"""File, function, and what is changed."""


def changes(source: str, file: str = "x.py") -> Iterator[tuple[Change, bool]]:
    """Yields every change of the process's state, and whether it can hold an await: in a coroutine or a generator."""
    tree = ast.parse(source)
    meant = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 0
        for alias in node.names
    } | {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }
    yield from _changes(tree, file, "<module>", False, meant)


def _changes(
    node: ast.AST, file: str, function: str, can_wait: bool, meant: dict[str, str]
) -> Iterator[tuple[Change, bool]]:
    for child in ast.iter_child_nodes(node):
        inside, waits = function, can_wait
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = child.name if not isinstance(child, ast.Lambda) else "<lambda>"
            yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in _own(child))
            waits = isinstance(child, ast.AsyncFunctionDef) or yields or inside in ("__enter__", "__exit__")
        if (what := _what(child, meant)) is not None:
            yield (file, inside, what), waits
        yield from _changes(child, file, inside, waits, meant)


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of a function without those of functions in it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _own(child)


def _what(node: ast.AST, meant: dict[str, str]) -> str | None:
    if isinstance(node, ast.Call):
        name = _name(node.func, meant)
        return name if name in SETTERS else None
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign):
        targets = [node.target]
    for target in targets:
        if isinstance(target, ast.Subscript) and _name(target.value, meant) == "os.environ":
            return "os.environ[]"
    return None


def _name(node: ast.expr, meant: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value, meant)}.{node.attr}"
    return meant.get(node.id, node.id) if isinstance(node, ast.Name) else ""


FOUND = {
    change: waits
    for path in PRODUCT
    for change, waits in changes(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
}


def test_no_change_of_process_state_can_hold_an_await() -> None:
    assert [change for change, waits in FOUND.items() if waits] == []


def test_every_change_of_process_state_is_known_and_every_known_one_is_there() -> None:
    assert set(FOUND) == ALLOWED


@pytest.mark.parametrize(
    ("source", "what", "waits"),
    [
        ("import os\nasync def f():\n    mask = os.umask(0o177)\n    await g()\n    os.umask(mask)", "os.umask", True),
        ("from os import umask as u\nasync def f():\n    u(0)", "os.umask", True),
        ("import os as o\nasync def f():\n    async with g():\n        o.chdir('/')", "os.chdir", True),
        (
            "import contextlib\nasync def f():\n    with contextlib.chdir('/'):\n        await g()",
            "contextlib.chdir",
            True,
        ),
        ("import os\nasync def f():\n    os.environ['A'] = 'b'", "os.environ[]", True),
        ("from os import environ\nasync def f():\n    del environ['A']", "os.environ[]", True),
        ("import os\n@contextmanager\ndef masked():\n    os.umask(0)\n    yield", "os.umask", True),
        ("import os\nclass Masked:\n    def __enter__(self):\n        os.umask(0)", "os.umask", True),
        ("import os\ndef f():\n    os.umask(os.umask(0))", "os.umask", False),
        ("import os\nos.nice(1)", "os.nice", False),
    ],
)
def test_the_rule_sees_each_way_of_writing_it(source: str, what: str, waits: bool) -> None:
    assert {(found[2], can_wait) for found, can_wait in changes(source)} == {(what, waits)}
