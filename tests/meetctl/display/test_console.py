"""What goes to stdout and what to stderr; a real terminal (a pseudo one) where the difference matters."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from meetctl.display import console
from meetctl.display.progress import SparseLines
from meetctl.errors import OutputError, RosterError
from tests.meetctl.display.documents import FULL, LINK

ERROR = RosterError("roster.yaml:4: agents[0].persna: unknown key", hint="did you mean persona?")


def on_a_terminal(program: str, **variables: str) -> str:
    """Returns what the program shows on a terminal of 120 columns, both streams."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", "FORCE_HYPERLINK": "0"}
    environment |= variables
    process = subprocess.Popen([sys.executable, "-c", program], stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    shown = b""
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        try:
            while chunk := terminal.read(65536):
                shown += chunk
        except OSError:
            pass  # Linux's way to say that nobody writes any more
    assert process.wait(timeout=20) == 0, shown
    return shown.decode()


def test_data_goes_to_stdout_and_talk_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_data(LINK)
    console.print_json({"a": "ä"})
    console.talk("starting")
    out, err = capsys.readouterr()
    assert out == f'{LINK}\n{{\n  "a": "ä"\n}}\n'
    assert err == "starting\n"


def test_an_error_is_two_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_error(ERROR, as_json=False)
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: {ERROR.message}\nhint: {ERROR.hint}\n")


def test_an_error_for_scripts_is_the_same_as_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_error(ERROR, as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"schema_version": 1, "error": ERROR.as_dict()}
    assert err == ""


def test_a_crash_report_is_private_whole_and_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden-value")
    try:
        raise ValueError(f"bad answer to sk-hidden-value at {LINK}")
    except ValueError as error:
        path = console.write_crash_report(error, tmp_path)
        console.show_bug(error, path, as_json=False)
        console.show_bug(error, path, as_json=True)
    report = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "ValueError: bad answer to ••• at http://127.0.0.1:43817/#•••" in report
    assert "test_console.py" in report
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "bug"
    assert err == f"error: unexpected ValueError: this is a bug in meetctl\nhint: please report it with {path}\n"
    assert "hidden" not in report + out + err


def test_without_a_terminal_the_live_view_is_a_line_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    with console.live() as show:
        show(FULL)
        first = capsys.readouterr().out
        show(FULL)
        again = capsys.readouterr().out
    assert first.startswith(f"standup: join {LINK}\n")
    assert again == ""


def test_the_live_view_as_json_is_one_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with console.live(as_json=True) as show:
        show(FULL)
        show(FULL)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [FULL.model_dump(mode="json")] * 2


@pytest.mark.process
def test_on_a_terminal_the_live_view_is_one_board_that_is_drawn_over() -> None:
    shown = on_a_terminal(
        "from tests.meetctl.display.documents import FULL\n"
        "from meetctl.display import console\n"
        "with console.live() as show:\n"
        "    show(FULL)\n"
        "    console.talk('stopping; once more to force')\n"
        "    show(FULL)\n"
    )
    assert "\x1b[1A" in shown  # it goes up to draw over what it drew
    plain = re.sub(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert f"join {LINK}" in plain
    assert "stopping; once more to force" in plain
    assert "video/s" in plain


@pytest.mark.process
def test_a_narrow_terminal_gets_the_link_as_one_line_once_and_the_board_below() -> None:
    shown = on_a_terminal(
        "from tests.meetctl.display.documents import FULL, changed\n"
        "from meetctl.display import console\n"
        "with console.live() as show:\n"
        "    show(FULL)\n"
        "    show(changed(lambda m: m['agents'][0].update(state='stalled')))\n",
        COLUMNS="40",
    )
    assert shown.count(LINK) == 1
    assert f"join {LINK}\r\n" in shown
    linked = on_a_terminal(
        "from tests.meetctl.display.documents import FULL\n"
        "from meetctl.display import console\n"
        "console.print_status(FULL)\n",
        COLUMNS="40",
        FORCE_HYPERLINK="1",
    )
    assert f";{LINK}\x1b" in linked
    assert "open the page" in linked
    assert linked.count(LINK) == 1


@pytest.mark.process
def test_the_board_draws_changes_at_once_and_mere_figures_once_a_second_and_at_the_end() -> None:
    shown = on_a_terminal(
        "from tests.meetctl.display.documents import FULL, changed\n"
        "from meetctl.display import console\n"
        "console.FIGURES_S = 3600\n"
        "def at(seconds, state='running'):\n"
        "    return changed(lambda m: (m.update(uptime_s=seconds), m['agents'][0].update(state=state)))\n"
        "with console.live() as show:\n"
        "    show(at(1001))\n"
        "    show(at(1002))\n"
        "    show(at(1003, 'stalled'))\n"
        "    show(at(1004, 'stalled'))\n"
        "    show(at(1005, 'stalled'))\n"
    )
    assert re.findall(r"up 16:(\d\d)", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)) == ["41", "43", "45", "45"]


@pytest.mark.process
def test_on_a_terminal_downloads_have_bars() -> None:
    shown = on_a_terminal(
        "from meetctl.display import console\n"
        "with console.progress() as progress:\n"
        "    progress('models [x]', 0, 4_000_000)\n"
        "    progress('models [x]', 4_000_000, 4_000_000)\n"
        "    progress('built with Go', 7, None, 'packages')\n"
        "    progress('no length', 7_000_000, None)\n"
    )
    assert "models [x]" in shown
    assert "4.0 MB of 4.0 MB" in shown
    assert "built with Go 7 packages" in shown
    assert "no length" in shown
    assert "7.0 MB" in shown
    assert "?" not in shown.replace("\x1b[?", "")


def test_without_a_terminal_downloads_have_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress() as progress:
        for done in range(0, 8_000_001, 1000):
            progress("models", done, 8_000_000)
    assert capsys.readouterr().err.splitlines() == [f"models: {share} % of 8.0 MB" for share in (0, 25, 50, 75, 100)]


def test_each_download_has_its_own_lines_also_where_no_total_is_known() -> None:
    sparse = SparseLines()
    said = [line for done in range(1, 251) for line in sparse.lines("go", done, None, "packages")]
    assert said == ["go: begun", "go: 100 packages", "go: 200 packages"]
    assert sparse.lines("other", 5, 5_000_000) == ["other: 0 % of 5.0 MB"]


def test_a_terminal_that_is_not_utf_8_gets_what_it_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    console.print_data("Zoë → ready")
    assert raw.getvalue() == b"Zoe -> ready\n"


@pytest.mark.process
def test_a_line_of_output_does_not_wait_for_rich() -> None:
    program = "import sys; from meetctl.display import console; console.print_data('x'); print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "x\nFalse\n"


CLOSED = """
import os, sys
from meetctl.display import console
from meetctl.errors import Unheard
from meetctl.status.document import StatusDocument
from tests.meetctl.display.documents import FULL
with console.live() as show:
    show(FULL)
    os.write(TOLD, b"shown")
    os.read(GO, 1)
    try:
        show(StatusDocument())
    except Unheard as nobody:
        told = nobody.exit_code
console.talk("ends in order")
os.write(TOLD, str(int(told)).encode())
"""


@pytest.mark.process
@pytest.mark.parametrize(("how", "code"), [("terminal", b"129"), ("pipe", b"0")])
def test_a_screen_that_is_gone_is_told_to_whoever_shows_and_keeps_nobody_from_ending(how: str, code: bytes) -> None:
    leader, follower = pty.openpty() if how == "terminal" else os.pipe()
    told_read, told_write = os.pipe()
    go_read, go_write = os.pipe()
    program = CLOSED.replace("GO", str(go_read)).replace("TOLD", str(told_write))
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=follower,
        stderr=subprocess.DEVNULL if how == "pipe" else follower,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color"},
        pass_fds=[go_read, told_write],
        start_new_session=True,
    ) as process:
        for descriptor in (follower, go_read, told_write):
            os.close(descriptor)
        assert os.read(told_read, 5) == b"shown"
        os.close(leader)
        os.write(go_write, b"x")
        assert os.read(told_read, 5) == code
    os.close(told_read)
    os.close(go_write)
    assert process.returncode in (0, 120), "120 is the interpreter's own last flush, which `let_go` spares the command"


def test_talk_never_raises_and_data_that_finds_no_room_is_a_failure_with_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stderr", Full())
    console.talk("nobody reads this")
    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OutputError, match="No space left") as caught:
        console.print_data("nor this")
    assert caught.value.hint


@pytest.mark.process
def test_a_command_whose_output_finds_no_room_says_so_and_is_no_bug(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "meetctl", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: what was asked for could not be written: No space left on device\nhint: ")
