"""A meeting played as text: the chair's own meeting object in a room without a server, by a clock that is turned.

Nothing waits: where the event loop would sleep, its clock is put forward instead. So an hour of talk takes no time,
and what depends on pauses comes out the same on every machine.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from livekit import rtc
from meetctl_agents.floor.events import SpeechStarted
from meetctl_agents.hearing.listener import FinalTranscript
from meetctl_agents.meeting.meeting import Meeting
from pydantic import SecretStr

from meetctl.programs.assignments import cast_member, chair_assignment
from meetctl.programs.room_access import CHAIR_IDENTITY, CHAIR_NAME, RoomAccess, StandIns
from meetctl.protocol import GRANT, RELEASE, FloorDecided, Grant, Model, Release, Utterance
from meetctl.protocol.names import is_reserved
from meetctl.roster import Roster, RosterFaults, load_roster
from meetctl.roster.faults import shown_path

from .annotated import AnnotatedAgent, AnnotatedMeeting, AnnotatedTurn, WrongLine

CHARACTERS_PER_S = 15.0
SETTLE_S = 4.0
"""After a person's words: agents have answered by then, an open question too."""
ANSWER_S = 0.2
UNSAID = "…"
"""What an agent says whose answer is not in the file: no words, so it changes nothing of what was said."""


@dataclass
class Played:
    """What became of one turn."""

    turn: AnnotatedTurn
    granted: tuple[str, ...]
    rule: str


def play(meeting: AnnotatedMeeting) -> list[Played]:
    """Returns what became of each turn of which something is expected.

    Raises:
        WrongLine: the agents make no roster.
    """
    try:
        roster = _roster(meeting)
    except RosterFaults as faults:
        told = "; ".join(f"{shown_path(fault.path)}: {fault.message}" for fault in faults.faults)
        raise WrongLine(f"{meeting.where}: {told}") from None
    loop = PlayedLoop()
    try:
        return loop.run_until_complete(_Player(meeting, roster, loop).play())
    finally:
        loop.close()


def _roster(meeting: AnnotatedMeeting) -> Roster:
    agents = [_entry(agent) for agent in meeting.agents]
    written: dict[str, Any] = {"room": "annotated", "agents": agents, "meeting": {"floor": "addressed"}}
    if meeting.language is not None:
        written["meeting"]["language"] = meeting.language
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "roster.yaml")
        # What stands in a roster after a dollar sign is a variable.
        file.write_text(json.dumps(written).replace("$", "$$"), encoding="utf-8")
        return load_roster(file, environment={})


def _entry(agent: AnnotatedAgent) -> dict[str, Any]:
    """Returns a roster's entry; whose name is the meeting's own word is marked, as the door does it with a guest."""
    entry = {"agent": "audio"} | {key: value for key, value in agent.model_dump().items() if value}
    if is_reserved(agent.name):
        entry["name"] = f"{agent.name} (agent)"
    return entry


class PlayedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock goes forward by as much as it would have waited."""

    def __init__(self) -> None:
        self._now = 1000.0
        super().__init__(_Turning(self._turn))

    def time(self) -> float:
        return self._now

    def _turn(self, seconds: float) -> None:
        self._now += seconds


class _Turning(selectors.DefaultSelector):
    def __init__(self, turn: Callable[[float], None]) -> None:
        super().__init__()
        self._turn_clock = turn

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("the played meeting waits for something that never happens")
        if timeout > 0:
            self._turn_clock(timeout)
        return super().select(0)


class _Player:
    def __init__(self, meeting: AnnotatedMeeting, roster: Roster, loop: PlayedLoop) -> None:
        self._written = meeting
        self._roster = roster
        self._loop = loop
        self._room = PlayedRoom(self._answer)
        for name in (agent.identity for agent in roster.agents):
            self._room.add(name, name, rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
        self._identities: dict[str, str] = {}
        for number, name in enumerate(meeting.people, 1):
            self._identities[name] = f"person-{number}"
            self._room.add(f"person-{number}", name, rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD)
        self._granted: list[tuple[str, str | None]] = []
        """Who was given the floor, and the id of the line to answer."""
        self._coming: list[AnnotatedTurn] = []
        self._lines: list[str] = []
        self._rules: list[str] = []

    async def play(self) -> list[Played]:
        assignment = chair_assignment(
            self._roster,
            RoomAccess("annotated", "ws://127.0.0.1:1", SecretStr("none"), CHAIR_IDENTITY, self._roster.topic),
            StandIns("http://127.0.0.1:1", None),
            transcript=(),
            cast=tuple(cast_member(entry) for entry in self._roster.agents),
        )
        room = cast(rtc.Room, self._room)
        played: list[Played] = []
        async with Meeting(
            room, assignment, run="run", report=self._on_report, moderator=None, clock=self._loop.time
        ) as meeting:
            await asyncio.sleep(SETTLE_S)
            self._coming = list(self._written.turns)
            while self._coming:
                turn = self._coming.pop(0)
                agent = self._written.agent_of(turn.speaker)
                if agent is not None:
                    await self._tell(agent, turn.text)
                    continue
                granted, rule = await self._say(meeting, turn)
                if turn.allowed is not None:
                    played.append(Played(turn, granted, rule))
        return played

    async def _say(self, meeting: Meeting, turn: AnnotatedTurn) -> tuple[tuple[str, ...], str]:
        identity = self._identities[turn.speaker]
        self._lines, self._granted, self._rules = [], [], []
        began_at = self._loop.time()
        meeting.heard(SpeechStarted(identity))
        await asyncio.sleep(len(turn.text) / CHARACTERS_PER_S)
        ended_at = self._loop.time()
        meeting.heard(FinalTranscript(identity, turn.speaker, turn.text, began_at, ended_at, "TR_mic", {}))
        own = set(self._lines)
        await asyncio.sleep(SETTLE_S)
        granted = dict.fromkeys(who for who, line_id in self._granted if line_id in own)
        return tuple(granted), " ".join(dict.fromkeys(self._rules)) or "none"

    async def _tell(self, identity: str, text: str) -> None:
        """Has an agent have said a line without having been given the floor: it only becomes history."""
        release = Release(grant_id=f"given-{self._loop.time()}", text=text, started_at=self._loop.time())
        await asyncio.sleep(len(text) / CHARACTERS_PER_S)
        await self._room.call(RELEASE, identity, release)
        await asyncio.sleep(SETTLE_S)

    async def _answer(self, identity: str, grant: Grant) -> None:
        """Has the agent that was given the floor say what it says in the file, or nothing that counts as words."""
        self._granted.append((identity, grant.line.id if grant.line is not None else None))
        text = UNSAID
        if self._coming and self._written.agent_of(self._coming[0].speaker) == identity:
            text = self._coming.pop(0).text
        await asyncio.sleep(ANSWER_S)
        started_at = self._loop.time()
        await self._room.call(RELEASE, identity, Release(grant_id=grant.grant_id, text=text, started_at=started_at))

    def _on_report(self, event: Model) -> None:
        if isinstance(event, Utterance) and event.line.identity in self._identities.values():
            self._lines.append(event.line.id)
        elif isinstance(event, FloorDecided):
            self._rules.append(event.rule)


@dataclass
class _Participant:
    identity: str
    name: str
    kind: int
    attributes: dict[str, str] = field(default_factory=dict)


class PlayedRoom:
    """What the chair uses of a room: who is there, its RPC methods, and streams that nobody reads."""

    def __init__(self, answer: Callable[[str, Grant], Any]) -> None:
        self.remote_participants: dict[str, _Participant] = {}
        self.local_participant = self
        self.identity, self.name = CHAIR_IDENTITY, CHAIR_NAME
        self._answer = answer
        self._methods: dict[str, Any] = {}
        self._answering: set[asyncio.Task[None]] = set()

    def add(self, identity: str, name: str, kind: int) -> None:
        self.remote_participants[identity] = _Participant(identity, name, kind)

    async def call(self, method: str, caller: str, message: Model) -> None:
        """Calls a method of the chair's as that participant."""
        await self._methods[method](SimpleNamespace(caller_identity=caller, payload=message.model_dump_json()))

    async def perform_rpc(self, *, destination_identity: str, method: str, payload: str, **_: object) -> str:
        if method == GRANT:
            answering = asyncio.ensure_future(self._answer(destination_identity, Grant.model_validate_json(payload)))
            self._answering.add(answering)
            answering.add_done_callback(self._answering.discard)
        return "taken"

    def register_rpc_method(self, method: str, handle: object) -> None:
        self._methods[method] = handle

    def unregister_rpc_method(self, method: str) -> None:
        del self._methods[method]

    async def stream_text(self, **_: object) -> _Writer:
        return _Writer()

    async def send_text(self, text: str, **_: object) -> None: ...

    def on(self, event: str, handle: object) -> None: ...

    def off(self, event: str, handle: object) -> None: ...

    def register_text_stream_handler(self, topic: str, handle: object) -> None: ...

    def unregister_text_stream_handler(self, topic: str) -> None: ...


class _Writer:
    async def write(self, text: str) -> None: ...

    async def aclose(self) -> None: ...
