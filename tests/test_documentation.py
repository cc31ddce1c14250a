"""What the README and the pages behind it say is so: samples, commands, targets, pictures, models."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from meetctl.catalogue import CATALOGUE, pair
from meetctl.cli import app
from meetctl.display.grouped_help import GROUPS
from meetctl.rehearsal.load import load_scenario
from meetctl.roster import load_roster

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
ALL = "\n".join(PAGES.values())
LONGEST_README = 250
"""Lines; what is more has a page of its own."""
SAMPLES = sorted((ROOT / "configs").glob("*.yaml"))
SCENARIOS = [ROOT / "configs/rehearsal.yaml"]
LINKED = [(page, target) for page, text in PAGES.items() for target in re.findall(r"\]\(([^)]+)\)", text)]
LARGEST_PICTURE = 300_000
"""Bytes: a README must load at once."""
EVERYTHING_SET = dict.fromkeys(
    ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "OPENAI_API_KEY", "SIMLI_API_KEY", "SIMLI_FACE_ID"), "x"
) | {"LIVEKIT_URL": "wss://example.livekit.cloud"}


def commands() -> dict[str, TyperCommand]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {name: command for name, command in group.commands.items() if isinstance(command, TyperCommand)}


def table_rows(heading: str) -> list[list[str]]:
    """Returns the cells of the table under this header cell."""
    lines = iter(ALL.splitlines())
    next(line for line in lines if line.startswith(f"| {heading} |"))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def test_the_pages_show_each_sample_as_it_is() -> None:
    shown = dict(re.findall(r"<!-- (configs/\S+) -->\n```yaml\n(.*?)```", ALL, re.S))
    assert {name: (ROOT / name).read_text(encoding="utf-8") for name in shown} == shown
    assert set(shown) == {f"configs/{path.name}" for path in SAMPLES}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_can_be_loaded(path: Path) -> None:
    if path in SCENARIOS:
        assert load_scenario(path, environment={}, room="rehearsal-1").steps
    else:
        assert load_roster(path, environment=EVERYTHING_SET).agents


def test_the_readme_names_every_command_and_no_other() -> None:
    named = [shlex.split(row[0].strip("`"))[1] for row in table_rows("Command")]
    assert sorted(named) == sorted(commands())


def test_commands_have_the_options_that_the_readme_and_the_examples_give_them() -> None:
    """Of every line of code that begins with `meetctl`, and of every example in a command's help."""
    examples = "\n".join(command.epilog or "" for command in commands().values())
    written = re.findall(r"`(meetctl [^`]+)`", ALL) + re.findall(
        r"(?:^|[$#:] +)(meetctl .+)$", f"{ALL}\n{examples}", re.M
    )
    given = [(line.split()[1], option) for line in written for option in re.findall(r"(?<!\S)--?[a-z-]+", line)]
    assert ("link", "--json") in given
    known = {name: {option for one in command.params for option in one.opts} for name, command in commands().items()}
    assert [(name, option) for name, option in given if option not in known.get(name, ())] == []


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"(?:^\$ |`)make ([a-z]+)", README, re.M))
    assert {"up", "test"} <= named <= targets


def test_what_the_pages_link_to_is_there() -> None:
    for page, target in LINKED:
        name, _, anchor = target.partition("#")
        if "://" in target:
            continue
        path = page.parent / name if name else page
        assert path.exists(), f"{page.name}: {target}"
        assert path.suffix != ".png" or path.stat().st_size < LARGEST_PICTURE
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), f"{page.name}: {target}"


def anchors(text: str) -> set[str]:
    """Returns what the headings of a page are linked by."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short_and_lists_what_it_holds() -> None:
    assert len(README.splitlines()) < LONGEST_README
    parts = re.findall(r"^## (.+)$", README, re.M)
    contents = README.partition("## Contents\n")[2].partition("\n## ")[0]
    assert [part for part in parts if part not in ("Contents", "Licence") and f"[{part}](#" not in contents] == []


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_help_of_each_command_says_what_it_is_for_and_gives_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    usage = shown.output.splitlines()[0].removeprefix(f"Usage: meetctl {name}")
    assert re.fullmatch(r"(?: \[OPTIONS\])?(?: [A-Z]+| \[[A-Z]+\](?:\.\.\.)?)*", usage), usage
    assert shown.exit_code == 0
    assert (commands()[name].help or "").split(":")[0].split()[0] in shown.output
    examples = re.findall(r"Example: (meetctl \S+)", shown.output)
    assert examples == [f"meetctl {name}"]


def test_the_list_of_commands_has_each_in_a_group_with_a_text_that_is_not_cut() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    listed = dict(re.findall(r"^  ([a-z]+) {2,}(\S.*)$", shown, re.M))
    assert sorted(listed) == sorted(commands())
    assert [text for text in listed.values() if text.endswith("...") or len(text) > 66] == []
    assert [group for group in GROUPS if f"\n{group}:\n" not in shown] == []


def test_the_readme_names_every_local_model_with_its_licence_its_size_and_where_it_comes_from() -> None:
    told = table_rows("Local model")
    assert [row[0].strip("*") for row in told] == [model.title for model in CATALOGUE]
    for row, model in zip(told, CATALOGUE, strict=True):
        assert row[1].strip("`").partition("`")[0] == model.name
        assert row[2] == model.publisher
        assert row[3] == model.licence
        assert row[4] == (f"{model.size / 1e6:.0f} MB" if model.files else "in the package")
        assert row[5] == f"{model.memory_mb} MB"
        sources = [model.hub.repository] if model.hub else []
        sources += [re.sub(r"\d+$", "", wheel.name) for wheel in model.wheels]
        assert all(source in row[6] for source in sources)
    fetched = sum(model.size for model in pair()) / 1e6
    assert f"the local models ({fetched:.0f} MB, once)" in README
