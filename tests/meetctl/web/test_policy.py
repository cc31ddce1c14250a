"""Hosts, origins, names and headers, as pure decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.web.invites import Invites, Role
from meetctl.web.policy import MAX_NAME_CHARACTERS, clean_name, hosts_of, page_headers


@pytest.mark.parametrize(
    ("livekit_url", "sources"),
    [
        ("ws://127.0.0.1:7880", "ws://127.0.0.1:7880 http://127.0.0.1:7880"),
        ("wss://rtc.example.com/path", "wss://rtc.example.com https://rtc.example.com"),
        ("https://rtc.example.com", "wss://rtc.example.com https://rtc.example.com"),
        ("wss://standup-x1.livekit.cloud", "wss://*.livekit.cloud https://*.livekit.cloud"),
        ("wss://user:word@rtc.example.com:444", "wss://rtc.example.com:444 https://rtc.example.com:444"),
    ],
)
def test_the_page_may_reach_its_livekit_server_and_nothing_else(livekit_url: str, sources: str) -> None:
    assert f"connect-src 'self' {sources};" in page_headers(livekit_url)["Content-Security-Policy"]


def test_a_server_on_the_loopback_answers_to_its_names_and_another_only_to_its_own() -> None:
    assert hosts_of("127.0.0.1", 80) == {"127.0.0.1:80", "localhost:80", "[::1]:80"}
    assert hosts_of("192.0.2.1", 80) == {"192.0.2.1:80"}


@given(st.text())
def test_a_clean_name_is_one_short_line_and_stays_as_it_is_when_cleaned_again(name: str) -> None:
    cleaned = clean_name(name)
    if cleaned is not None:
        assert 0 < len(cleaned) <= MAX_NAME_CHARACTERS
        assert cleaned.splitlines() == [cleaned]
        assert clean_name(cleaned) == cleaned


def test_a_name_keeps_its_letters_and_loses_what_would_rewrite_the_line() -> None:
    assert clean_name("Zoë 👩‍💻 O’Brien") == "Zoë 👩‍💻 O’Brien"
    assert clean_name("Ada\u202e\n:dias") == "Ada :dias"


def test_each_invite_gives_its_own_role_and_no_two_meetings_share_one() -> None:
    first, second = Invites.create(), Invites.create()
    for role in Role:
        assert first.role_of(first.of(role).get_secret_value()) is role
        assert second.role_of(first.of(role).get_secret_value()) is None
    assert len(first.guest.get_secret_value()) >= 22  # 128 bits in base64
