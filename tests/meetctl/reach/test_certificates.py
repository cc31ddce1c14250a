"""A pair that was given: every way in which it does not fit is said before anything is served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meetctl.errors import SettingsError
from meetctl.reach.authority import keep_authority, new_leaf
from meetctl.reach.certificates import given_context

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """Returns a file with key and certificate for two names and an address."""
    hosts = ["meet.example", "*.rooms.example", "192.0.2.7"]
    path = tmp_path / "pair.pem"
    path.write_bytes(new_leaf(keep_authority(tmp_path, now=NOW), hosts, now=NOW))
    return path


@pytest.mark.parametrize("host", ["meet.example", "MEET.example", "standup.rooms.example", "192.0.2.7"])
def test_a_pair_is_taken_for_what_it_is_for(pair: Path, host: str) -> None:
    assert given_context(pair, pair, host, now=NOW).cert_store_stats() is not None


@pytest.mark.parametrize(
    ("host", "days", "told", "hint"),
    [
        ("other.example", 0, "is for meet.example, *.rooms.example, 192.0.2.7, not for other.example", "meet.example"),
        ("192.0.2.8", 0, "not for 192.0.2.8", "reach: {host: meet.example}"),
        ("a.b.rooms.example", 0, "not for a.b.rooms.example", "meet.example"),
        ("meet.example", 400, "ran out on 2027-04-01 12:00Z; this machine's clock says 2027-04-05 12:00Z", "renew it"),
        ("meet.example", -2, "is not valid before 2026-02-28 12:00Z; this machine's clock says", "check `date -u`"),
    ],
)
def test_one_that_does_not_fit_says_why(pair: Path, host: str, days: int, told: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        given_context(pair, pair, host, now=NOW + timedelta(days=days))
    assert told in caught.value.message
    assert hint in str(caught.value.hint)


def test_a_key_of_another_certificate_is_refused(pair: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(new_leaf(keep_authority(tmp_path, now=NOW), ["meet.example"], now=NOW))
    with pytest.raises(SettingsError, match="does not belong to"):
        given_context(pair, other, "meet.example", now=NOW)


def test_files_that_are_missing_or_hold_something_else_are_named(pair: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for certificate, key, told in (
        (tmp_path / "none.pem", pair, "none.pem cannot be read: No such file"),
        (pair, tmp_path / "none.key", "none.key cannot be read: No such file"),
        (empty, pair, "holds no certificate in PEM"),
        (pair, empty, "empty.pem cannot be used"),
    ):
        with pytest.raises(SettingsError) as caught:
            given_context(certificate, key, "meet.example", now=NOW)
        assert told in caught.value.message
