"""Signaling: what each message of the server means, and where ICE servers are of no use."""

from __future__ import annotations

import pytest
from meetctl_agents.face.signaling.base import (
    FaceSignal,
    Message,
    Notice,
    SdpAnswer,
    SessionEnding,
    chunks,
    parse_message,
)
from meetctl_agents.face.signaling.exchange import ice_server_from_entry
from meetctl_agents.face.signaling.refusal import FaceFault, FaceRefused

from meetctl.protocol.secrets import Masker


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("START", FaceSignal.START),
        ("SPEAK", FaceSignal.SPEAK),
        ("SILENT\n", FaceSignal.SILENT),
        ("ACK", FaceSignal.ACK),
        ('{"sdp":"v=0","type":"answer"}', SdpAnswer("v=0")),
        ('{"type": "answer", "sdp": "v=0"}', SdpAnswer("v=0")),
        ("CLOSING REASON: IDLE", SessionEnding("IDLE")),
        ("STOP REASON: MAX", SessionEnding("MAX")),
        ("STOP", SessionEnding("STOP")),
        ("ENDFRAME", Notice("ENDFRAME")),
        ('{"destination":"x","session_id":"y"}', Notice('{"destination":"x","session_id":"y"}')),
        ('{"video_metadata":{"fps":25}}', Notice('{"video_metadata":{"fps":25}}')),
        ("{broken", Notice("{broken")),
        ("WARNING: slow", Notice("WARNING: slow")),
        ("pong 12", Notice("pong 12")),
        ("", Notice("")),
    ],
)
def test_a_message_is_understood(text: str, expected: Message) -> None:
    assert parse_message(text) == expected


def test_an_error_message_is_a_refusal_without_secrets() -> None:
    refused = parse_message("ERROR: token abcdefgh expired", Masker(["abcdefgh"]))
    assert isinstance(refused, FaceRefused)
    assert refused.fault is FaceFault.SERVER
    assert "abcdefgh" not in refused.message


def test_speech_is_split_as_simli_takes_it() -> None:
    pieces = chunks(bytes(15_000))
    assert [len(piece) for piece in pieces] == [6000, 6000, 3000]
    assert chunks(b"") == []


def test_unknown_keys_of_an_ice_server_are_left_out() -> None:
    entry = {"urls": ["stun:s:1", "turn:t:2"], "username": "u", "credential": "c", "expires": 5}
    server = ice_server_from_entry(entry)
    assert (server.urls, server.username, server.credential) == (["stun:s:1", "turn:t:2"], "u", "c")
