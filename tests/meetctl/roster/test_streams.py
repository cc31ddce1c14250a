"""Rosters that are no files, and what programs write. Real pipes, and the command itself where it reads its stdin."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from meetctl.roster import RosterFaults, load_roster, load_variables
from meetctl.roster.streams import base_of, handed_on, is_stream, keep, kept, read_bytes, shown

ROSTER = "room: odd\nagents:\n  - {name: Ada, agent: audio, env_file: x.env}\n"


@pytest.fixture
def fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a named pipe with a roster in it, in another folder than the current one."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "x.env").write_text("A=1\n")
    (tmp_path / "here" / ".env").write_text("B=2\n")
    monkeypatch.chdir(tmp_path / "here")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(ROSTER), daemon=True)
    writer.start()
    return pipe


def test_a_stream_is_read_once_and_its_paths_start_here(fifo: Path) -> None:
    assert is_stream(fifo)
    assert base_of(fifo) == Path.cwd()
    first = load_roster(fifo, environment=load_variables(fifo, None, {}))
    again = load_roster(fifo, environment={})  # nobody writes any more: it would wait for ever
    assert first == again
    assert first.agents[0].env["A"].get_secret_value() == "1"
    assert load_variables(fifo, None, {})["B"] == "2"


@pytest.mark.process
def test_another_process_reads_the_same_under_a_name_of_its_own(fifo: Path) -> None:
    read_bytes(fifo, 1000)
    with handed_on(fifo, None, Path("plain.yaml")) as (names, descriptors):
        assert names[Path("plain.yaml")] == "plain.yaml"
        program = "import sys; from meetctl.roster.streams import *; print(read_bytes(Path(sys.argv[1]), 999).decode())"
        done = subprocess.run(
            [sys.executable, "-c", program, names[fifo]],
            pass_fds=descriptors,
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.stdout == ROSTER + "\n", done.stderr


def test_what_another_process_has_read_is_as_good_as_read() -> None:
    keep({"/dev/fd/4711": SecretStr("room: there\nagents: [{name: A, agent: audio}]")})
    assert load_roster(Path("/dev/fd/4711"), environment={}).room == "there"
    assert "/dev/fd/4711" in kept()


@pytest.mark.parametrize(
    ("path", "expected"),
    [("-", True), ("/dev/stdin", True), ("/dev/fd/63", True), ("/proc/self/fd/3", True), ("x", False)],
)
def test_streams_are_known_by_their_names(path: str, expected: bool) -> None:
    assert is_stream(Path(path)) is expected
    assert shown(Path(path)) == ("<stdin>" if path == "-" else path)


@pytest.mark.process
@pytest.mark.parametrize(("named", "arguments"), [("-", ["up", "--dry-run"]), ("/dev/stdin", ["check"])])
def test_commands_read_a_roster_from_standard_input(named: str, arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("A=1\n")
    command = [sys.executable, "-m", "meetctl", *arguments, named]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    for text, code in ((ROSTER, 0), ("rooom: x\n" + ROSTER, 2)):
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60
        )
        assert done.returncode == code, done.stderr
    assert done.stderr.startswith(f"error: {'<stdin>' if named == '-' else named}:1: rooom: unknown key")
    assert not (tmp_path / "run").exists(), "a dry run makes nothing, and a check neither"


@pytest.mark.process
def test_a_roster_comes_from_a_process_substitution_and_so_do_its_variables(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("A=${OTHER}\n")
    python = shlex.quote(sys.executable)
    script = f'{python} -m meetctl check <(printf %s "$ROSTER") --env-file <(echo OTHER=1) --environment'
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "ROSTER": ROSTER},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Ada: A" in done.stdout


PROGRAMS = {
    "python": lambda document: json.dumps(document),
    "indented": lambda document: json.dumps(document, indent=2),
    "tabs": lambda document: json.dumps(document, indent="\t"),
    "compact": lambda document: json.dumps(document, separators=(",", ":")),
    "raw": lambda document: json.dumps(document, ensure_ascii=False),
    "slashes": lambda document: json.dumps(document).replace("/", "\\/"),
}


@pytest.mark.parametrize("writer", PROGRAMS)
def test_json_is_read_as_programs_write_it(writer: str, tmp_path: Path) -> None:
    persona = "You like rockets \N{ROCKET}, a/b, \u2028 lines, \x85 and \x7f, „quotes“."
    document = {
        "room": "js",
        "agents": [{"name": "Zo\N{ROCKET}e", "identity": "zoe", "agent": "audio", "persona": persona}],
    }
    file = tmp_path / "r.json"
    file.write_text(PROGRAMS[writer](document), encoding="utf-8")
    (zoe,) = load_roster(file, environment={}).agents
    assert (zoe.name, zoe.persona) == ("Zo\N{ROCKET}e", persona)


def test_a_pair_is_put_together_in_yaml_and_a_lone_half_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text('agents:\n  - {name: A, agent: audio, persona: "go \\ud83d\\ude80"}\n')
    assert load_roster(file, environment={}).agents[0].persona == "go \N{ROCKET}"
    for half in ("\\ud83d", "\\ude80", "\\ude80\\ud83d", "\\ud83d x \\ude80"):
        file.write_text(f'agents:\n  - {{name: A, agent: audio, persona: "go {half}"}}\n')
        with pytest.raises(RosterFaults, match=r"r\.yaml:2: .*half a character"):
            load_roster(file, environment={})
