"""Turns a roster entry into what is launched: argv, environment and assignment. Values in, values out; no I/O.

A child sees only the variables listed in `settings.PASSED_ON`, its own `env` and `env_file`, and what is given here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, SecretStr

from meetctl.catalogue import BETTER
from meetctl.protocol import Assignment, Avatar, CastMember, Endpoint, Face, Line, MediaKind, Voice
from meetctl.protocol.proxies import livekit_is_direct, without_livekit_proxy
from meetctl.roster import AgentEntry, ModelChoice, Program, Roster, avatar_identity
from meetctl.settings import LiveKitCredentials, inherited_environment

CHAIR_IDENTITY = "chair"
CHAIR_NAME = "Chair"

LOCAL_KEY = SecretStr("local")
"""The stand-ins ask for a key as their originals do, and take any."""
LOCAL_OPTIONS: Mapping[str, Mapping[str, JsonValue]] = {"llm": {"max_completion_tokens": 80}}
"""So small a model hardly ever ends by itself; more than is spoken would only keep the others waiting."""
LOCAL_LANGUAGE = "en"
"""What the local recogniser hears where nobody said: the local voice speaks nothing else."""
OPENAI_MODELS = {"llm": "gpt-4o-mini", "tts": "tts-1", "stt": "whisper-1"}
"""Where an entry names a provider without a model. `tts-1` makes the plugin ask for plain audio, not for events."""

LOCAL_VOICES = (
    Voice(pitch=1.0, formant=1.0),
    Voice(pitch=0.62, formant=0.86),
    Voice(pitch=1.22, formant=1.08),
    Voice(pitch=0.78, formant=0.95),
    Voice(pitch=1.4, formant=1.16),
    Voice(pitch=0.54, formant=0.8),
    Voice(pitch=0.9, formant=1.1),
    Voice(pitch=1.1, formant=0.88),
)
"""Given to agents in roster order where they name no voice; neighbours differ most."""
OPENAI_VOICES = ("coral", "ash", "shimmer", "onyx", "nova", "echo", "sage", "fable")

TRANSCRIPT_LINES = 40
"""How much of the meeting so far a restarted agent is handed; the wire's limit is far above."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """Where the local servers answer; None where the roster needs none."""

    models_url: str | None
    simli_url: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent is going."""

    room: str
    livekit_url: str
    token: SecretStr
    chair_identity: str | None
    topic: str | None
    language: str | None = None
    register_with_chair: bool = False
    avatar_token: SecretStr | None = None
    """Of an avatar that joins by itself."""


PRELOADER = (sys.executable, "-m", "meetctl_agents.preloader")
"""The prepared process that built-in programs are forked from, where the platform allows it."""


def agent_module(entry: AgentEntry) -> str | None:
    """Returns the module of a built-in agent program, None for a command."""
    return None if entry.program is Program.COMMAND else f"meetctl_agents.{entry.program}"


def agent_argv(entry: AgentEntry, room: str) -> tuple[str, ...]:
    """Returns the command line of an agent; placeholders are replaced, secrets never appear."""
    if (module := agent_module(entry)) is not None:
        return (sys.executable, "-m", module)
    values = {"{room}": room, "{identity}": entry.identity, "{name}": entry.name}
    return tuple(_filled(argument, values) for argument in entry.command)


def agent_environment(
    entry: AgentEntry, place: Place, mark: Mapping[str, str], own: LiveKitCredentials
) -> dict[str, str]:
    """Returns an agent's whole environment.

    Args:
        mark: variables that mark every process of the meeting.
        own: the room's credentials; handed on only where the entry says `livekit_api_credentials`.
    """
    inherited = {"PYTHONUNBUFFERED": "1", **inherited_environment()}
    if entry.program is not Program.COMMAND:
        return {**_variables_of(entry.llm, entry.tts), **inherited, **_revealed(entry.env), **mark}
    if livekit_is_direct(place.livekit_url, inherited):
        inherited = without_livekit_proxy(place.livekit_url, inherited)
    environment = {**inherited, **_revealed(entry.env), **mark}
    environment |= {
        "LIVEKIT_URL": place.livekit_url,
        "LIVEKIT_TOKEN": place.token.get_secret_value(),
        "LIVEKIT_ROOM": place.room,
        "MEETCTL_IDENTITY": entry.identity,
        "MEETCTL_NAME": entry.name,
    }
    if entry.livekit_api_credentials:
        environment |= {"LIVEKIT_API_KEY": own.api_key, "LIVEKIT_API_SECRET": own.api_secret.get_secret_value()}
    return environment


def service_environment(mark: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of the stand-ins."""
    # WebRTC has many threads, and glibc gives each a heap of its own: two for all cost nothing and save 3 MB an agent.
    return {**inherited_environment(), **mark, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


def chair_environment(roster: Roster, mark: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of the chair: what its models' plugins look for there, and nothing of the agents'."""
    return {**_variables_of(roster.stt, roster.moderator), **service_environment(mark)}


def agent_assignment(
    entry: AgentEntry,
    place: Place,
    stand_ins: StandIns,
    *,
    seat_number: int,
    transcript: Sequence[Line],
    cast: Sequence[CastMember],
) -> Assignment:
    """Returns the first line of a built-in agent program."""
    return Assignment(
        identity=entry.identity,
        name=entry.name,
        room=place.room,
        url=place.livekit_url,
        token=place.token,
        chair_identity=place.chair_identity,
        register_with_chair=place.register_with_chair,
        topic=place.topic,
        language=place.language,
        persona=entry.persona,
        examples=entry.examples,
        llm=endpoint(entry.llm, "llm", stand_ins.models_url) if entry.llm else None,
        tts=_voices(entry.tts, seat_number, stand_ins.models_url) if entry.tts else None,
        voice=_voice(entry, seat_number),
        face=_face(entry, stand_ins.simli_url, place),
        transcript=tuple(transcript[-TRANSCRIPT_LINES:]),
        cast=tuple(cast),
    )


def chair_assignment(
    roster: Roster, place: Place, stand_ins: StandIns, *, transcript: Sequence[Line], cast: Sequence[CastMember]
) -> Assignment:
    """Returns the first line of the chair."""
    return Assignment(
        identity=CHAIR_IDENTITY,
        name=CHAIR_NAME,
        room=place.room,
        url=place.livekit_url,
        token=place.token,
        chair_identity=CHAIR_IDENTITY,
        topic=place.topic,
        stt=endpoint(roster.stt, "stt", stand_ins.models_url, roster.language),
        language=roster.language,
        llm=endpoint(roster.moderator, "llm", stand_ins.models_url) if roster.moderator else None,
        rules=roster.rules,
        transcript=tuple(transcript[-TRANSCRIPT_LINES:]),
        cast=tuple(cast),
    )


def cast_member(entry: AgentEntry) -> CastMember:
    """Returns the entry as the chair knows it."""
    if entry.face is not None and entry.face.transport == "direct":
        return CastMember(identity=entry.identity, name=entry.name, speaks=entry.speaks)  # its face is somebody else
    publishes = {
        Program.SIMLI: (MediaKind.AUDIO, MediaKind.VIDEO),
        Program.AUDIO: (MediaKind.AUDIO,),
        Program.COMMAND: (),
    }
    return CastMember(
        identity=entry.identity,
        name=entry.name,
        speaks=entry.speaks,
        serves_floor=entry.program is not Program.COMMAND,
        publishes=publishes[entry.program],
    )


def endpoint(choice: ModelChoice, part: str, models_url: str | None, language: str | None = None) -> Endpoint:
    """Returns where a model is served, and who is asked where it fails. `part` is `llm`, `tts` or `stt`."""
    first, *others = (_endpoint(one, part, models_url, language) for one in choice.in_a_row)
    return first.model_copy(update={"fallbacks": tuple(others)})


def _endpoint(choice: ModelChoice, part: str, models_url: str | None, language: str | None) -> Endpoint:
    if choice.is_local:
        assert models_url is not None
        options = {**LOCAL_OPTIONS.get(part, {}), **choice.options}
        if part == "stt":
            options.setdefault("language", language or LOCAL_LANGUAGE)
        return Endpoint(
            base_url=f"{models_url}/v1",
            api_key=LOCAL_KEY,
            model=choice.model or BETTER[part],
            options=options,
            reads_ahead=part == "llm",
        )
    known = OPENAI_MODELS[part] if choice.provider == "openai" else ""
    return Endpoint(
        provider=choice.provider,
        base_url=choice.base_url,
        api_key=choice.api_key or SecretStr(""),
        model=choice.model or known,
        options=choice.options,
    )


def _voices(choice: ModelChoice, seat_number: int, models_url: str | None) -> Endpoint:
    """Returns where an agent's speech is made; whoever is asked instead knows nothing of the first one's voices."""
    first = endpoint(choice, "tts", models_url)
    others = tuple(
        served.model_copy(update={"voice": _own_voice(one, seat_number)})
        for one, served in zip(choice.fallbacks, first.fallbacks, strict=True)
    )
    return first.model_copy(update={"fallbacks": others})


def _voice(entry: AgentEntry, seat_number: int) -> Voice:
    return entry.voice if entry.voice is not None else _own_voice(entry.tts, seat_number)


def _own_voice(choice: ModelChoice | None, seat_number: int) -> Voice:
    """Returns a voice of the provider's that no other seat has, where its voices are known."""
    if choice is None or choice.is_local:
        return LOCAL_VOICES[seat_number % len(LOCAL_VOICES)]
    if choice.provider == "openai":
        return Voice(name=OPENAI_VOICES[seat_number % len(OPENAI_VOICES)])
    return Voice()  # whose voices have what names, only the provider knows


def _face(entry: AgentEntry, simli_url: str | None, place: Place) -> Face | None:
    choice = entry.face
    if choice is None:
        return None
    avatar: Avatar | None = None
    if place.avatar_token is not None:
        avatar = Avatar(
            identity=avatar_identity(entry.identity), token=place.avatar_token, livekit_url=place.livekit_url
        )
    limits = {"max_session_s": choice.max_session_s, "max_idle_s": choice.max_idle_s}
    return Face(
        url=choice.url or simli_url or "",
        api_key=choice.api_key or LOCAL_KEY,
        face_id=choice.face_id or entry.identity,
        api=choice.api,
        idle_close_s=choice.idle_close_s,
        avatar=avatar,
        **{name: seconds for name, seconds in limits.items() if seconds is not None},
    )


def _filled(argument: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        argument = argument.replace(placeholder, value)
    return argument


def _variables_of(*choices: ModelChoice | None) -> dict[str, str]:
    every = [one for choice in choices if choice for one in choice.in_a_row]
    return {name: value for choice in every for name, value in _revealed(choice.variables).items()}


def _revealed(env: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in env.items()}
