"""Who speaks next in each mode of the floor, and in a meeting of agents alone."""

from __future__ import annotations

from typing import Self

import pytest
from meetctl_agents.floor.events import (
    Action,
    AgentCame,
    AgentGone,
    CastSet,
    Changed,
    Consult,
    Directed,
    Event,
    GrantFloor,
    HumanCame,
    HumanLeft,
    Muted,
    NothingSaid,
    Overheard,
    Picked,
    PlaybackStarted,
    Released,
    RevokeFloor,
    SpeechStarted,
    Tick,
    Undecided,
    UtteranceFinal,
)
from meetctl_agents.floor.machine import NUDGE_S, next_deadline, next_request, step
from meetctl_agents.floor.modes import MODERATION_S, ROOM_S
from meetctl_agents.floor.state import Floor

from meetctl.protocol import CastMember, FloorMode, Line, MeetingRules, Speaks

CAST = (
    CastMember(identity="ada", name="Ada"),
    CastMember(identity="max", name="Max"),
    CastMember(identity="zoe", name="Zoe"),
    CastMember(identity="shy", name="Shy", speaks=Speaks.ON_ADDRESS),
    CastMember(identity="mute", name="Mute", speaks=Speaks.NEVER),
)


class Played:
    """A meeting of CAST, step by step; each agent that is given the floor can be let speak."""

    def __init__(self, mode: FloorMode = FloorMode.ADDRESSED, *, humans: tuple[str, ...] = ("sam",), **rules: object):
        self.floor = Floor(run="r", rules=MeetingRules.model_validate({"floor": mode, **rules}))
        self.actions: list[Action] = []
        self.now = 0.0
        self.do(CastSet(CAST), *(AgentCame(member.identity) for member in CAST))
        self.do(*(HumanCame(human) for human in humans))

    def do(self, *events: Event) -> Self:
        for event in events:
            self.now += 0.01
            self.floor, actions = step(self.floor, event, self.now)
            self.actions += actions
        return self

    def wait(self, seconds: float) -> Self:
        self.now += seconds
        return self.do(Tick())

    def say(self, text: str, *addressed: str, human: str = "sam", number: int = 1) -> Self:
        return self.do(SpeechStarted(human), UtteranceFinal(line(human, text, id=f"u{number}"), addressed))

    def speak(self, *addressed: str, interrupted: bool = False) -> Self:
        """Lets the holder say something and release the floor."""
        held = self.floor.hold
        assert held is not None, "nobody holds the floor"
        said = line(held.request.identity, "words", id=held.grant_id).model_copy(update={"interrupted": interrupted})
        return self.do(
            PlaybackStarted(held.request.identity), Released(held.request.identity, held.grant_id, said, addressed)
        )

    def speak_all(self, most: int = 20) -> Self:
        while self.floor.hold and (most := most - 1) >= 0:
            self.speak()
        return self

    @property
    def given(self) -> list[str]:
        return [action.identity for action in self.actions if isinstance(action, GrantFloor)]

    @property
    def consults(self) -> list[Consult]:
        return [action for action in self.actions if isinstance(action, Consult)]


def line(identity: str, text: str = "words", id: str = "u1") -> Line:
    return Line(id=id, at=0, speaker=identity.title(), identity=identity, text=text)


def test_in_a_round_everybody_speaks_once_named_or_not_and_who_only_answers_where_named() -> None:
    assert Played(FloorMode.ROUND_ROBIN).say("Hello").speak_all().given == ["ada", "max", "zoe"]
    assert Played(FloorMode.ROUND_ROBIN).say("Max?", "max").speak_all().given == ["ada", "max", "zoe"]
    assert Played(FloorMode.ROUND_ROBIN).say("Shy?", "shy").speak_all().given == ["ada", "max", "zoe", "shy"]


def test_a_person_who_speaks_into_a_round_begins_a_new_one_where_it_stopped() -> None:
    meeting = Played(FloorMode.ROUND_ROBIN).say("Hello").speak().do(SpeechStarted("sam")).speak(interrupted=True)
    meeting.do(UtteranceFinal(line("sam", id="u2"))).speak_all()
    assert meeting.given == ["ada", "max", "zoe", "ada", "max"]


def test_in_a_free_meeting_agents_go_on_until_they_have_talked_for_long_enough() -> None:
    meeting = Played(FloorMode.FREE, max_agent_turns=5).say("Hello").speak_all()
    assert meeting.given == ["ada", "max", "zoe", "ada", "max"]
    assert meeting.say("And now?", number=2).given[5:] == ["zoe"]


def test_in_a_free_meeting_whoever_is_named_comes_first() -> None:
    meeting = Played(FloorMode.FREE).say("Zoe?", "zoe").speak("shy").speak()
    assert meeting.given[:2] == ["zoe", "shy"]


def test_the_moderator_picks_who_answers_where_nobody_is_named() -> None:
    meeting = Played(FloorMode.MODERATED).say("What about tests?")
    [consult] = meeting.consults
    assert (consult.line.text, consult.candidates) == ("What about tests?", ("ada", "max", "zoe", "shy"))
    assert meeting.given == []
    assert meeting.do(Picked(consult.number, "shy")).given == ["shy"]
    # and who goes on afterwards, or that nobody does
    meeting.speak()
    assert meeting.consults[1].candidates == ("ada", "max", "zoe")
    assert meeting.do(Picked(meeting.consults[1].number, None)).given == ["shy"]


def test_who_is_named_answers_without_the_moderator() -> None:
    assert Played(FloorMode.MODERATED).say("Max?", "max").given == ["max"]


@pytest.mark.parametrize("answer", [Undecided(1), Picked(1, "mute"), Picked(1, "stranger")])
def test_a_moderator_that_fails_is_replaced_by_turns(answer: Event) -> None:
    assert Played(FloorMode.MODERATED).say("Well?").do(answer).given == ["ada"]


def test_a_moderator_that_is_slow_is_not_waited_for() -> None:
    meeting = Played(FloorMode.MODERATED).say("Well?")
    due = next_deadline(meeting.floor, meeting.now)
    assert due is not None
    assert due <= meeting.now + MODERATION_S
    assert meeting.wait(MODERATION_S).given == ["ada"]
    assert meeting.do(Picked(1, "max")).given == ["ada"]


def test_the_moderators_answer_to_an_older_line_is_of_no_use() -> None:
    meeting = Played(FloorMode.MODERATED).say("Well?").say("I mean, the tests?", number=2)
    assert meeting.do(Picked(1, "max")).given == []
    assert meeting.do(Picked(2, "zoe")).given == ["zoe"]


def test_the_moderator_never_makes_agents_talk_for_ever() -> None:
    meeting = Played(FloorMode.MODERATED, max_agent_turns=3).say("Well?")
    for number in range(1, 10):
        meeting.do(Picked(number, "ada" if number % 2 else "max"))
        if meeting.floor.hold:
            meeting.speak()
    assert meeting.given == ["ada", "max", "ada"]


def test_one_greets_the_first_person_and_nobody_else() -> None:
    meeting = Played(opening="max", humans=())
    assert meeting.given == []
    meeting.do(HumanCame("sam"))
    assert meeting.actions[-2:] == [GrantFloor("max", "r-1", None), Changed("max")]
    assert meeting.speak().do(HumanLeft("sam"), HumanCame("eve")).given == ["max"]


def test_who_is_to_greet_does_so_once_it_is_there_unless_somebody_has_spoken() -> None:
    def begun() -> Played:
        return Played(opening="max", humans=()).do(AgentGone("max"), HumanCame("sam"))

    assert begun().do(AgentCame("max")).given == ["max"]
    assert begun().say("Hello, Ada.", "ada").speak().do(AgentCame("max")).given == ["ada"]


def test_a_greeting_that_failed_is_tried_again_for_a_while() -> None:
    meeting = Played(opening="max")
    for number in range(1, 30):
        meeting.do(Released("max", f"r-{number}", None)).wait(NUDGE_S)
    assert 2 < len(meeting.given) < 12


def test_agents_alone_open_the_meeting_and_go_on_by_turn() -> None:
    meeting = Played(opening="zoe", agents_alone=True, max_agent_turns=None, humans=())
    assert meeting.given == ["zoe"]
    meeting.speak("max").speak().speak()
    assert meeting.given[:4] == ["zoe", "max", "zoe", "ada"]


def test_agents_alone_go_on_after_one_of_them_failed() -> None:
    meeting = Played(opening="ada", agents_alone=True, max_agent_turns=None, humans=()).speak()
    meeting.do(Released("max", "r-2", None))
    assert meeting.floor.holder is None
    assert meeting.wait(NUDGE_S).given == ["ada", "max", "zoe"]


def test_agents_alone_stop_where_a_person_is_to_speak_after_some_turns() -> None:
    meeting = Played(opening="ada", agents_alone=True, max_agent_turns=3, humans=()).speak_all().wait(60).wait(60)
    assert len(meeting.given) == 3


def test_a_cough_gives_back_the_very_turn_and_words_that_mean_go_on_do_too() -> None:
    meeting = Played().say("Max?", "max").do(SpeechStarted("sam")).speak(interrupted=True).do(NothingSaid("sam"))
    first, again = (action for action in meeting.actions if isinstance(action, GrantFloor))
    assert (first.identity, first.line) == (again.identity, again.line)


def test_said_from_outside_comes_next_without_cutting_anybody_off_even_where_nobody_is_there() -> None:
    meeting = Played().say("Max?", "max").do(Directed("zoe", "Welcome."))
    assert meeting.given == ["max"]
    assert not any(isinstance(action, RevokeFloor) for action in meeting.actions)
    assert meeting.speak().actions[-2:] == [GrantFloor("zoe", "r-2", None, "Welcome."), Changed("zoe")]
    assert Played(humans=()).do(Directed("mute", "Hello.")).given == ["mute"]
    assert Played(humans=()).do(Directed("stranger", "Hello.")).given == []


def test_asked_from_outside_answers_what_was_asked_even_where_nobody_is_there() -> None:
    question = line("host", "When?")
    meeting = Played(humans=()).do(Directed("max", line=question))
    assert meeting.actions == [GrantFloor("max", "r-1", question, None), Changed("max")]


def test_who_is_muted_falls_silent_and_is_not_given_the_floor_until_unmuted() -> None:
    meeting = Played().say("Max?", "max").do(Muted("max", True))
    assert meeting.actions[-1] == RevokeFloor("max", "r-1")
    meeting.speak(interrupted=True).say("Max?", "max", number=2).do(Directed("max", "Hello."))
    assert meeting.given == ["max"]
    assert meeting.do(Muted("max", False)).say("Max?", "max", number=3).given == ["max", "max"]


def test_what_an_agent_outside_the_floor_says_may_name_one_that_answers_and_counts_as_a_turn() -> None:
    meeting = Played(max_agent_turns=2)
    for number in range(1, 5):
        meeting.do(Overheard(line("bot", id=f"o{number}"), ("ada",)))
        if meeting.floor.hold:
            meeting.speak()
    assert meeting.given == ["ada"]


def test_by_turn_an_empty_seat_is_passed_over() -> None:
    assert Played().do(AgentGone("ada")).say("Hello?").given == ["max"]


def test_who_would_speak_next_is_known_beforehand_and_nothing_happens() -> None:
    meeting = Played().say("Ada and Max?", "ada", "max")
    held = meeting.floor.hold
    assert held is not None
    request = next_request(meeting.floor, Released("ada", held.grant_id, line("ada", id=held.grant_id)), meeting.now)
    assert request is not None
    assert request.identity == "max"
    assert meeting.floor.holder == "ada"
    # while the one who was cut off has not let go yet
    meeting.do(SpeechStarted("sam"))
    wish = next_request(meeting.floor, UtteranceFinal(line("sam", id="u2"), ("zoe",)), meeting.now)
    assert wish is not None
    assert wish.identity == "zoe"


# --- whom it is meant for ---


def asked_of_the_room(human: str = "sam", number: int = 1) -> tuple[Event, Event]:
    said = UtteranceFinal(line(human, "does anybody know", id=f"u{number}"), to_the_room=True)
    return SpeechStarted(human), said


def test_a_question_to_the_room_is_answered_by_one_agent_where_no_person_has_by_then() -> None:
    played = Played(humans=("sam", "eve")).do(*asked_of_the_room())
    assert played.given == []
    assert next_deadline(played.floor, played.now) == pytest.approx(played.now + ROOM_S)
    assert played.wait(ROOM_S).given == ["ada"]


def test_whoever_would_answer_the_room_gets_ready_meanwhile() -> None:
    played = Played(humans=("sam", "eve"))
    _, said = asked_of_the_room()
    wish = next_request(played.floor, said, played.now)
    assert wish is not None
    assert wish.identity == "ada"


def test_a_question_to_the_room_that_a_person_answers_is_answered_by_no_agent() -> None:
    played = Played(humans=("sam", "eve")).do(*asked_of_the_room(), SpeechStarted("eve"))
    assert played.wait(2 * ROOM_S).given == []
    assert played.do(UtteranceFinal(line("eve", "at nine", id="u2"), to_nobody=True)).wait(2 * ROOM_S).given == []


@pytest.mark.parametrize("open_questions", ["wait", "answer"])
def test_a_question_to_the_room_is_answered_after_what_somebody_was_asked_before(open_questions: str) -> None:
    played = Played(humans=("sam", "eve"), open_questions=open_questions).do(SpeechStarted("eve"))
    played.say("max?", "max").do(UtteranceFinal(line("eve", "does anybody know", id="u2"), to_the_room=True))
    assert played.wait(ROOM_S).given == ["max"]
    assert played.speak().given == ["max", "ada" if open_questions == "answer" else "zoe"]


def test_a_cough_after_a_question_to_the_room_answers_it_not() -> None:
    played = Played(humans=("sam", "eve")).do(*asked_of_the_room(), SpeechStarted("eve")).wait(2 * ROOM_S)
    assert played.do(NothingSaid("eve")).given == ["ada"]


@pytest.mark.parametrize(("open_questions", "granted"), [("answer", ["ada"]), ("ignore", [])])
def test_a_question_to_the_room_is_answered_at_once_or_left_to_people(open_questions: str, granted: list[str]) -> None:
    played = Played(humans=("sam", "eve"), open_questions=open_questions).do(*asked_of_the_room())
    assert played.given == granted
    assert played.wait(2 * ROOM_S).given == granted


def test_whoever_is_excluded_loses_the_floor_and_what_it_was_to_have_of_it() -> None:
    played = Played(humans=("sam", "eve")).say("ada and max", "ada", "max")
    played.do(UtteranceFinal(line("sam", "not you", id="u2"), excluded=("ada", "max"), to_nobody=True, spoken=False))
    assert played.floor.waiting == ()
    assert played.floor.hold is not None
    assert played.floor.hold.cut


@pytest.mark.parametrize(("is_aside", "granted"), [(True, ["ada", "zoe"]), (False, ["ada", "ada", "zoe"])])
def test_whom_one_of_two_calls_answers_and_not_the_agent_that_the_other_only_spoke_into(
    is_aside: bool, granted: list[str]
) -> None:
    played = Played(humans=("sam", "eve")).say("ada?", "ada").do(SpeechStarted("eve"), SpeechStarted("sam"))
    played.speak(interrupted=True)
    played.do(UtteranceFinal(line("eve", "too small", id="u2"), ("ada",), is_aside=is_aside))
    played.do(UtteranceFinal(line("sam", "zoe, when?", id="u3"), ("zoe",)))
    assert played.speak_all().given == granted


def test_agents_wait_for_two_people_who_talk_at_once_and_whoever_was_addressed_answers() -> None:
    played = Played(humans=("sam", "eve")).do(SpeechStarted("sam"), SpeechStarted("eve"))
    played.do(UtteranceFinal(line("sam", "ada?", id="u1"), ("ada",)))
    assert played.given == []
    played.do(UtteranceFinal(line("eve", "it is cold", id="u2"), to_nobody=True))
    assert played.given == ["ada"]
