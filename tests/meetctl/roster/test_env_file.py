"""`env_file` in a table."""

from __future__ import annotations

import pytest

from meetctl.roster.env_file import EnvFileError, parse_env_file


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
