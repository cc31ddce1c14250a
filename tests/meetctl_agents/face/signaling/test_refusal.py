"""Every documented error of Simli becomes one typed failure, in the server's words, with a hint, without the key."""

from __future__ import annotations

import json

import pytest
from meetctl_agents.face.signaling.refusal import FaceFault, FaceRefused, refusal_from_status, refusal_from_text

from meetctl.protocol.secrets import Masker

WHERE = "https://api.simli.ai/compose/token"


@pytest.mark.parametrize(
    ("status", "body", "fault", "permanent", "message"),
    [
        (400, '{"session_token":"FAIL TOKEN","detail":"INVALID_API_KEY"}', FaceFault.KEY, True, "400: INVALID_API_KEY"),
        (400, '{"session_token":"FAIL TOKEN","detail":"BILLING_ERROR"}', FaceFault.BILLING, True, "BILLING_ERROR"),
        (400, '{"session_token":"FAIL TOKEN","detail":"MISSING_BILLING_INFO"}', FaceFault.BILLING, True, "MISSING"),
        (400, '{"session_token":"FAIL TOKEN","detail":"INVALID_FACE_ID"}', FaceFault.FACE_ID, True, "INVALID_FACE_ID"),
        (400, '{"session_token":"FAIL TOKEN","detail":"INVALID_EMOTION"}', FaceFault.EMOTION, True, "INVALID_EMOTION"),
        (400, '{"session_token":"FAIL TOKEN","detail":"SOMETHING_NEW"}', FaceFault.REQUEST, True, "SOMETHING_NEW"),
        (401, '{"error":"Unauthorized","code":7}', FaceFault.KEY, True, "401: Unauthorized"),
        (402, "You have run out of credits", FaceFault.BILLING, True, "402: You have run out of credits"),
        (404, "Not Found", FaceFault.ENDPOINT, True, "404: Not Found"),
        (408, "", FaceFault.TIMEOUT, False, "answered 408"),
        (
            422,
            '{"detail":[{"loc":["body","faceId"],"msg":"Field required","type":"missing"}]}',
            FaceFault.REQUEST,
            True,
            "422: body.faceId: Field required",
        ),
        (429, '{"detail":"Too many sessions"}', FaceFault.LIMIT, False, "429: Too many sessions"),
        (500, "<html>\n oops </html>", FaceFault.SERVER, False, "500: <html> oops </html>"),
        (503, '{"detail":{"why":"overloaded"}}', FaceFault.SERVER, False, '503: {"why": "overloaded"}'),
    ],
)
def test_an_error_status_is_understood(status: int, body: str, fault: FaceFault, permanent: bool, message: str) -> None:
    refused = refusal_from_status(status, body, WHERE)
    assert (refused.fault, refused.permanent) == (fault, permanent)
    assert refused.message.startswith(f"{WHERE} answered {status}")
    assert message in refused.message
    assert refused.hint


@pytest.mark.parametrize(
    ("text", "fault", "permanent"),
    [
        ("ERROR: INVALID_API_KEY", FaceFault.KEY, True),
        ("ERROR: INVALID_FACE_ID", FaceFault.FACE_ID, True),
        ("ERROR: MISSING_BILLING_INFO", FaceFault.BILLING, True),
        ("ERROR: something else", FaceFault.SERVER, False),
        ("RATE LIMIT: too many", FaceFault.LIMIT, False),
        ("CLIENT NOT CONNECTED TO LIVEKIT ROOM", FaceFault.MEDIA, False),
    ],
)
def test_an_error_message_is_understood(text: str, fault: FaceFault, permanent: bool) -> None:
    refused = refusal_from_text(text)
    assert (refused.fault, refused.permanent) == (fault, permanent)
    assert text in refused.message


def test_a_key_that_the_server_repeats_is_masked() -> None:
    mask = Masker(["sk-1234567"])
    refused = [
        refusal_from_status(400, json.dumps({"detail": "the key sk-1234567 is unknown"}), WHERE, mask),
        refusal_from_text("ERROR: key sk-1234567 is unknown", mask),
    ]
    assert not any("sk-1234567" in each.message for each in refused)


def test_a_long_page_is_cut() -> None:
    assert len(refusal_from_status(502, "x" * 100_000, WHERE).message) < 500


def test_every_fault_has_a_hint_and_its_own_code() -> None:
    refusals = [FaceRefused(fault, "no") for fault in FaceFault]
    assert all(refused.hint for refused in refusals)
    assert len({refused.as_dict()["code"] for refused in refusals}) == len(refusals)
