"""A question that was granted and never answered: who tries again, who after it, and when people are told."""

from __future__ import annotations

from typing import Self

import pytest
from meetctl_agents.floor.events import (
    AgentCame,
    AgentGone,
    CastSet,
    Directed,
    Event,
    HumanCame,
    HumanLeft,
    Muted,
    NeverAnswered,
    NothingSaid,
    Picked,
    PlaybackStarted,
    Released,
    SpeechStarted,
    Tick,
    UtteranceFinal,
)
from meetctl_agents.floor.machine import SILENT_S, next_deadline
from meetctl_agents.floor.unanswered import RETURN_S

from meetctl.protocol import FloorMode, Unsaid
from tests.meetctl_agents.floor.test_modes import CAST, Played, line


class Silent(Played):
    """A meeting in which agents may say nothing."""

    def fail(self, unsaid: Unsaid | None = None) -> Self:
        held = self.floor.hold
        assert held is not None, "nobody holds the floor"
        return self.do(Released(held.request.identity, held.grant_id, None, unsaid=unsaid))

    @property
    def told(self) -> list[tuple[str, str | None, Unsaid | None]]:
        """Who did not answer which line, and why."""
        silent = [action for action in self.actions if isinstance(action, NeverAnswered)]
        return [(one.identity, one.line.id if one.line else None, one.unsaid) for one in silent]


def asked(*named: str, mode: FloorMode = FloorMode.ADDRESSED, most: int = 4) -> Silent:
    return Silent(mode, humans=("sam", "eve"), max_agent_turns=most).say("When?", *named)


def test_who_was_asked_is_granted_the_same_once_more() -> None:
    meeting = asked("max")
    assert meeting.fail().given == ["max", "max"]
    assert meeting.floor.hold is not None
    assert meeting.floor.hold.request.line == line("sam", "When?")
    assert meeting.speak().told == []


def test_people_are_told_where_who_was_named_says_nothing_twice() -> None:
    meeting = asked("max").fail().fail(Unsaid.FAILED)
    assert (meeting.given, meeting.told) == (["max", "max"], [("max", "u1", Unsaid.FAILED)])
    assert (meeting.floor.waiting, meeting.floor.owed) == ((), ())


def test_where_nobody_was_named_the_next_in_line_answers_after_it() -> None:
    meeting = asked().fail().fail()
    assert (meeting.given, meeting.told) == (["ada", "ada", "max"], [])
    assert meeting.fail().given == ["ada", "ada", "max"]
    assert meeting.told == [("max", "u1", None)]


def test_whom_the_moderator_picked_was_not_named() -> None:
    meeting = asked(mode=FloorMode.MODERATED).do(Picked(1, "zoe"))
    assert meeting.fail().fail().given == ["zoe", "zoe", "ada"]


@pytest.mark.parametrize(
    ("unsaid", "told"),
    [(Unsaid.LIMITED, [("max", "u1", Unsaid.LIMITED)]), (Unsaid.NOTHING_NEW, [("max", "u1", Unsaid.NOTHING_NEW)])],
)
def test_who_would_say_nothing_again_is_not_asked_again(unsaid: Unsaid, told: list[object]) -> None:
    meeting = asked("max").fail(unsaid)
    assert (meeting.given, meeting.told) == (["max"], told)
    assert asked().fail(unsaid).given == ["ada", "max"]


def test_others_who_wait_come_before_it_tries_again() -> None:
    meeting = asked("max", "ada").fail()
    assert meeting.speak().given == ["max", "ada", "max"]


def test_who_hangs_is_asked_again_once_its_time_is_up() -> None:
    meeting = asked("max")
    assert meeting.wait(SILENT_S).given == ["max", "max"]
    assert meeting.wait(SILENT_S).given == ["max", "max"]
    assert meeting.told == [("max", "u1", None)]


def test_to_try_again_is_no_turn_more() -> None:
    assert asked("max", most=1).fail().given == ["max", "max"]


def test_who_is_gone_answers_once_it_is_back() -> None:
    meeting = asked("max").do(AgentGone("max"))
    assert (meeting.given, meeting.floor.holder) == (["max"], None)
    assert meeting.wait(2).do(AgentCame("max")).given == ["max", "max"]


def test_who_is_gone_while_it_waits_answers_once_it_is_back() -> None:
    meeting = asked("ada", "max").do(AgentGone("max"))
    assert meeting.speak().given == ["ada"]
    assert meeting.do(AgentCame("max")).given == ["ada", "max"]


def test_people_are_told_where_who_waits_to_answer_is_removed() -> None:
    meeting = asked("ada", "max").do(CastSet(CAST[:1]))
    assert meeting.told == [("max", "u1", None)]
    assert meeting.speak().given == ["ada"]


def test_who_does_not_come_back_did_not_answer() -> None:
    meeting = asked("max").do(AgentGone("max"))
    due = next_deadline(meeting.floor, meeting.now)
    assert due == pytest.approx(meeting.now + RETURN_S, abs=0.1)
    assert (meeting.wait(RETURN_S), meeting.told) == (meeting, [("max", "u1", None)])
    assert meeting.do(AgentCame("max")).given == ["max"]


def test_the_next_in_line_does_not_wait_for_one_that_is_gone() -> None:
    assert asked().do(AgentGone("ada")).given == ["ada", "max"]


@pytest.mark.parametrize(
    "since",
    [UtteranceFinal(line("sam", "Zoe?", id="u2"), ("zoe",)), CastSet(CAST[:1])],
    ids=["another question", "removed"],
)
def test_nobody_comes_back_to_what_is_over(since: Event) -> None:
    meeting = asked("max").do(AgentGone("max"), since)
    assert meeting.told == [("max", "u1", None)]
    assert "max" not in meeting.do(AgentCame("max")).given[1:]


def test_nobody_comes_back_where_everybody_has_left() -> None:
    meeting = asked("max").do(AgentGone("max"), HumanLeft("sam"), HumanLeft("eve"), AgentCame("max"))
    assert meeting.given == ["max"]


def test_what_the_host_asks_is_asked_again_too() -> None:
    meeting = Silent(humans=())
    meeting.do(Directed("mute", line=line("host", "When?")))
    assert meeting.fail().given == ["mute", "mute"]


def test_what_no_person_asked_is_not_asked_again() -> None:
    meeting = Silent(opening="max")
    assert meeting.fail(Unsaid.FAILED).told == [("max", None, Unsaid.FAILED)]
    assert meeting.given == ["max"]


def cut_before_it_was_heard(*after: Event) -> Silent:
    meeting = asked("max").do(SpeechStarted("eve"))
    held = meeting.floor.hold
    assert held is not None
    meeting.do(Released("max", held.grant_id, None), *after)
    return meeting


def test_people_who_talk_among_themselves_before_the_answer_is_heard_do_not_take_it_away() -> None:
    aside = UtteranceFinal(line("eve", "Sam, sit down.", id="u2"), to_nobody=True)
    meeting = cut_before_it_was_heard(aside)
    assert meeting.given == ["max", "max"]
    assert meeting.floor.hold is not None
    assert meeting.floor.hold.request.line == line("sam", "When?")
    # whoever goes on has taken his question back
    more = UtteranceFinal(line("sam", "When? I mean, Eve, when?", id="u1"), to_nobody=True)
    assert cut_before_it_was_heard(more).given == ["max"]
    assert cut_before_it_was_heard(NothingSaid("eve")).given == ["max", "max"]


def test_the_answer_is_not_lost_where_whoever_talked_into_it_leaves() -> None:
    assert cut_before_it_was_heard(HumanLeft("eve")).given == ["max", "max"]
    # where everybody leaves, nobody wants it any more
    emptied = cut_before_it_was_heard(HumanLeft("sam"), HumanLeft("eve"), HumanCame("zed"))
    assert emptied.do(SpeechStarted("zed"), NothingSaid("zed")).given == ["max"]


def test_nobody_goes_on_who_was_muted_excluded_or_removed_meanwhile() -> None:
    muted = cut_before_it_was_heard(Muted("max", True), NothingSaid("eve"))
    assert (muted.given, muted.told) == (["max"], [])
    excluded = UtteranceFinal(line("eve", "Not you, Max.", id="u2"), to_nobody=True, excluded=("max",))
    assert cut_before_it_was_heard(excluded).given == ["max"]
    removed = cut_before_it_was_heard(CastSet(CAST[:1]), NothingSaid("eve"))
    assert (removed.given, removed.told) == (["max"], [("max", "u1", None)])


def test_an_answer_that_was_begun_is_over_where_people_talk_among_themselves() -> None:
    meeting = asked("max").do(PlaybackStarted("max"), SpeechStarted("eve")).speak(interrupted=True)
    meeting.do(UtteranceFinal(line("eve", "Sam, sit down.", id="u2"), to_nobody=True), Tick())
    assert meeting.given == ["max"]
