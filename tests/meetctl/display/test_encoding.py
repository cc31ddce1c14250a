"""Streams of every encoding, real ones, and the whole command in a terminal that knows little."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from meetctl.display import board, console
from meetctl.display.encoding import InColumns, adapt
from tests.meetctl.display.documents import FULL, LINK

ODD = ("latin-1", "ascii", "cp437", "koi8-r", "iso-8859-9", "gb2312")
WORDS = "Zoë – ready → \u201cnow\u201d… • 你好 \N{ROCKET} e\u0301 \ud83d\x85"


def written(write: Callable[[], None], encoding: str, monkeypatch: pytest.MonkeyPatch) -> str:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    write()
    sys.stdout.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", [*ODD, "utf-8"])
def test_no_character_is_too_much_for_any_stream(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = written(lambda: console.print_data(WORDS), encoding, monkeypatch)
    assert shown.startswith("Zo")
    assert shown.endswith("\n")
    assert "ready" in shown


def test_prose_is_spelled_out_where_a_character_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> None:
        console.print_data("export KEY=… → “ü” – 你 •")

    assert written(write, "ascii", monkeypatch) == 'export KEY=... -> "u" - ? *\n'
    assert written(write, "latin-1", monkeypatch) == 'export KEY=... -> "ü" - ? *\n'
    assert written(write, "utf-8", monkeypatch) == "export KEY=… → “ü” – 你 •\n"


@pytest.mark.parametrize("encoding", ODD)
def test_the_board_has_the_same_columns_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw() -> None:
        console.print_board(board.render_all(FULL))

    monkeypatch.setenv("COLUMNS", "120")
    plain, odd = written(draw, "utf-8", monkeypatch), written(draw, encoding, monkeypatch)
    assert [len(line) for line in odd.splitlines()] == [len(line) for line in plain.splitlines()]
    assert LINK in odd


def test_what_was_laid_out_keeps_its_width() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    InColumns(stream).write("a…→–你e\u0301é│")
    assert raw.getvalue() == b"a.>-??ee|"


@pytest.mark.parametrize("encoding", [*ODD, "utf-8"])
def test_json_says_the_same_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"name": WORDS, "\N{ROCKET}": ["–"]}
    for write in (console.print_json, console.print_json_line):
        shown = written(lambda write=write: write(document), encoding, monkeypatch)  # type: ignore[misc]
        assert json.loads(shown) == document


def test_a_stream_is_adapted_once_and_others_are_left_alone() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    adapt(stream)
    before = stream.errors
    adapt(stream)
    adapt(io.StringIO())
    assert stream.errors == before == "meetctl.spell-out"


@pytest.mark.process
@pytest.mark.parametrize(
    ("encoding", "arguments"),
    [
        ("latin-1", ["--help"]),
        ("latin-1", ["check", "nö–there.yaml"]),
        ("ascii", ["status"]),
        ("ascii", ["--nö–option"]),
        ("ascii", ["logs", "→"]),
    ],
)
def test_every_command_writes_what_the_terminal_can_hold(
    encoding: str, arguments: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = str(tmp_path_factory.mktemp("home"))
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "XDG_STATE_HOME": home, "XDG_RUNTIME_DIR": home}
    done = subprocess.run(
        [sys.executable, "-m", "meetctl", *arguments], capture_output=True, env=environment, timeout=60, check=False
    )
    said = (done.stdout + done.stderr).decode(encoding)
    assert done.returncode in (0, 2, 3), said
    assert "Traceback" not in said
    assert "unexpected" not in said
