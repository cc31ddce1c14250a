from __future__ import annotations

import base64
import errno
import json
import os
import resource
from datetime import datetime
from pathlib import Path

import pytest

from meetctl.protocol.secrets import Masker
from meetctl.rooms import agent_token
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.logs import LOG_FILES, RETRY_S, ChildLog, log_files


def test_a_full_log_is_turned_over_and_the_oldest_part_goes(tmp_path: Path) -> None:
    path = tmp_path / "ada.log"
    log = ChildLog(path, Masker(), max_bytes=200)
    for number in range(40):
        log.write(f"line {number}")
    log.close()
    files = log_files(path)
    assert sorted(tmp_path.iterdir()) == sorted(files) and len(files) == LOG_FILES
    assert all(file.stat().st_size <= 200 and file.stat().st_mode & 0o777 == 0o600 for file in files)
    kept = [line for file in reversed(files) for line in file.read_text().splitlines()]
    assert [line.split(" ", 1)[1] for line in kept] == [f"line {number}" for number in range(40 - len(kept), 40)]


def test_a_line_longer_than_a_file_is_kept_whole(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "ada.log", Masker(), max_bytes=100)
    log.write("short")
    log.write("x" * 500)
    log.close()
    assert (tmp_path / "ada.log").read_text().endswith("x" * 500 + "\n")
    assert (tmp_path / "ada.log.1").read_text().endswith("short\n")


def test_a_log_goes_on_where_it_ended_and_counts_what_is_there(tmp_path: Path) -> None:
    for word in ("first", "second"):
        log = ChildLog(tmp_path / "ada.log", Masker(), max_bytes=80)
        log.write(word)
        log.close()
    log = ChildLog(tmp_path / "ada.log", Masker(), max_bytes=80)
    log.write("third")
    log.close()
    assert (tmp_path / "ada.log.1").read_text().count("\n") == 2
    assert (tmp_path / "ada.log").read_text().endswith("third\n")


def test_every_line_has_its_time_and_no_secret(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "ada.log", Masker(["sentinel-4711"]))
    log.write("key sentinel-4711 é \udcff")
    log.close()
    at, text = (tmp_path / "ada.log").read_text().rstrip("\n").split(" ", 1)
    assert datetime.fromisoformat(at).utcoffset() is not None
    assert text == "key ••• é ?"
    assert log.last_lines() == ("key ••• é \udcff",)


def test_the_last_errors_are_what_it_wrote_on_stderr_where_it_wrote_there(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "ada.log", Masker())
    assert log.last_errors() == ()
    for line in ("one", "two", "three", " ", "four"):
        log.write(line)
    assert log.last_errors() == ("two", "three", "four")
    log.write("PermissionError: no", is_error=True)
    log.write("", is_error=True)
    log.note("[killed] it has not joined")
    assert log.last_errors() == ("PermissionError: no",)
    assert log.last_lines()[-2:] == ("PermissionError: no", "")
    assert "[killed]" in (tmp_path / "ada.log").read_text()
    log.forget()
    assert log.last_errors() == ()
    log.close()


def test_a_full_disk_is_told_once_and_tried_again_and_costs_only_what_came_meanwhile(tmp_path: Path) -> None:
    told: list[str] = []
    now = 0.0
    log = ChildLog(tmp_path / "ada.log", Masker(), broke=told.append, clock=lambda: now)
    log.write("before")
    size = (tmp_path / "ada.log").stat().st_size
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        log.write("lost")
        now = RETRY_S
        log.write("lost too")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.write("not tried yet")
    now = 2 * RETRY_S
    log.write("after")
    log.close()
    assert told == [os.strerror(errno.EFBIG)]
    written = [line.split(" ", 1)[1] for line in (tmp_path / "ada.log").read_text().splitlines()]
    assert written == ["before", "after"]
    assert log.last_lines() == ("before", "lost", "lost too", "not tried yet", "after")


def test_an_access_token_is_masked_by_its_form_although_nobody_named_it(livekit_server: LiveKitCredentials) -> None:
    token = agent_token(livekit_server, room="standup", identity="ada", name="Ada").get_secret_value()
    assert Masker()(f"connecting to ws://host/rtc?access_token={token}&sdk=python") == (
        "connecting to ws://host/rtc?access_token=•••&sdk=python"
    )
    assert Masker()("keyJoin.a.b") == "k•••", "rather too much than too little"


KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nq8rPZ4f1Qw==\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        (KEY, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
        (KEY, "  q8rPZ4f1Qw=="),
        (KEY, json.dumps({"key": KEY})),
        ('pa"ss\\word', json.dumps({"password": 'pa"ss\\word'})),
        ("pä$$ wörd", "https://example.org/?p=p%C3%A4%24%24+w%C3%B6rd"),
        ("pä$$ wörd", "https://example.org/?p=p%C3%A4%24%24%20w%C3%B6rd"),
        ("pä$$ wörd", json.dumps("pä$$ wörd")),
        ("sk-secret-1", "Authorization: Basic " + base64.b64encode(b"sk-secret-1").decode()),
        ("line\\one'x", repr("line\\one'x")),
        ("a<b>&secret", "a&lt;b&gt;&amp;secret"),
    ],
)
def test_a_secret_is_masked_in_whatever_form_it_is_written(secret: str, shown: str) -> None:
    masked = Masker([secret])(shown)
    assert "•••" in masked
    for form in (secret, "MIIEvQIB", "q8rPZ4f1", "w%C3%B6rd", "w\\u00f6rd", base64.b64encode(secret.encode()).decode()):
        assert form not in masked
