"""What the doctor makes of what servers elsewhere answer, as tables."""

from __future__ import annotations

import pytest

from meetctl.doctor.findings import Level, WebAnswer
from meetctl.doctor.services import FaceAnswers, judge_face, judge_livekit

URL = "https://simli.example"
SESSIONS = WebAnswer(200, '{"currentUsage": 2}')
TOKEN = WebAnswer(200, '{"session_token": "t"}')
OK, WARNING, FAILURE = Level.OK, Level.WARNING, Level.FAILURE


@pytest.mark.parametrize(
    ("sessions", "token", "levels", "words", "hint"),
    [
        (SESSIONS, TOKEN, [OK, OK], "the face of Ada is there", None),
        (SESSIONS, None, [OK], "2 sessions under way", None),
        (
            WebAnswer(error="cannot connect"),
            WebAnswer(error="cannot connect"),
            [FAILURE],
            "cannot connect",
            "reachable",
        ),
        (WebAnswer(401, '{"error": "bad key", "code": 1}'), TOKEN, [FAILURE], "HTTP 401 bad key", "SIMLI_API_KEY"),
        (WebAnswer(502, "<html>" + "x" * 999), TOKEN, [FAILURE], "HTTP 502 <html>x", "Simli's side"),
        (
            SESSIONS,
            WebAnswer(400, '{"detail": "INVALID_FACE_ID"}'),
            [OK, FAILURE],
            "INVALID_FACE_ID",
            "check the face_id",
        ),
        (SESSIONS, WebAnswer(400, '{"detail": "INVALID_API_KEY"}'), [OK, FAILURE], "INVALID_API_KEY", "SIMLI_API_KEY"),
        (SESSIONS, WebAnswer(402, '{"detail": "out of credits"}'), [OK, FAILURE], "out of credits", "add credit"),
        (SESSIONS, WebAnswer(422, '{"detail": [{"loc": ["body"]}]}'), [OK, FAILURE], '"loc"', "check the face_id"),
        (SESSIONS, WebAnswer(429, '{"detail": "Too many"}'), [OK, WARNING], "Too many", "wait until"),
        (SESSIONS, WebAnswer(error="no answer within 5 s"), [OK, FAILURE], "no answer", "reachable"),
        (SESSIONS, WebAnswer(200, "not json"), [OK, FAILURE], "not json", "Simli's side"),
    ],
)
def test_each_answer_of_simli_is_told_with_what_to_do(
    sessions: WebAnswer, token: WebAnswer | None, levels: list[Level], words: str, hint: str | None
) -> None:
    found = list(judge_face(FaceAnswers(URL, "Ada", sessions, token)))
    assert [finding.level for finding in found] == levels
    assert words in found[-1].message
    assert len(found[-1].message) < 300
    assert found[-1].hint is None if hint is None else hint in (found[-1].hint or "")


def test_a_livekit_server_is_well_or_told_in_its_own_words() -> None:
    assert judge_livekit("wss://x", None, 12.4).message == "wss://x answers in 12 ms and knows the key"
    refused = judge_livekit("wss://x", ("wss://x refused the credentials", "check LIVEKIT_API_SECRET"), 0)
    assert (refused.level, refused.hint) == (FAILURE, "check LIVEKIT_API_SECRET")
    assert judge_livekit("wss://x", ("odd", None), 0).hint is not None
