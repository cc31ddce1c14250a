"""What the project says of itself to contributors, and what runs its tests elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from testing.fixtures.lanes import Lane

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
MADE = {".venv", "node_modules", "static", "build", "dist"}
"""What make makes; hidden folders are caches of tools, but for these two:"""
HIDDEN = {".ci", ".github"}
MIRRORS = ("tests/meetctl/", "tests/meetctl_agents/")
"""Below these the folders are those of the packages."""


def folders(below: Path = ROOT) -> list[str]:
    """Returns every folder of the project, with a slash at its end."""
    found = []
    for path in sorted(below.iterdir()):
        name = path.name
        if path.is_dir() and name not in MADE and name != "__pycache__" and (name[0] != "." or name in HIDDEN):
            found += [f"{path.relative_to(ROOT)}/", *folders(path)]
    return found


def test_contributing_has_a_row_for_every_folder() -> None:
    told = {name for line in CONTRIBUTING.splitlines() if line.startswith("| `") for name in named(line.split("|")[1])}
    there = {folder for folder in folders() if not folder.startswith(MIRRORS) or folder in MIRRORS}
    assert "meetctl/local/simli/face/" in there
    assert sorted(there - told) == []
    assert sorted(name for name in told if name.endswith("/") and name not in there) == []


def named(cell: str) -> list[str]:
    """Returns what a cell names in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def test_contributing_says_how_long_each_lane_takes_and_how_to_run_one_test() -> None:
    rows = [line.split("|")[1:-1] for line in CONTRIBUTING.splitlines() if line.startswith("| `")]
    told = {named(row[0])[0]: row[-1].strip() for row in rows if named(row[0])[0] in set(Lane)}
    assert sorted(told) == sorted(Lane)
    assert all(re.search(r"\d+ (s|min)\b", seconds) for seconds in told.values()), told
    assert re.search(r"make test T=\S+ K=\S+", CONTRIBUTING)


def test_the_workflow_calls_what_ci_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    runs = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert [run for run in runs if re.search(r"\.ci/run$", run, re.M)] == ["bash .ci/run"]
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert all(re.search(rf"^ *(as_user |exec )?make .*\b{goal}$", ci, re.M) for goal in ("check", "test"))
    assert re.search(r"-m pytest -m root$", ci, re.M)


def test_every_hook_before_a_commit_is_a_tool_of_the_environment() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    tools = [hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"ruff", "typos", "lint-imports"} <= set(tools)
    assert [tool for tool in tools if f"$(BIN)/{tool}" not in makefile] == []
