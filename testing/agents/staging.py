"""Assignments for agents in a test's room."""

from __future__ import annotations

from pydantic import SecretStr

from meetctl.protocol import Assignment, CastMember, Endpoint, Voice
from meetctl.settings import LiveKitCredentials

CHAIR = "chair"
ADA = CastMember(identity="ada", name="Ada")
MAX = CastMember(identity="max", name="Max")
VOICES = {"ada": Voice(pitch=1.22, formant=1.08), "max": Voice(pitch=0.62, formant=0.86)}


def endpoint(models_url: str, model: str, *, reads_ahead: bool = False) -> Endpoint:
    key = SecretStr("local-key")
    return Endpoint(base_url=f"{models_url}/v1", api_key=key, model=model, reads_ahead=reads_ahead)


def assignment(
    server: LiveKitCredentials,
    room: str,
    token: SecretStr,
    identity: str,
    *,
    models_url: str = "http://127.0.0.1:9",
    cast: tuple[CastMember, ...] = (ADA, MAX),
    register: bool = False,
    chair: str | None = CHAIR,
) -> Assignment:
    return Assignment(
        identity=identity,
        name=identity.title(),
        room=room,
        url=server.url,
        token=token,
        chair_identity=chair,
        register_with_chair=register,
        topic="Friday's launch",
        persona="You are friendly and brief.",
        llm=endpoint(models_url, "smollm2-135m", reads_ahead=True),
        tts=endpoint(models_url, "tts-1"),
        stt=endpoint(models_url, "whisper-tiny.en"),
        voice=VOICES.get(identity, Voice()),
        cast=cast,
    )
