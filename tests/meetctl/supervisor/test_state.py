"""Histories of seats, folded: what is shown after each event, as whole sequences of states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.meeting.seats import FACE as FACE_SEEN
from meetctl.protocol import (
    AgentSpeech,
    AvOffset,
    BadLine,
    Degraded,
    Failed,
    FloorChanged,
    IceState,
    LegStats,
    MediaKind,
    MediaReceived,
    Ready,
    Serving,
    SpeechState,
    Unanswered,
    UsageTotals,
    Warn,
)
from meetctl.supervisor.events import (
    BackingOff,
    ChildMessage,
    Exited,
    GaveUp,
    Proof,
    Proven,
    Sampled,
    SeatEvent,
    SeatKind,
    SeatRemoved,
    Started,
    Stopping,
    Unhealthy,
)
from meetctl.supervisor.seat import RECOVERED_S, STALLED_AFTER_S, STATS_OVERDUE_S
from meetctl.supervisor.state import MeetingState, Phase, ProcessState, SeatState, apply, as_of
from tests.meetctl.supervisor.folding import AUDIO, AVATAR, BEGUN, CHAIR, FACE, ROOM, added, folded, said, states

ADA_READY: list[SeatEvent] = [
    added("ada", AVATAR),
    Started("ada", 10, 1),
    said("ada", Ready()),
    said("ada", ROOM),
    said("ada", FACE),
    said("chair", MediaReceived(identity="ada", kind=MediaKind.AUDIO)),
    said("chair", MediaReceived(identity="ada", kind=MediaKind.VIDEO), at=3),
]


def test_an_avatar_is_ready_only_when_its_word_its_face_and_both_media_are_seen(chair: MeetingState) -> None:
    assert states(ADA_READY, "ada", chair) == ["waiting", *["starting"] * 5, "running"]
    ada = folded(ADA_READY, chair).seats["ada"]
    assert ada == SeatState(
        seat="ada",
        name="Ada",
        kind=SeatKind.AGENT,
        program="simli",
        proofs=AVATAR,
        missing=frozenset(),
        sends=frozenset(MediaKind),
        phase=Phase.UP,
        state=ProcessState.RUNNING,
        pid=10,
        started_at=1,
        ready_at=3,
        starts=1,
        legs={"room": ROOM, "simli": FACE},
        last_stats_at=2,
    )
    assert ada.ready


def test_the_face_is_not_proven_by_a_leg_without_frames_but_by_degrading(chair: MeetingState) -> None:
    faceless = [event for event in ADA_READY if event != said("ada", FACE)]
    still = folded([*faceless, said("ada", LegStats(leg="simli", ice=IceState.CHECKING, video_fps=0))], chair)
    assert still.seats["ada"].missing == {FACE_SEEN}
    degraded = apply(still, said("ada", Degraded(reason="Simli refused\x1b[31m: 401")))
    ada = degraded.seats["ada"]
    assert (ada.state, ada.ready, ada.degraded_reason) == (ProcessState.DEGRADED, True, "Simli refused [31m: 401")
    whole = apply(degraded, said("ada", Degraded(reason=None))).seats["ada"]
    assert (whole.state, whole.ready, whole.last_error) == (ProcessState.RUNNING, True, None)


def test_a_crash_clears_what_the_process_had_and_its_successor_needs_every_proof_again(chair: MeetingState) -> None:
    crash = Exited("ada", -9, ("Traceback", "RuntimeError: no\x1b[0m sound", " "), 10)
    again: list[SeatEvent] = [BackingOff("ada", 0.5, 10), Started("ada", 11, 11), said("ada", Ready(), 12)]
    before = folded([*ADA_READY, said("ada", SpeechState(state=AgentSpeech.SPEAKING))], chair)
    assert states([crash, *again], "ada", before) == ["exited", "backoff", "starting", "starting"]
    gone = apply(before, crash).seats["ada"]
    assert (gone.pid, gone.legs, gone.speech, gone.av_offset_ms, gone.started_at) == (None, {}, None, None, None)
    assert (gone.returncode, gone.ready_at) == (-9, 3)
    assert gone.last_error == "ended by SIGKILL: RuntimeError: no [0m sound"
    back = folded([crash, *again], before).seats["ada"]
    assert (back.restarts, back.missing, back.ready_at) == (1, AVATAR - {Proof.READY}, None)
    assert back.last_error == gone.last_error
    assert not back.ready


@pytest.mark.parametrize(
    ("before", "returncode", "error"),
    [
        ([], 3, "ended with exit code 3: last"),
        ([], -15, "ended by SIGTERM: last"),
        ([], -63, "ended by signal 63: last"),
        ([], 0, None),
        ([Stopping("ada", 5)], -9, None),
        ([said("ada", Failed(code="key", message="bad key", hint="export KEY=…"))], 1, "bad key"),
    ],
)
def test_an_exit_is_told_in_the_best_words_there_are(before: list[SeatEvent], returncode: int, error: str) -> None:
    start: list[SeatEvent] = [added("ada", AUDIO), Started("ada", 10, 1), *before]
    ada = folded([*start, Exited("ada", returncode, ("first", "last"), 6)]).seats["ada"]
    assert (ada.last_error, ada.state, ada.returncode) == (error, ProcessState.EXITED, returncode)


def test_a_new_failure_is_not_told_in_the_words_of_an_old_one() -> None:
    first: list[SeatEvent] = [added("ada", AUDIO), Started("ada", 1, 1), said("ada", Failed(code="x", message="old"))]
    second: list[SeatEvent] = [Exited("ada", 1, (), 3), Started("ada", 2, 4), Exited("ada", 2, (), 5)]
    assert folded([*first, *second]).seats["ada"].last_error == "ended with exit code 2"


def test_giving_up_is_fatal_and_says_why_and_what_to_do() -> None:
    events: list[SeatEvent] = [
        added("ada", AUDIO),
        Started("ada", 1, 1),
        Exited("ada", 1, (), 2),
        GaveUp("ada", "5 failures", "look", 2),
    ]
    assert states(events, "ada") == ["waiting", "starting", "exited", "fatal"]
    ada = folded(events).seats["ada"]
    assert (ada.last_error, ada.hint, ada.missing) == ("5 failures", "look", AUDIO)


def test_stopping_ends_in_exited_also_where_no_process_is() -> None:
    running: list[SeatEvent] = [added("ada", AUDIO), Started("ada", 1, 1), Stopping("ada", 2), Exited("ada", 0, (), 3)]
    assert states(running, "ada") == ["waiting", "starting", "stopping", "exited"]
    backing_off: list[SeatEvent] = [
        *(added("ada", AUDIO), Started("ada", 1, 1), Exited("ada", 1, (), 2)),
        *(BackingOff("ada", 9, 2), Stopping("ada", 3)),
    ]
    assert states(backing_off, "ada")[-2:] == ["backoff", "exited"]


def test_a_leg_without_packets_is_stalled_after_a_while_and_recovers(chair: MeetingState) -> None:
    silent = ROOM.model_copy(update={"audio_fps": 0.0})
    later = STALLED_AFTER_S + 10
    events: list[SeatEvent] = [
        said("ada", silent, 10),
        said("ada", silent, 11),
        said("ada", silent, later),
        said("ada", ROOM, later + 1),
    ]
    assert states(events, "ada", folded(ADA_READY, chair)) == ["running", "running", "stalled", "running"]


@pytest.mark.parametrize(
    ("program", "stats", "stalls"),
    [
        ("simli", {"video_fps": 0.0}, True),
        ("audio", {"video_fps": 0.0}, False),
        ("audio", {"ice": IceState.FAILED}, True),
        ("audio", {"audio_fps": None, "video_fps": None}, False),
    ],
)
def test_what_stalls_an_agent_is_missing_packets_not_missing_figures(
    program: str, stats: dict[str, object], stalls: bool
) -> None:
    start = folded([added("a", frozenset({Proof.READY}), program=program), Started("a", 1, 0), said("a", Ready())])
    leg = ROOM.model_copy(update=stats)
    after = folded([said("a", leg, 10), said("a", leg, 10 + STALLED_AFTER_S)], start)
    assert after.seats["a"].state == ("stalled" if stalls else "running")


def test_an_agent_that_sends_no_statistics_any_more_is_stalled_by_time_alone(chair: MeetingState) -> None:
    state = folded(ADA_READY, chair)
    assert as_of(state, 2 + STATS_OVERDUE_S - 0.1) == state
    late = as_of(state, 2 + STATS_OVERDUE_S)
    assert late.seats["ada"].state == "stalled"
    assert late.seats["ada"].ready
    assert late.seats["chair"] == state.seats["chair"]


def test_only_the_chair_can_prove_media_or_move_the_floor(chair: MeetingState) -> None:
    eve: list[SeatEvent] = [
        added("eve", AUDIO, program="audio"),
        Started("eve", 20, 1),
        added("max", AUDIO),
        Started("max", 21, 1),
    ]
    state = folded(eve, chair)
    forged = folded(
        [
            said("eve", MediaReceived(identity="eve", kind=MediaKind.AUDIO)),
            said("eve", MediaReceived(identity="max", kind=MediaKind.AUDIO)),
            said("eve", FloorChanged(holder="eve")),
            said("eve", Unanswered(identity="max", line_id="u1", speaker="sam")),
        ],
        state,
    )
    assert forged == state
    assert apply(state, said("chair", FloorChanged(holder="max"))).floor_holder == "max"


def test_the_floor_is_free_again_when_its_holder_or_the_chair_is_gone(chair: MeetingState) -> None:
    held = folded([*ADA_READY, said("chair", FloorChanged(holder="ada"))], chair)
    assert apply(held, Exited("ada", 1, (), 5)).floor_holder is None
    assert apply(held, Exited("chair", 1, (), 5)).floor_holder is None
    assert apply(held, SeatRemoved("ada", 5)).floor_holder is None


def test_late_words_of_a_process_that_is_gone_change_nothing(chair: MeetingState) -> None:
    gone = folded([*ADA_READY, Exited("ada", 1, (), 5)], chair)
    late: list[SeatEvent] = [
        said("ada", ROOM, 6),
        said("ada", Ready(), 6),
        said("chair", MediaReceived(identity="ada", kind=MediaKind.AUDIO), 6),
        Sampled("ada", 1, 1, 6),
        Proven("ada", Proof.ACTIVE, 6),
        Started("nobody", 1, 6),
        said("chair", MediaReceived(identity="nobody", kind=MediaKind.AUDIO), 6),
    ]
    assert folded(late, gone) == gone


def test_a_service_without_a_wire_is_proven_by_others_and_a_stand_in_says_where_it_serves() -> None:
    ready = frozenset({Proof.READY})
    events: list[SeatEvent] = [
        added("livekit-server", ready, program="livekit-server", kind=SeatKind.SERVICE),
        Started("livekit-server", 1, 0),
        Proven("livekit-server", Proof.READY, 1),
        added("models", ready, program="models", kind=SeatKind.SERVICE),
        Started("models", 2, 0),
        said("models", Serving(url="http://127.0.0.1:1")),
    ]
    state = folded(events)
    assert {name: (seat.state.value, seat.url) for name, seat in state.seats.items()} == {
        "livekit-server": ("running", None),
        "models": ("running", "http://127.0.0.1:1"),
    }


def test_figures_warnings_and_stray_lines_are_kept() -> None:
    events: list[SeatEvent] = [
        *(added("ada", AUDIO), Started("ada", 1, 0), Sampled("ada", 12.5, 52.1, 1), said("ada", AvOffset(ms=-7))),
        *(said("ada", Warn(message="slow\nmodel")), said("ada", UsageTotals(llm_tokens=3))),
    ]
    ada = folded(events).seats["ada"]
    assert (ada.cpu_percent, ada.memory_mb, ada.av_offset_ms, ada.warning) == (12.5, 52.1, -7, "slow model")
    stray = folded([*events, said("ada", BadLine(why="no JSON", start="hello"))]).seats["ada"]
    assert stray.warning == "wrote a line that is no message: hello"


@pytest.mark.parametrize(
    ("changes", "meeting"),
    [
        ([], "starting"),
        ([said("chair", Ready())], "starting"),
        ([said("chair", Ready()), said("a", Ready())], "running"),
        ([said("chair", Ready()), said("a", Ready()), Stopping("a", 3)], "running"),
        ([said("chair", Ready()), said("a", Ready()), Exited("a", 0, (), 3)], "running"),
        ([said("chair", Ready()), said("a", Ready()), said("a", Degraded(reason="x"))], "degraded"),
        ([said("chair", Ready()), said("a", Ready()), Exited("a", 1, (), 3), BackingOff("a", 1, 3)], "degraded"),
        ([said("chair", Ready()), said("a", Ready()), Exited("a", 1, (), 3), Started("a", 2, 3)], "degraded"),
        ([said("chair", Ready()), said("a", Ready()), Exited("a", 1, (), 3), GaveUp("a", "", None, 3)], "degraded"),
        ([Exited("chair", 1, (), 3), GaveUp("chair", "", None, 3)], "fatal"),
        ([Stopping("chair", 3), Stopping("a", 3)], "stopping"),
        ([Stopping("chair", 3), Stopping("a", 3), Exited("a", 0, (), 3)], "stopping"),
        ([Exited("chair", 0, (), 3), Exited("a", 0, (), 3)], "exited"),
    ],
)
def test_the_meeting_is_called_by_its_seats(changes: list[SeatEvent], meeting: str) -> None:
    ready = frozenset({Proof.READY})
    start: list[SeatEvent] = [*CHAIR, added("a", ready, program="audio"), Started("a", 1, 0)]
    assert folded([*start, *changes]).state == meeting


def test_a_meeting_without_seats_is_starting() -> None:
    assert MeetingState(room="demo").state == "starting"


SEATS = st.sampled_from(["ada", "chair"])
WORDS = st.sampled_from(
    [
        *(Ready(), ROOM, FACE, Degraded(reason="x"), Degraded(reason=None), Failed(code="c", message="m")),
        *(MediaReceived(identity="ada", kind=MediaKind.AUDIO), MediaReceived(identity="ada", kind=MediaKind.VIDEO)),
    ]
)
EVENTS = st.one_of(
    st.builds(Started, SEATS, st.integers(1, 9), st.just(1.0)),
    st.builds(ChildMessage, SEATS, WORDS, st.just(1.0)),
    st.builds(Exited, SEATS, st.integers(-9, 3), st.just(()), st.just(1.0)),
    st.builds(BackingOff, SEATS, st.just(1.0), st.just(1.0)),
    st.builds(GaveUp, SEATS, st.just("m"), st.none(), st.just(1.0)),
    st.builds(Stopping, SEATS, st.just(1.0)),
)


@given(st.lists(EVENTS, max_size=25))
def test_whatever_happens_a_seat_is_ready_only_with_a_process_and_every_proof(events: list[SeatEvent]) -> None:
    state = folded([added("chair", frozenset({Proof.READY}), program="chair"), added("ada", AVATAR), *events])
    for seat in state.seats.values():
        assert not seat.ready or (seat.pid is not None and not seat.missing)
        assert seat.pid is not None or (not seat.legs and seat.missing == seat.proofs)
        assert (seat.state in ("running", "degraded", "stalled")) == seat.ready
        assert as_of(state, 1.0) == state


def test_why_a_process_went_is_forgotten_when_the_next_one_has_been_well_for_a_while() -> None:
    went = (Unhealthy("max", "was not ready within 60 s", "read max.log", 10.0), Exited("max", -9, (), 10.0))
    state = folded([*BEGUN, *went, Started("max", 8, 11.0), ChildMessage("max", Ready(), 12.0)])
    seat = as_of(state, 12.0 + RECOVERED_S - 0.1).seats["max"]
    assert (seat.last_error, seat.error_at) == ("was not ready within 60 s", 10.0)
    seat = as_of(state, 12.0 + RECOVERED_S).seats["max"]
    assert (seat.last_error, seat.hint, seat.error_at) == (None, None, None)
