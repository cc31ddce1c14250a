"""A `.env` beside a roster: who wins, what is said of it, and where each variable comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meetctl.errors import SettingsError
from meetctl.roster import Origin, RosterFaults, load_entry_file, load_roster, load_variables, origins

ROSTER = """\
x-base: &base {agent: audio, persona: "You know ${TOPIC:-boats}."}
x-env: &env {PORT: 8080, SHARED: x}
room: odd
meeting: {topic: "${WORDS} ${OWN}"}
agents:
  - name: Ada
    <<: *base
    env: {<<: *env, KEY: "${SECRET}"}
    env_file: a.env
"""


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    file = tmp_path / "r.yaml"
    file.write_text(ROSTER)
    (tmp_path / "a.env").write_text("MORE=${OWN}/x\nSHARED=y\n")
    (tmp_path / ".env").write_text('WORDS=file\nSECRET="one\ntwo"\nOWN=#abc\n')
    return file


def test_the_shell_wins_then_the_file_beside_the_roster_then_the_default(roster: Path) -> None:
    variables = load_variables(roster, None, {"WORDS": "shell"})
    read = load_roster(roster, environment=variables)
    assert read.topic == "shell #abc"
    (ada,) = read.agents
    assert ada.persona == "You know boats."
    env = {name: value.get_secret_value() for name, value in ada.env.items()}
    assert env == {"PORT": "8080", "SHARED": "x", "KEY": "one\ntwo", "MORE": "#abc/x"}


def test_an_empty_variable_of_the_shell_is_one(roster: Path) -> None:
    assert load_roster(roster, environment=load_variables(roster, None, {"WORDS": ""})).topic == " #abc"


def test_where_each_variable_comes_from_is_known(roster: Path) -> None:
    variables = load_variables(roster, None, {"WORDS": "shell"})
    load_roster(roster, environment=variables)
    beside, own = roster.parent / ".env", roster.parent / "a.env"
    assert origins(roster, variables) == [
        Origin("OWN", "env_file", beside, 4),
        Origin("SECRET", "env_file", beside, 2),
        Origin("TOPIC", "default", roster, 1),
        Origin("WORDS", "shell"),
        Origin("MORE", "env_file", own, 1, "Ada"),
        Origin("PORT", "roster", roster, 2, "Ada"),
        Origin("SHARED", "roster", roster, 2, "Ada"),
        Origin("KEY", "roster", roster, 8, "Ada"),
    ]


def test_another_file_can_be_named_and_is_remembered(roster: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("WORDS=a\nOWN=b\nSECRET=c\n")
    read = load_roster(roster, environment=load_variables(roster, other, {}), env_file=other)
    assert (read.topic, read.env_file) == ("a b", other)
    with pytest.raises(SettingsError, match="no such file"):
        load_variables(roster, tmp_path / "missing", {})


def test_a_key_may_stand_in_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-from-the-file\n")
    file = tmp_path / "one.yaml"
    file.write_text("name: Ada\nagent: audio\nllm: openai/gpt-4o-mini\n")
    entry = load_entry_file(file, environment=load_variables(file, None, {}))
    assert entry.llm is not None
    assert entry.llm.api_key is not None
    assert entry.llm.api_key.get_secret_value() == "sk-from-the-file"


def test_nothing_beside_it_or_a_folder_of_that_name_is_no_fault(tmp_path: Path) -> None:
    assert dict(load_variables(tmp_path / "r.yaml", None, {"A": "1"})) == {"A": "1"}
    (tmp_path / ".env").mkdir()
    assert dict(load_variables(tmp_path / "r.yaml", None, {"A": "1"})) == {"A": "1"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"A=1\nwords\n", r"\.env:2: is not NAME=VALUE"),
        (b"A=1\n\xff=2\n", r"\.env:2: is not UTF-8"),
        (b"A='\0'\n", r"\.env:1: holds a NUL"),
        (b"A=sk-secret${NOPE}\n", r"\.env:1: variable NOPE is not set"),
        (b"A" * 1_000_001, "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_line_and_without_what_it_holds(
    data: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(data)
    with pytest.raises(SettingsError, match=said) as caught:
        load_variables(tmp_path / "r.yaml", None, {})
    assert "sk-secret" not in str(caught.value)


def test_what_no_environment_can_hold_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(
        "x-env: &env\n"
        '  SHARED: "a\\0b"\n'
        "agents:\n"
        '  - {name: A, agent: audio, env: {<<: *env, KEY: "a\\0b"}}\n'
        '  - {name: B, command: [a, "b\\0"], cwd: "~nobody-here/x"}\n'
        '  - {name: C, agent: audio, env_file: "c\\0"}\n'
    )
    with pytest.raises(RosterFaults) as caught:
        load_roster(file, environment=os.environ)
    assert {(fault.line, fault.path[2:]) for fault in caught.value.faults} == {
        (2, ("env", "SHARED")),
        (4, ("env", "KEY")),
        (5, ("command", 1)),
        (5, ("cwd",)),
        (6, ("env_file",)),
    }
