"""Events folded into the state of a meeting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meetctl.meeting.seats import FACE as FACE_SEEN
from meetctl.meeting.seats import shows_face
from meetctl.protocol import (
    IceState,
    LegStats,
    MediaKind,
    Ready,
)
from meetctl.supervisor.events import (
    ChildMessage,
    Proof,
    SeatAdded,
    SeatEvent,
    SeatKind,
    Started,
    WireEvent,
)
from meetctl.supervisor.state import MeetingState, apply

AVATAR = frozenset({Proof.READY, Proof.AUDIO, Proof.VIDEO, FACE_SEEN})
AUDIO = frozenset({Proof.READY, Proof.AUDIO})
SENDS = {"simli": frozenset(MediaKind), "audio": frozenset({MediaKind.AUDIO})}
ROOM = LegStats(leg="room", ice=IceState.CONNECTED, video_fps=25, audio_fps=50, width=512, height=512)
FACE = LegStats(leg="simli", ice=IceState.COMPLETED, video_fps=25, audio_fps=50)


def added(seat: str, proofs: frozenset[str], *, program: str = "simli", kind: SeatKind = SeatKind.AGENT) -> SeatAdded:
    return SeatAdded(seat, seat.title(), kind, program, proofs, at=0, sends=SENDS.get(program, frozenset()))


def folded(events: Iterable[SeatEvent], start: MeetingState | None = None) -> MeetingState:
    state = start or MeetingState(room="demo")
    for event in events:
        state = apply(state, event)
    return state


def states(events: Sequence[SeatEvent], seat: str, start: MeetingState | None = None) -> list[str]:
    state = start or MeetingState(room="demo")
    seen = []
    for event in events:
        state = apply(state, event)
        seen.append(state.seats[seat].state.value)
    return seen


def said(seat: str, event: WireEvent, at: float = 2) -> ChildMessage:
    return ChildMessage(seat, event, at, frozenset({FACE_SEEN}) if shows_face(event) else frozenset())


CHAIR: list[SeatEvent] = [
    added("chair", frozenset({Proof.READY}), program="chair", kind=SeatKind.SERVICE),
    Started("chair", 9, 0),
]
BEGUN: list[SeatEvent] = [
    added("max", frozenset({Proof.READY}), program="audio"),
    Started("max", 7, 1.0),
    said("max", Ready()),
]
