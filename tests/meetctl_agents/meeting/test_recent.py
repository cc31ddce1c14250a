"""What somebody who comes late is told."""

from __future__ import annotations

from meetctl_agents.meeting.recent import REMEMBERED, Recent

from meetctl.protocol import Line, UtteranceKind


def talk(number: int, text: str = "words") -> Line:
    return Line(id=f"u{number}", at=number, speaker="Sam", identity="sam", text=text)


def came(number: int, *here: str) -> Line:
    return Line(
        id=f"f{number}", at=number, speaker="Chair", identity="chair", kind=UtteranceKind.FACT, text="x", here=here
    )


def test_comings_and_goings_push_no_talk_out_and_only_the_newest_is_told() -> None:
    recent = Recent([*map(talk, range(REMEMBERED)), *(came(n, f"G{n}") for n in range(30))])
    assert recent.lines == (*map(talk, range(REMEMBERED)), came(29, "G29"))


def test_talk_is_bounded_and_a_line_that_is_corrected_keeps_its_place() -> None:
    recent = Recent(map(talk, range(REMEMBERED + 5)))
    recent.add(talk(10, "more words"))
    assert [line.id for line in recent.talk] == [f"u{n}" for n in range(5, REMEMBERED + 5)]
    assert recent.talk[5].text == "more words"
