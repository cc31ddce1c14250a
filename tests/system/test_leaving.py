"""A meeting whose terminal, reader or start goes away ends in good order; and a start that fails hides nothing."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Iterator

import pytest

from meetctl.commands.down import down
from meetctl.meeting.transcript_forms import record_of
from meetctl.protocol import Line, UtteranceKind
from meetctl.supervisor.sweep import marked
from testing.fixtures.command import Meetctl
from tests.system.light import WAIT_S, crash_reports, state_of, until, written

pytestmark = pytest.mark.system


@contextlib.contextmanager
def on_a_terminal(meetctl: Meetctl, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Runs a command with a terminal of its own, of which it is the session's leader; yields it and our end."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [meetctl.binary, *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**meetctl.environment, "TERM": "xterm-256color"},
        cwd=meetctl.cwd,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as command:
        os.close(follower)
        try:
            yield command, leader
        finally:
            command.kill()


def read_until(leader: int, text: bytes) -> None:
    shown = b""
    while text not in shown:
        shown += os.read(leader, 65536)


@pytest.mark.parametrize("seen", [b"#invite=", b"Idler"], ids=["when the link was printed", "with agents running"])
def test_closing_the_terminal_ends_the_meeting_in_good_order_and_says_so_with_129(
    meetctl: Meetctl, seen: bytes
) -> None:
    with on_a_terminal(meetctl, "up", written(meetctl, "closing")) as (command, leader):
        read_until(leader, seen)
        meeting = meetctl.note("closing")["meeting"]
        os.close(leader)
        assert command.wait(WAIT_S) == 129
    assert not marked(meeting)
    assert crash_reports(meetctl) == []
    assert [path.name for path in meetctl.runtime_dir.iterdir()] == ["closing.lock"]


def test_a_reader_that_goes_away_ends_the_meeting_in_good_order_with_0(meetctl: Meetctl) -> None:
    with meetctl.start("up", written(meetctl, "piped")) as command:
        assert command.stdout is not None and command.stderr is not None
        while "Idler" not in (line := command.stdout.readline()):
            assert line, command.stderr.read()
        meeting = meetctl.note("piped")["meeting"]
        command.stdout.close()
        with contextlib.suppress(StopIteration, ProcessLookupError):  # it may have found out already
            os.kill(pid_of_agent(meetctl, "piped"), signal.SIGKILL)  # so that there is something to tell
        assert command.wait(WAIT_S) == 0, command.stderr.read()
        assert "piped: room deleted" in command.stderr.read()
    assert not marked(meeting)
    assert crash_reports(meetctl) == []


def pid_of_agent(meetctl: Meetctl, room: str) -> int:
    (agent,) = next(meeting for meeting in meetctl.status() if meeting["room"] == room)["agents"]
    if agent["pid"] is None:
        raise ProcessLookupError(f"{agent['name']} is between two processes")
    return int(agent["pid"])


HELD_S = 7.0
"""How long the making of a room takes here; after ten seconds the start would give up by itself."""
REMOTE = "livekit: {url: 'ws://127.0.0.1:PORT', api_key: key, api_secret: secret-that-is-long-enough-for-everybody}\n"


def test_down_during_the_start_ends_it_in_good_order_and_up_says_so(
    meetctl: Meetctl, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # In this process: the command would need seconds to begin on a busy machine, and the moment be over.
    monkeypatch.setenv("XDG_RUNTIME_DIR", meetctl.environment["XDG_RUNTIME_DIR"])
    with SlowServer() as server:
        roster = written(meetctl, "early", head=REMOTE.replace("PORT", str(server.port)))
        with meetctl.start("up", roster, "-d") as up:
            until(lambda: "CreateRoom" in server.asked, "the room is being made")
            down("early", all_meetings=False, timeout_s=10, as_json=False)
            _, told = up.communicate(timeout=WAIT_S)
    proof = capsys.readouterr().out
    assert "killed" not in proof and "early: it was just starting" in proof
    assert (up.returncode, "early was ended while it was starting, by `meetctl down`" in told) == (1, True), told
    assert "DeleteRoom" in server.asked, "at a server of somebody else's the room would stay for days"
    assert [path.name for path in meetctl.runtime_dir.iterdir()] == ["early.lock"]


class SlowServer:
    """Answers like a LiveKit server that takes its time to make a room."""

    def __enter__(self) -> SlowServer:
        import threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        asked = self.asked = []  # type: list[str]
        gone = self._gone = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                what = self.path.rpartition("/")[2]
                asked.append(what)
                if what == "CreateRoom":
                    gone.wait(HELD_S)
                self.send_response(200)
                self.send_header("Content-Type", "application/protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_a_start_that_fails_hides_nothing_of_the_meeting_before(meetctl: Meetctl) -> None:
    before = state_of(meetctl) / "again" / "2026-01-01T09-00-00.000000Z"
    before.mkdir(parents=True)
    words = "We ship on Friday."
    line = Line(id="1", at=1767258001.0, speaker="Bob", identity="bob", kind=UtteranceKind.CHAT, text=words)
    (before / "transcript.jsonl").write_text(json.dumps(record_of(line, None)) + "\n")
    (before / "max.log").write_text("2026-01-01T09:00:01.000+00:00 hello\n")
    roster = written(meetctl, "again", head=REMOTE.replace("PORT", "9"))
    for arguments in (("up", roster), ("up", roster, "-d")):
        assert meetctl(*arguments).code == 5
        assert words in meetctl("transcript", "again").out
        assert "hello" in meetctl("logs", "--room", "again").out
