"""The doors of the roster: a path in, a roster out, or one error with everything that is wrong. Starts nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from meetctl.errors import UsageError
from meetctl.protocol import FloorMode
from meetctl.roster.entry import Keys, resolve_agent, resolve_model
from meetctl.roster.faults import Fault, KeyPath, RosterFaults, nearest
from meetctl.roster.kinds import is_placement
from meetctl.roster.naming import is_room_name, readable_room
from meetctl.roster.placement import note_reach_of_workers
from meetctl.roster.reading import Reading
from meetctl.roster.resolve import (
    note_clashes,
    note_identity,
    note_transports,
    resolve_judge,
    resolve_livekit,
    resolve_reach,
    resolve_rules,
)
from meetctl.roster.schema import AdmitMode, AgentEntry, Roster, TranscriptMode
from meetctl.roster.written import AgentWritten, DefaultsWritten, HeadWritten, MeetingWritten
from meetctl.roster.yaml_source import Document, load_document
from meetctl.settings import slug


def load_roster(
    path: Path,
    *,
    environment: Mapping[str, str],
    only: Sequence[str] = (),
    room: str | None = None,
    chance: random.Random | None = None,
    env_file: Path | None = None,
    on: str | None = None,
) -> Roster:
    """Returns the roster of the file.

    `environment` is the shell's, or `Variables` with a `.env` behind it; `env_file` is only remembered, for whoever
    reads the file again. `only` keeps the agents of these names or identities; what the others lack around them (a
    variable, a key, a file) is then no fault. `room` goes before the file's own; with neither, a name is made by
    `chance`. `on` is where agents run whose entries do not say it.

    Raises:
        RosterFaults: with every fault of the file.
        UsageError: if `only` names nobody, or `room` cannot be a room's name, or `on` no place.
    """
    if room is not None and not is_room_name(room):
        raise UsageError(f"{room!r} cannot name a room", hint="use 1 to 64 of A-Z a-z 0-9 . _ -, as in friday-launch")
    if on is not None and not is_placement(on):
        raise UsageError(f"{on!r} is no place for an agent", hint="--on local, --on workers or --on workers/LABEL")
    document = load_document(path, environment)
    roster = roster_from_document(document, environment=environment, only=only, room=room, chance=chance, on=on)
    return roster if env_file is None else roster.model_copy(update={"env_file": env_file})


def roster_from_document(
    document: Document,
    *,
    environment: Mapping[str, str],
    only: Sequence[str] = (),
    room: str | None = None,
    chance: random.Random | None = None,
    on: str | None = None,
) -> Roster:
    """Returns the roster that a document holds, as `load_roster` does for a file; paths in it start at its file.

    Raises:
        RosterFaults: with every fault of the document.
        UsageError: if `only` names nobody.
    """
    path = document.file
    reading = Reading(document)
    head, _ = reading.read(HeadWritten, reading.document.value, ())
    head = head or HeadWritten.model_construct(agents=_items(reading.document.value))
    written: dict[int, AgentWritten] = {}
    entries: dict[int, AgentEntry] = {}
    defaults = head.defaults or DefaultsWritten()
    for index, item in enumerate(head.agents):
        here: KeyPath = ("agents", index)
        agent, wrong = reading.read(AgentWritten, item, here)
        if agent is not None:
            written[index] = agent
            entries[index] = resolve_agent(
                reading, agent, defaults, path=here, wrong=wrong, environment=environment, on=on
            )
    note_clashes(reading, written)
    livekit = resolve_livekit(reading, head.livekit, environment)
    if livekit is not None or head.livekit is None or head.livekit.local:
        note_transports(reading, entries, livekit)
        note_reach_of_workers(reading, entries, livekit)
    keys = Keys({}, environment)
    stt = resolve_model(reading, defaults.stt, keys, ("defaults", "stt"))
    # Nobody may need these, so a key that they lack is no fault of this file.
    spare = Reading(reading.document)
    llm, tts = (resolve_model(spare, getattr(defaults, part), keys, ("defaults", part)) for part in ("llm", "tts"))
    meeting = head.meeting or MeetingWritten()
    reach = resolve_reach(reading, head.reach)
    rules = resolve_rules(reading, meeting, entries)
    judge = resolve_judge(reading, meeting, keys)
    if rules.floor is FloorMode.MODERATED:
        # The chair has this one for its judgement.
        reading.faults += [fault for fault in spare.faults if fault.path[:2] == ("defaults", "llm")]
        if llm.realtime:
            message = "a realtime model speaks, and cannot moderate"
            reading.note(("defaults", "llm"), message, "write it at the agents, or another floor mode", around=True)

    faults = [*reading.document.faults, *reading.faults]
    chosen = _chosen(entries, only, whole=not faults)
    faults = [fault for fault in faults if not _concerns_others(fault, chosen)]
    if faults:
        raise RosterFaults(path, faults)
    if rules.opening not in {entries[index].identity for index in chosen}:
        rules = rules.model_copy(update={"opening": None, "agents_alone": False})
    return Roster(
        file=path,
        room=room or head.room or readable_room(chance or random.SystemRandom()),
        livekit=livekit,
        reach=reach,
        topic=meeting.topic,
        language=meeting.language,
        rules=rules,
        max_duration_s=meeting.max_duration,
        transcript=meeting.transcript or TranscriptMode.FILES,
        admit=meeting.admit or AdmitMode.EVERYBODY,
        idle_timeout_s=meeting.idle_timeout,
        llm=None if spare.faults else llm,
        tts=None if spare.faults else tts,
        stt=stt,
        judge=judge,
        agents=tuple(entries[index] for index in sorted(chosen)),
    )


def load_entry_file(path: Path, *, environment: Mapping[str, str]) -> AgentEntry:
    """Returns the one agent that the file describes, with nothing around it: the keys of an item of `agents`.

    Raises:
        RosterFaults: with every fault of the file.
    """
    document = load_document(path, environment)
    if isinstance(document.value, dict) and "agents" in document.value:
        fault = Fault(None, (), "is a whole roster, not one agent", f"meetctl up {path}")
        raise RosterFaults(path, [fault])
    reading = Reading(document)
    written, wrong = reading.read(AgentWritten, document.value, ())
    entry: AgentEntry | None = None
    if written is not None:
        note_identity(reading, written.identity or slug(written.name), ("identity" if written.identity else "name",))
        entry = resolve_agent(reading, written, DefaultsWritten(), path=(), wrong=wrong, environment=environment)
    if entry is None or document.faults or reading.faults:
        raise RosterFaults(path, [*document.faults, *reading.faults])
    return entry


def _items(value: object) -> list[object]:
    agents = value.get("agents") if isinstance(value, dict) else None
    return agents if isinstance(agents, list) else []


def _chosen(entries: Mapping[int, AgentEntry], only: Sequence[str], *, whole: bool) -> set[int]:
    if not only:
        return set(entries)
    by_word: dict[str, int] = {}
    for index, entry in entries.items():
        by_word |= {entry.identity.casefold(): index, entry.name.casefold(): index}
    known = [entry.name for entry in entries.values()]
    chosen: set[int] = set()
    for word in only:
        if word.casefold() in by_word:
            chosen.add(by_word[word.casefold()])
        elif whole:  # where the file is faulty, that comes first
            like = nearest(word, known) or known[0]
            raise UsageError(f"no agent is named {word!r}; there is {', '.join(known)}", hint=f"--only {like}")
    return chosen


def _concerns_others(fault: Fault, chosen: set[int]) -> bool:
    match fault.path:
        case ("agents", int(index), *_):
            return fault.around and index not in chosen
        case _:
            return False
