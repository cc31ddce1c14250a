"""What is sent for a worker to take: an assignment without secrets, and what the worker has to have itself. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import SecretStr

from meetctl import rooms
from meetctl.errors import UsageError
from meetctl.protocol import Assignment, Endpoint
from meetctl.protocol.dispatch import STAND_INS_URL, DispatchOrder, link_identity
from meetctl.roster import NO_KEY, AgentEntry, ModelChoice, Program
from meetctl.roster.providers import need_of
from meetctl.settings import LiveKitCredentials

LINK_MODULE = "meetctl_agents.worker.link"
SIMLI_KEY = "SIMLI_API_KEY"
NOTHING = SecretStr("")


def dispatch_order(entry: AgentEntry, assignment: Assignment, credentials: LiveKitCredentials) -> DispatchOrder:
    """Returns the first line of the link in the seat of this entry.

    Args:
        assignment: of the agent, whose local servers are at `STAND_INS_URL`.

    Raises:
        UsageError: a command, which runs on no worker.
    """
    if entry.program is Program.COMMAND:
        raise UsageError(f"{entry.name} is a command, and those run on this machine", hint="write on: local")
    return DispatchOrder(
        url=credentials.url,
        admin=rooms.admin_token(credentials, room=assignment.room),
        token=rooms.link_token(credentials, room=assignment.room, identity=link_identity(entry.identity)),
        room=assignment.room,
        seat=entry.identity,
        name=entry.name,
        program="simli" if entry.program is Program.SIMLI else "audio",
        label=entry.label,
        keys=dict(_keys(entry)),
        variables=tuple(_variables(entry)),
        assignment=without_secrets(assignment),
    )


def without_secrets(assignment: Assignment) -> Assignment:
    """Returns the assignment as it may stand in LiveKit's store: without any key, and without what is ours alone."""
    changes: dict[str, object] = {"token": NOTHING, "url": "", "tells_steps": False}
    for part in ("llm", "tts", "stt"):
        endpoint = getattr(assignment, part)
        changes[part] = _without_key(endpoint) if endpoint is not None else None
    if assignment.face is not None:
        changes["face"] = assignment.face.model_copy(update={"api_key": NOTHING, "avatar": None})
    if assignment.tools is not None:
        # What its processes inherit, they inherit where they run: only the names go there.
        names = dict.fromkeys(assignment.tools.environment, "")
        sources = tuple(one.model_copy(update={"headers": {}, "env": {}}) for one in assignment.tools.sources)
        changes["tools"] = assignment.tools.model_copy(update={"environment": names, "secrets": (), "sources": sources})
    return assignment.model_copy(update=changes)


def _without_key(endpoint: Endpoint) -> Endpoint:
    told = endpoint.api_key.get_secret_value()
    is_no_secret = told == NO_KEY or (endpoint.base_url or "").startswith(STAND_INS_URL)
    return endpoint.model_copy(
        update={
            "api_key": endpoint.api_key if is_no_secret else NOTHING,
            "fallbacks": tuple(_without_key(one) for one in endpoint.fallbacks),
        }
    )


def _keys(entry: AgentEntry) -> Iterator[tuple[str, str]]:
    for part, one in _models(entry):
        need = need_of(one.provider, part)
        if one.base_url is None and need.key is not None and not (need.unless and one.options.get(need.unless)):
            yield one.provider, need.key
    if entry.face is not None and not entry.face.local:
        yield "simli", SIMLI_KEY


def _variables(entry: AgentEntry) -> Iterator[str]:
    for part, one in _models(entry):
        if one.base_url is None:
            yield from need_of(one.provider, part).variables


def _models(entry: AgentEntry) -> Iterator[tuple[str, ModelChoice]]:
    for part, choice in (("llm", entry.llm), ("tts", entry.tts)):
        for one in choice.in_a_row if choice is not None else ():
            if not one.is_local:
                yield part, one
