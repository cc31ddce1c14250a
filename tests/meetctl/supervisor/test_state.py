"""Histories of seats, folded: what is shown after each event, as whole sequences of states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.meeting.seats import FACE as FACE_SEEN
from meetctl.meeting.seats import shows_face
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
    Recovered,
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
    SeatAdded,
    SeatEvent,
    SeatKind,
    SeatRemoved,
    Started,
    Stopping,
    Unhealthy,
    Warned,
    WireEvent,
)
from meetctl.supervisor.seat import RECOVERED_S, STALLED_AFTER_S, STATS_OVERDUE_S, WARNING_S
from meetctl.supervisor.state import MeetingState, Phase, ProcessState, SeatState, apply, as_of

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
ADA_READY: list[SeatEvent] = [
    added("ada", AVATAR),
    Started("ada", 10, 1),
    said("ada", Ready()),
    said("ada", ROOM),
    said("ada", FACE),
    said("chair", MediaReceived(identity="ada", kind=MediaKind.AUDIO)),
    said("chair", MediaReceived(identity="ada", kind=MediaKind.VIDEO), at=3),
]


@pytest.fixture
def chair() -> MeetingState:
    return folded([*CHAIR, said("chair", Ready())])


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


BEGUN: list[SeatEvent] = [added("max", frozenset({Proof.READY}), program="audio"), Started("max", 7, 1.0)]
BEGUN.append(said("max", Ready()))


def test_a_warning_that_is_repeated_is_counted_figures_aside_and_over_when_it_is_no_longer_said() -> None:
    state = folded([*BEGUN, *(ChildMessage("max", Warn(message=f"slow: {n}.5 s"), 10.0 + n) for n in range(3))])
    seat = state.seats["max"]
    assert (seat.warning, seat.warned_at, seat.warnings) == ("slow: 2.5 s", 12.0, 3)
    assert as_of(state, 12.0 + WARNING_S - 0.1).seats["max"].warning == "slow: 2.5 s"
    over = as_of(state, 12.0 + WARNING_S).seats["max"]
    assert (over.warning, over.warnings) == (None, 0)


def test_a_warning_that_holds_stays_until_it_is_taken_back() -> None:
    state = folded([*BEGUN, Warned("max", "the disk is full", 10.0)])
    assert as_of(state, 10_000.0).seats["max"].warning == "the disk is full"
    assert apply(state, Warned("max", "", 20.0)).seats["max"].warning is None


def test_an_agent_that_did_not_answer_is_said_to_beside_what_it_warned_of_itself(chair: MeetingState) -> None:
    unanswered = said("chair", Unanswered(identity="max", line_id="u1", speaker="sam"))
    state = folded([*BEGUN, unanswered], chair)
    assert state.seats["max"].warning == "did not answer what it was asked"
    failing = [*BEGUN, said("max", Warn(message="could not answer: 503")), unanswered, unanswered]
    assert folded(failing, chair).seats["max"].warning == "did not answer what it was asked: could not answer: 503"


def test_a_warning_that_holds_stays_as_it_is_where_its_agent_does_not_answer_either(chair: MeetingState) -> None:
    held = Warned("max", "wants to use send: meetctl approve 1, or deny 1", 10.0)
    unanswered = said("chair", Unanswered(identity="max", line_id="u1", speaker="sam"))
    state = folded([*BEGUN, held, unanswered], chair)
    assert state.seats["max"].warning == held.message
    later = apply(apply(state, Warned("max", "", 20.0)), unanswered)
    assert later.seats["max"].warning == "did not answer what it was asked"
    over = as_of(later, 10_000.0)
    assert over.seats["max"].warning is None


def test_why_a_process_went_is_forgotten_when_the_next_one_has_been_well_for_a_while() -> None:
    went = (Unhealthy("max", "was not ready within 60 s", "read max.log", 10.0), Exited("max", -9, (), 10.0))
    state = folded([*BEGUN, *went, Started("max", 8, 11.0), ChildMessage("max", Ready(), 12.0)])
    seat = as_of(state, 12.0 + RECOVERED_S - 0.1).seats["max"]
    assert (seat.last_error, seat.error_at) == ("was not ready within 60 s", 10.0)
    seat = as_of(state, 12.0 + RECOVERED_S).seats["max"]
    assert (seat.last_error, seat.hint, seat.error_at) == (None, None, None)


def test_a_warning_goes_when_its_child_says_that_it_is_over_and_no_other_with_it() -> None:
    failing = [
        *BEGUN,
        ChildMessage("max", Warn(message="the language model fails: 503", about="the language model"), 10.0),
    ]
    other = [*failing, ChildMessage("max", Recovered(about="the speech model"), 11.0)]
    assert folded(other).seats["max"].warning == "the language model fails: 503"
    over = [*other, ChildMessage("max", Recovered(about="the language model"), 12.0)]
    assert (folded(over).seats["max"].warning, folded(over).seats["max"].warned_at) == (None, None)
    untold = [
        *over,
        ChildMessage("max", Warn(message="slow"), 13.0),
        ChildMessage("max", Recovered(about="the language model"), 14.0),
    ]
    assert folded(untold).seats["max"].warning == "slow"


def test_an_older_fault_that_is_over_takes_back_no_warning_of_somebody_else_s() -> None:
    fault = ChildMessage("max", Warn(message="the language model fails: 503", about="the language model"), 10.0)
    asks = Warned("max", "wants to use send: meetctl approve 1, or deny 1", 11.0)
    recovered = ChildMessage("max", Recovered(about="the language model"), 12.0)
    assert folded([*BEGUN, fault, asks, recovered]).seats["max"].warning == asks.message
