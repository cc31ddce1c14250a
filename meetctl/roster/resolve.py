"""What a roster means as a whole: its server and its rules, who may be there beside whom. Notes faults, raises none."""

from __future__ import annotations

from collections.abc import Mapping

from meetctl.protocol import FloorMode, MeetingRules, OpenQuestions, Speaks
from meetctl.protocol.names import is_reserved, reads_as
from meetctl.protocol.proxies import is_loopback
from meetctl.roster.entry import Keys, resolve_model
from meetctl.roster.faults import KeyPath, nearest
from meetctl.roster.public_url import check_node_ip, parse_public_url
from meetctl.roster.reach import why_not_direct
from meetctl.roster.reading import Reading
from meetctl.roster.schema import (
    SIMLI_URL,
    AgentEntry,
    ModelChoice,
    Program,
    ReachChoice,
    avatar_identity,
)
from meetctl.roster.written import (
    AgentWritten,
    FloorWritten,
    LiveKitWritten,
    MeetingWritten,
    ReachWritten,
)
from meetctl.settings import LiveKitCredentials, slug

RESERVED_IDENTITIES = frozenset({"chair", "livekit-server", "models", "simli-server"})
"""The names of the meeting's own seats."""
MAX_AGENT_TURNS = 4
"""Where nothing is written: enough for a question, an answer and a word each; a loop would go on for ever."""
PUBLIC_HINT = "public_url: https://meet.example.org/team/"
NODE_HINT = "node_ip: 203.0.113.7, or stun:stun.example.org:3478"


def resolve_livekit(
    reading: Reading, written: LiveKitWritten | None, environment: Mapping[str, str]
) -> LiveKitCredentials | None:
    """Returns the server that the roster names, None for one of our own (or after a fault)."""
    if written is None or written.local:
        return None
    keys = Keys({}, environment)
    url = written.url or environment.get("LIVEKIT_URL", "")
    api_key = keys.find(written.api_key, "LIVEKIT_API_KEY")
    api_secret = keys.find(written.api_secret, "LIVEKIT_API_SECRET")
    for name, found in (("url", url), ("api_key", api_key), ("api_secret", api_secret)):
        if not found:
            variable = f"LIVEKIT_{name.upper()}"
            message = f"is not given and {variable} is not set"
            reading.note(("livekit", name), message, f"export {variable}=…, or write livekit: local", around=True)
    if not url or api_key is None or api_secret is None:
        return None
    return LiveKitCredentials(url, api_key.get_secret_value(), api_secret)


def resolve_reach(reading: Reading, written: ReachWritten | None) -> ReachChoice | None:
    """Returns how people on other machines come in, None where the roster does not say that they do."""
    if written is None:
        return None
    if (written.tls_cert is None) != (written.tls_key is None):
        there, missing = ("tls_cert", "tls_key") if written.tls_key is None else ("tls_key", "tls_cert")
        reading.note(("reach", there), f"needs {missing} beside it", f"add {missing}: FILE, or remove {there}")
    cert, key = (
        reading.path(text, ("reach", name))
        for name, text in (("tls_cert", written.tls_cert), ("tls_key", written.tls_key))
    )
    public_url = reading.made(parse_public_url, written.public_url, ("reach", "public_url"), PUBLIC_HINT)
    if written.public_url is not None and written.tls_cert is not None:
        message = "belongs to a page that meetctl serves by TLS itself; with public_url that is the proxy's"
        reading.note(("reach", "tls_cert"), message, "give the pair to the proxy, or remove public_url")
    if written.public_url is not None and written.host is not None and is_loopback(f"http://{written.host}"):
        message = "is where sound and pictures come in, past the proxy, and others cannot reach this machine there"
        reading.note(("reach", "host"), message, "leave host out, or name an address that others reach")
    if written.node_ip is not None and written.host is None and written.public_url is None:
        message = "says where media comes in from other machines, and nobody there can join"
        reading.note(("reach", "node_ip"), message, "add host: auto or public_url: https://…")
    return ReachChoice(
        host=written.host or (None if public_url is None else "auto"),
        public_url=public_url,
        node_ip=reading.made(check_node_ip, written.node_ip, ("reach", "node_ip"), NODE_HINT),
        port=written.port,
        tls=written.tls is not False,
        tls_cert=cert and cert.absolute(),
        tls_key=key and key.absolute(),
    )


def resolve_rules(reading: Reading, written: MeetingWritten, entries: Mapping[int, AgentEntry]) -> MeetingRules:
    """Returns the chair's rules.

    A meeting whose agents need no human between their turns (`max_agent_turns: none`) and where one of them opens is a
    meeting of agents alone; the one thing that ends it is its `max_duration`, so it has to have one.
    """
    endless = written.max_agent_turns == "none"
    if endless and written.max_duration is None:
        message = "is none, so agents may talk without end, and there is no max_duration"
        reading.note(("meeting", "max_agent_turns"), message, "add max_duration: 10m, or write max_agent_turns: 4")
    turns = written.max_agent_turns if isinstance(written.max_agent_turns, int) else MAX_AGENT_TURNS
    opening = _opening(reading, written.opening, entries)
    floor = written.floor or FloorWritten()
    return MeetingRules(
        floor=floor.mode or FloorMode.ADDRESSED,
        open_questions=floor.open_questions or OpenQuestions.WAIT,
        max_agent_turns=None if endless else turns,
        opening=opening,
        agents_alone=endless and opening is not None,
    )


def resolve_judge(reading: Reading, written: MeetingWritten, keys: Keys) -> ModelChoice | None:
    """Returns the model that is asked for whom a line is meant, None where none is."""
    floor = written.floor or FloorWritten()
    if floor.judge is None:
        return None
    path = ("meeting", "floor", "judge")
    if floor.mode not in (None, FloorMode.ADDRESSED):
        reading.note(path, f"is asked in the mode addressed only, not in {floor.mode}", "remove it, or the mode")
        return None
    return resolve_model(reading, floor.judge, keys, path, "llm")


def _opening(reading: Reading, written: str | None, entries: Mapping[int, AgentEntry]) -> str | None:
    """Returns the identity of who opens."""
    if written is None:
        return None
    path = ("meeting", "opening")
    for entry in entries.values():
        if written.casefold() in (entry.name.casefold(), entry.identity.casefold()):
            if entry.speaks is Speaks.NEVER:
                reading.note(
                    path, f"{entry.name} never speaks", f"name somebody else, or remove its speaks: {Speaks.NEVER}"
                )
            elif entry.program is Program.COMMAND:
                message = f"{entry.name} is a command, which is outside the floor"
                reading.note(path, message, "name an agent with agent: simli or agent: audio")
            return entry.identity
    names = [entry.name for entry in entries.values()]
    like = nearest(written, names)
    hint = f"did you mean {like}?" if like else f"there is {', '.join(names)}" if names else "remove it"
    reading.note(path, f"no agent is named {written!r}", hint)
    return None


def note_clashes(reading: Reading, agents: Mapping[int, AgentWritten]) -> None:
    """Notes identities and names that are empty, reserved, or there twice, case aside."""
    names: dict[str, int] = {}
    identities: dict[str, int] = {}
    for index, agent in agents.items():
        path: KeyPath = ("agents", index)
        identity = agent.identity or slug(agent.name)
        where = (*path, "identity" if agent.identity else "name")
        if (first := names.setdefault(reads_as(agent.name), index)) != index:
            message = f"the name {agent.name!r} is taken by agents[{first}]: names are how agents are addressed"
            reading.note((*path, "name"), message, "write another name")
        elif (first := identities.setdefault(identity.casefold(), index)) != index:
            message = f"the identity {identity!r} is taken by agents[{first}]"
            reading.note(where, message, f"add identity: {identity}-2")
        elif is_reserved(agent.name):
            message = f"{agent.name!r} is a name by which the meeting itself speaks"
            reading.note((*path, "name"), message, "write another name")
        note_identity(reading, identity, where)


def note_transports(reading: Reading, entries: Mapping[int, AgentEntry], livekit: LiveKitCredentials | None) -> None:
    """Notes avatars that are to join by themselves and cannot."""
    identities = {entry.identity.casefold() for entry in entries.values()}
    for index, entry in entries.items():
        if entry.face is None or entry.face.transport != "direct":
            continue
        where: KeyPath = ("agents", index, "face", "transport")
        why = (
            None if entry.face.local else why_not_direct(livekit.url if livekit else None, entry.face.url or SIMLI_URL)
        )
        if why is not None:
            reading.note(where, why, "write transport: bridge, or transport: auto", around=True)
        if avatar_identity(entry.identity).casefold() in identities:
            message = f"the avatar would be {avatar_identity(entry.identity)!r}, which is another agent's identity"
            reading.note(where, message, "give that agent another identity", around=True)


def note_identity(reading: Reading, identity: str, where: KeyPath) -> None:
    """Notes an identity that is empty or one of the meeting's own."""
    if not identity:
        reading.note(where, "no identity can be made of this name", "add identity: agent-1")
    elif len(identity) > 64:
        reading.note(where, "the identity made of this name is too long", "add identity: agent-1")
    elif identity.casefold() in RESERVED_IDENTITIES:
        message = f"the identity {identity!r} is one of the meeting's own"
        reading.note(where, message, f"add identity: {identity}-agent")
