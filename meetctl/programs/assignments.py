"""What a program is told when it starts: a roster entry turned into an assignment. Values in, values out; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pydantic import JsonValue, SecretStr

from meetctl.catalogue import BETTER
from meetctl.programs.room_access import CHAIR_IDENTITY, CHAIR_NAME, RoomAccess, StandIns
from meetctl.programs.tools import tool_rules
from meetctl.protocol import (
    Assignment,
    Avatar,
    CastMember,
    Endpoint,
    Face,
    Line,
    MediaKind,
    UtteranceKind,
    Voice,
)
from meetctl.roster import AgentEntry, ModelChoice, Program, Roster, avatar_identity

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
REALTIME_VOICES = ("marin", "cedar", "coral", "ash", "sage", "verse", "shimmer", "echo")
"""Of OpenAI's realtime models, which know others than its speech models."""
OPENAI_VOICES = ("coral", "ash", "shimmer", "onyx", "nova", "echo", "sage", "fable")

PERSONA_CHARACTERS = 300
"""Of a persona, for the chair: it begins with what the agent is, and every agent is told the whole cast."""
TRANSCRIPT_LINES = 40
"""How much of the meeting so far a restarted agent is handed; the wire's limit is far above."""


def agent_assignment(
    entry: AgentEntry,
    place: RoomAccess,
    stand_ins: StandIns,
    *,
    seat_number: int,
    transcript: Sequence[Line],
    cast: Sequence[CastMember],
    mark: Mapping[str, str] = MappingProxyType({}),
) -> Assignment:
    """Returns the first line of a built-in agent program.

    Args:
        mark: variables that mark every process of the meeting.
    """
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
        tools=tool_rules(entry, place.language, mark),
        transcript=_known_to(entry.identity, transcript),
        cast=tuple(cast),
    )


def chair_assignment(
    roster: Roster, place: RoomAccess, stand_ins: StandIns, *, transcript: Sequence[Line], cast: Sequence[CastMember]
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
        llm=endpoint(roster.chair_llm, "llm", stand_ins.models_url) if roster.chair_llm else None,
        rules=roster.rules,
        transcript=_known_to(CHAIR_IDENTITY, transcript),
        cast=tuple(cast),
    )


def _known_to(identity: str, transcript: Sequence[Line]) -> tuple[Line, ...]:
    """Returns the newest lines; what an agent's tools did, it alone knows."""
    known = [line for line in transcript if line.kind is not UtteranceKind.TOOL or line.identity == identity]
    return tuple(known[-TRANSCRIPT_LINES:])


def voice_of(entry: AgentEntry, choice: ModelChoice, seat_number: int) -> Voice:
    """Returns how the agent sounds where one of its speech models speaks for it."""
    is_first = choice.realtime or (entry.tts is not None and choice == entry.tts.in_a_row[0])
    return _voice(entry, seat_number) if is_first else _own_voice(choice, seat_number)


def cast_member(entry: AgentEntry) -> CastMember:
    """Returns the entry as the chair knows it."""
    called = {"role": entry.role, "persona": entry.persona[:PERSONA_CHARACTERS], "also_called": entry.also_called}
    if entry.face is not None and entry.face.transport == "direct":
        # Its face is somebody else.
        return CastMember(identity=entry.identity, name=entry.name, speaks=entry.speaks, **called)
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
        **called,
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
        realtime=choice.realtime,
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
    if entry.voice is not None:
        return entry.voice
    if entry.llm is not None and entry.llm.realtime:
        is_known = entry.llm.provider == "openai"
        return Voice(name=REALTIME_VOICES[seat_number % len(REALTIME_VOICES)] if is_known else None)
    return _own_voice(entry.tts, seat_number)


def _own_voice(choice: ModelChoice | None, seat_number: int) -> Voice:
    """Returns a voice of the provider's that no other seat has, where its voices are known."""
    if choice is None or choice.is_local:
        return LOCAL_VOICES[seat_number % len(LOCAL_VOICES)]
    if choice.provider == "openai":
        return Voice(name=OPENAI_VOICES[seat_number % len(OPENAI_VOICES)])
    return Voice()  # whose voices have what names, only the provider knows


def _face(entry: AgentEntry, simli_url: str | None, place: RoomAccess) -> Face | None:
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
