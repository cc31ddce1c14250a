"""The pages about the code name what is there, by its present name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
PATH = re.compile(r"\b(?:meetctl|agents|tests|testing|docs)/[\w/]*(?:\.py|\.md|/)")
SOURCES = sorted(
    path
    for folder in ("meetctl", "agents", "testing")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)

OLD_NAMES = frozenset(
    {
        *("Wish", "Holding", "Give", "Cut", "Began", "SpeechBegan", "TalkBegan", "Lulled", "SpeechGuessed"),
        *("SpeechHeard", "Stretches", "Sounded", "Said", "Ailing", "condemn", "dismiss", "_blame"),
        *("leans_on", "heed", "ignore", "happenings", "Happenings", "Keeper", "keeping", "FaceKeeper", "Sitting"),
        *("Company", "Mind", "Tape", "Ears", "first_words", "Leisure", "Places", "Door", "SocketDoor"),
        *("own_words", "OwnWords", "overhearing", "Overhearing", "_overhearing", "Offline", "Place", "StageFright"),
        *("guarded", "Witness", "ask_for_first_words", "_Ears", "_heed"),
        *("pulse", "minutes", "Minutes", "leisure", "next_wish", "aiortc_seams", "sitting", "company"),
    }
)
"""What things were called; each has the field's name now, which the glossary gives where it is not plain."""

MOST_LINES = 400
"""Of a module: what is longer does two jobs."""

TWINS = frozenset({"Cast", "Meeting", "People", "Tasks"})
"""What is one thing on both sides of the wire: the orchestrator's and the agents' view of it."""


OLD_FILES = frozenset({"letters"})
"""What only files were called."""


def defined(tree: ast.AST) -> Iterator[str]:
    """Yields the names of classes, functions and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (
                part.target.id
                for part in node.body
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            )
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def defined_in(path: Path) -> set[str]:
    return set(defined(ast.parse(path.read_text(encoding="utf-8"))))


def known_names() -> set[str]:
    names: set[str] = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names |= {path.stem, *defined(tree)}
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return names


KNOWN = known_names()


def test_every_path_of_the_architecture_is_there() -> None:
    paths = PATH.findall(ARCHITECTURE)
    assert len(paths) > 50
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_name_of_the_architecture_is_there() -> None:
    names = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", ARCHITECTURE)) - {"LiveKit", "WebRTC"}
    assert {"AgentEntry", "SpeechStarted", "GrantFloor", "LegStats"} <= names
    assert names - KNOWN == set()


def test_every_code_name_of_the_glossary_is_there() -> None:
    rows = [line.split("|")[1:-1] for line in GLOSSARY.splitlines() if line.startswith("| ")]
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row[2])}
    assert len(names) > 40
    assert names - KNOWN == set()


def test_nothing_is_called_what_it_was_called_once() -> None:
    assert {
        str(path.relative_to(ROOT)): old
        for path in SOURCES
        if (old := (defined_in(path) & OLD_NAMES) | ({path.stem} & (OLD_NAMES | OLD_FILES)))
    } == {}


def test_a_class_s_name_means_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in SOURCES:
        if path.is_relative_to(ROOT / "testing"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name for name, found in places.items() if len(found) > 1} == TWINS, "give one of them another name"


def test_no_module_is_too_long_to_read_at_once() -> None:
    ours = [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in ours}
    assert len(lengths) > 500
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_the_tests_lie_in_the_folders_of_what_they_test() -> None:
    mirrors = {"meetctl": ROOT / "meetctl", "meetctl_agents": ROOT / "agents/meetctl_agents"}
    folders = {
        (package, str(path.parent.relative_to(ROOT / "tests" / package)))
        for package in mirrors
        for path in (ROOT / "tests" / package).rglob("test_*.py")
    }
    assert len(folders) > 30
    assert {place for place in folders if not (mirrors[place[0]] / place[1]).is_dir()} == set()


JOURNEYS = {
    "A roster becomes an agent": (15, 21),
    "A sentence becomes an answer": (20, 24),
    "A frame rate becomes a number on the board": (10, 10),
}
"""The most files on the way itself, and with all that is asked on the way: whoever adds one joins two others."""


@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_journey_does_not_become_longer(journey: str) -> None:
    drawn = ARCHITECTURE.partition(f"## {journey}\n")[2].partition("```\n")[2].partition("```")[0].splitlines()
    way = [line for line in drawn if not line.startswith(" ")]
    assert drawn and all(PATH.match(line.strip()) for line in drawn)
    most_on_the_way, most = JOURNEYS[journey]
    assert len(way) <= most_on_the_way and len(drawn) <= most
