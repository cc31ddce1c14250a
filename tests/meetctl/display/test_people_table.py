"""People on the board and in its lines: who is there and what they send; what nobody said is a dash."""

from __future__ import annotations

from itertools import pairwise

from meetctl.display.board import render_all
from meetctl.display.lines import changes
from meetctl.status.document import MeetingStatus, PersonStatus, RequestStatus, StatusDocument
from tests.meetctl.display.test_board import drawn

BOB = PersonStatus(
    identity="bob-1",
    name="Bob",
    role="guest",
    since="2026-03-01T12:00:00+00:00",
    microphone=True,
    screen=True,
    talked_s=61.4,
    ice="connected",
    path="relay-tls",
    loss=0.012,
    rtt_ms=31.6,
)
EVE = PersonStatus(identity="eve-1", name="Eve")


ZOE = RequestStatus(id="3", kind="admission", name="[red]Zoe", what="come in", detail="as a guest, by the guests' link")
TOOL = RequestStatus(id="4", kind="tool", name="Ada", what="send", detail="{}")


def document(*people: PersonStatus, locked: bool = False) -> StatusDocument:
    return StatusDocument(meetings=(MeetingStatus(room="standup", state="running", people=people, locked=locked),))


def test_each_person_has_a_row_with_what_they_send_and_what_their_page_says() -> None:
    lines = drawn(render_all(document(BOB, EVE, locked=True)), 160).splitlines()
    assert lines[0].endswith("locked")
    bob, eve = (line.split() for line in lines if line.strip().startswith(("Bob", "Eve")))
    assert bob[:5] == ["Bob", "guest", "microphone,", "screen", "61"]
    assert bob[-4:] == ["relay-tls", "connected", "1.2", "31.6"]
    assert eve == ["Eve", "–", "nothing", "0", "–", "–", "–", "–", "–"]


def test_on_a_narrow_screen_name_and_what_is_sent_stay() -> None:
    lines = drawn(render_all(document(BOB)), 40).splitlines()
    assert any("Bob" in line and "microphone, screen" in line for line in lines)


def test_who_comes_goes_and_changes_their_path_is_a_line_each() -> None:
    steps = [document(), document(BOB, EVE), document(BOB.model_copy(update={"path": "udp"}), locked=True)]
    told = [line for before, after in pairwise(steps) for line in changes(before, after)]
    assert told == [
        "standup: Bob came in (guest)",
        "standup: Eve came in",
        "standup: Bob is connected by udp",
        "standup: Eve left",
        "standup: locked",
    ]


def test_who_waits_outside_is_told_with_what_to_type_and_their_name_is_no_markup() -> None:
    waiting = document()
    (meeting,) = waiting.meetings
    waiting = waiting.model_copy(update={"meetings": (meeting.model_copy(update={"requests": (ZOE, TOOL)}),)})
    told = "[red]Zoe waits to be let in, as a guest, by the guests' link: meetctl admit 3, or meetctl deny 3"
    assert told in drawn(render_all(waiting), 120)
    assert changes(document(), waiting) == [f"standup: {told}"]
    assert changes(waiting, waiting) == []
