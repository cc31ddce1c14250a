"""`env_file` in a table."""

from __future__ import annotations

import subprocess

import pytest

from meetctl.roster.env_file import EnvFileError, parse_env_file, why_not_held


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("\n# comment\n  # another\n", {}),
        ("A=1", {"A": "1"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("export A = 1 ", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A= # nothing", {"A": ""}),
        ("A=1 # one", {"A": "1"}),
        ("A=a#b", {"A": "a#b"}),
        ("A=x=y", {"A": "x=y"}),
        ("A='sp # $X \\n' # c", {"A": "sp # $X \\n"}),
        ('A="two\\nlines \\"q\\" \\\\" # c', {"A": 'two\nlines "q" \\'}),
        ('A=""', {"A": ""}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=$HOME", {"A": "$HOME"}),
        ("A=#abc", {"A": "#abc"}),
        ("A: 1", {"A": "1"}),
        ("my.key-1=x", {"my.key-1": "x"}),
        ('A="one\ntwo # no comment\n"\nB=2', {"A": "one\ntwo # no comment\n", "B": "2"}),
        ("A='one\r\ntwo'\r\nB=2\r\n", {"A": "one\ntwo", "B": "2"}),
        ("A='Let\\'s go'", {"A": "Let's go"}),
        ('A="{\\"a\\": \\"b\\"}"', {"A": '{"a": "b"}'}),
        ('A="\\x \\0101 \\$B"', {"A": "\\x A $B"}),
        ("A=\\n", {"A": "\\n"}),
    ],
)
def test_lines_become_variables(text: str, variables: dict[str, str]) -> None:
    assert parse_env_file(text) == variables


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("A=1\nwords", 2, "is not NAME=VALUE"),
        ("1A=1", 1, "is not NAME=VALUE"),
        ("A='open", 1, "opens a quote and does not close it"),
        ('A="open\\"', 1, "opens a quote and does not close it"),
        ("A='x'y", 1, "goes on after the closing quote"),
    ],
)
def test_a_line_that_sets_nothing_is_refused_by_number(text: str, line: int, message: str) -> None:
    with pytest.raises(EnvFileError) as caught:
        parse_env_file(text)
    assert (caught.value.line, caught.value.message) == (line, message)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\nB=${A}/x", {"A": "1", "B": "1/x"}),
        ("B=$SHELL/x", {"B": "sh/x"}),
        ("SHELL=mine\nB=${SHELL}", {"SHELL": "mine", "B": "sh"}),
        ('B="${NOPE:-$SHELL}"', {"B": "sh"}),
        ("B='${NOPE}'", {"B": "${NOPE}"}),
        ('B="\\${NOPE} $$1"', {"B": "${NOPE} $1"}),
    ],
)
def test_values_are_filled_in_by_the_shell_first_and_then_by_the_lines_above(
    text: str, variables: dict[str, str]
) -> None:
    assert parse_env_file(text, {"SHELL": "sh"}) == variables


def test_every_line_that_is_wrong_is_told_and_where_the_good_ones_stand_is_known() -> None:
    with pytest.raises(EnvFileError) as caught:
        parse_env_file('A=1\nwords\nB=${NOPE}\nC="\\0000"\nD=a$\nE="open', {})
    assert [(fault.line, fault.message.split(":")[0]) for fault in caught.value.faults] == [
        (2, "is not NAME=VALUE"),
        (3, "variable NOPE is not set"),
        (4, "holds a NUL character, which no environment can"),
        (5, "'$' names no variable"),
        (6, "opens a quote and does not close it"),
    ]
    lines: dict[str, int] = {}
    parse_env_file('A="1\n2"\n\nB=2', lines=lines)
    assert lines == {"A": 1, "B": 4}


@pytest.mark.process
@pytest.mark.parametrize(
    ("value", "why"),
    [("a\0b", "NUL"), ("\ud83d", "half a character"), ("x" * 128 * 1024, "131072 bytes"), ("x" * 99, None)],
)
def test_what_no_environment_can_hold_is_known_before_a_process_is_to_have_it(value: str, why: str | None) -> None:
    assert (why or "") in (why_not_held(value) or "")
    assert (why is None) == (why_not_held(value) is None)
    if why is None:
        subprocess.run(["true"], env={"A": value}, check=True)
    else:
        with pytest.raises((ValueError, OSError)):
            subprocess.run(["true"], env={"A": value}, check=True)
