"""The door of a scenario: a path in, a scenario out, or one error with everything that is wrong. Starts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meetctl.programs.room_access import CHAIR_IDENTITY
from meetctl.protocol.rehearsal import Act
from meetctl.rehearsal.scenario import (
    Expectation,
    LineTest,
    MeetingExpectation,
    PlayedPerson,
    Scenario,
    ScenarioStep,
    TextTest,
    ToolTest,
)
from meetctl.rehearsal.sentences import Sentence, read_step
from meetctl.rehearsal.written import (
    VOICES,
    ExpectWritten,
    MeetingExpectWritten,
    PersonWritten,
    ScenarioWritten,
    TextWritten,
)
from meetctl.roster import Roster, RosterFaults, load_roster
from meetctl.roster.faults import Fault, KeyPath, nearest
from meetctl.roster.load import roster_from_document
from meetctl.roster.reading import Reading
from meetctl.roster.streams import base_of
from meetctl.roster.yaml_source import load_document, part_of
from meetctl.settings import slug

OTHERS, EVERYONE = "others", "everyone"
"""In `silent`: those whose answer is not awaited, and all of them."""
CHAIR = "chair"
"""In `kill`."""


class ScenarioFaults(RosterFaults):
    """Every fault of a scenario file."""

    code = "scenario"
    COMMAND = "meetctl rehearse"


def load_scenario(path: Path, *, environment: Mapping[str, str], room: str) -> Scenario:
    """Returns the scenario of the file, its roster seated in that room.

    Variables are filled in within an inline roster, nowhere else: a `$` belongs to a pattern.

    Raises:
        ScenarioFaults: with every fault of the file.
        RosterFaults: with every fault of the roster it names, once the scenario itself is good.
    """
    try:
        reading = Reading(load_document(path, None))
    except RosterFaults as error:
        raise ScenarioFaults(error.file, error.faults) from None
    value = reading.document.value
    expected = value.get("expect") if isinstance(value, dict) else None
    # Apart, so that a fault in it hides none of its other keys.
    wanted, _ = reading.read(MeetingExpectWritten, expected, ("expect",)) if expected is not None else (None, None)
    value = {key: item for key, item in value.items() if key != "expect"} if isinstance(value, dict) else value
    head, _ = reading.read(ScenarioWritten, value, ())
    faults: list[Fault] = []
    roster: Roster | None = None
    outside: RosterFaults | None = None
    if head is not None:
        try:
            roster = _roster(path, head.roster, environment, room)
        except RosterFaults as error:
            if error.file == path:
                faults += error.faults
            else:
                outside = error
    people = _people(reading, head, roster)
    steps = [
        step
        for index, item in enumerate(head.steps if head is not None else ())
        if (step := read_step(reading, item, ("steps", index))) is not None
    ]
    casting = _Casting(reading, roster, people)
    resolved = tuple(casting.step(step) for step in steps)
    expect = casting.meeting(wanted) if wanted is not None else None
    # Those of an inline roster have been told, from its own reading with the variables filled in.
    faults += [fault for fault in (*reading.document.faults, *reading.faults) if fault.path[:1] != ("roster",)]
    if faults:
        raise ScenarioFaults(path, faults)
    if outside is not None:
        raise outside
    assert roster is not None
    late = {name for name, act in casting.first_act.items() if act is Act.JOINS}
    seated = tuple(PlayedPerson(p.name, p.identity, p.voice, here=p.name not in late) for p in people.values())
    return Scenario(path, roster, seated, resolved, expect)


def _roster(path: Path, written: str | dict[str, object], environment: Mapping[str, str], room: str) -> Roster:
    """Returns the roster, with a LiveKit server of its own whatever it says: nobody else's is disturbed."""
    if isinstance(written, str):
        roster = load_roster(base_of(path) / written, environment=environment, room=room)
    else:
        inline = part_of(load_document(path, environment), "roster")
        roster = roster_from_document(inline, environment=environment, room=room)
    return roster.model_copy(update={"livekit": None})


def _people(reading: Reading, head: ScenarioWritten | None, roster: Roster | None) -> dict[str, PlayedPerson]:
    taken = {CHAIR_IDENTITY, *(entry.identity for entry in roster.agents)} if roster is not None else {CHAIR_IDENTITY}
    agents = {entry.name.casefold() for entry in roster.agents} if roster is not None else set()
    people: dict[str, PlayedPerson] = {}
    for number, (name, item) in enumerate((head.people if head is not None else {}).items()):
        path: KeyPath = ("people", name)
        written, _ = reading.read(PersonWritten, item, path)
        if name.casefold() in agents:
            reading.note(path, f"an agent is called {name}, too", "give the person another name")
        identity = slug(name) or f"person-{number + 1}"
        identity = identity if identity not in taken else f"{identity}-person"
        taken.add(identity)
        people[name] = PlayedPerson(name, identity, _voice(written or PersonWritten(), number), here=True)
    return people


def _voice(written: PersonWritten, number: int) -> str:
    factors = [f"{key}={value:g}" for key in ("pitch", "formant") if (value := getattr(written, key)) is not None]
    name = written.voice or (None if factors else VOICES[number % len(VOICES)])
    return ",".join([*([name] if name else []), *factors])


@dataclass(slots=True)
class _Casting:
    """Finds the people and agents that steps name, and follows who is there."""

    reading: Reading
    roster: Roster | None
    people: Mapping[str, PlayedPerson]
    first_act: dict[str, Act] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    """People who are not there, with the line on which they left; 0 = not yet come."""

    def step(self, sentence: Sentence) -> ScenarioStep:
        line = self.reading.document.place(sentence.path).line
        if sentence.person is not None:
            self._presence(sentence, line)
        if sentence.while_speaking and sentence.act is Act.JOINS:
            self.reading.note(sentence.path, "nobody is interrupted by somebody who joins", "leave out when: speaking")
        return ScenarioStep(
            line=line,
            act=sentence.act,
            person=sentence.person,
            text=sentence.text,
            seconds=sentence.seconds,
            target=self._target(sentence),
            while_speaking=sentence.while_speaking,
            expect=self._expectation(sentence),
        )

    def meeting(self, written: MeetingExpectWritten) -> MeetingExpectation:
        path: KeyPath = ("expect",)
        tests = []
        for index, line in enumerate(written.transcript or ()):
            here = (*path, "transcript", index)
            if line.speaker is not None and line.speaker not in self.people:
                self._agent(line.speaker, (*here, "speaker"), also=self.people)
            number = self.reading.document.place(here).line
            tests.append(LineTest(number, TextTest(line.contains, line.matches), line.speaker))
        return MeetingExpectation(
            self.reading.document.place(path).line,
            written.overlap_below,
            written.p50_below,
            written.p95_below,
            tuple(tests),
        )

    def _presence(self, sentence: Sentence, line: int) -> None:
        name, note = sentence.person or "", self.reading.note
        if name not in self.people:
            like = nearest(name, self.people)
            there = ", ".join(self.people) or "nobody"
            hint = f"did you mean {like}?" if like else f"add {name} to people, or name one of them: {there}"
            note(sentence.path, f"nobody is called {name!r}", hint)
            return
        first = name not in self.first_act
        self.first_act.setdefault(name, sentence.act)
        if sentence.act is Act.JOINS:
            if not first and name not in self.gone:
                note(sentence.path, f"{name} is there already", f"let them leave before: - {name} leaves")
            self.gone.pop(name, None)
        elif name in self.gone:
            note(sentence.path, f"{name} left on line {self.gone[name]}", f"let them come back before: - {name} joins")
        elif sentence.act is Act.LEAVES:
            self.gone[name] = line

    def _target(self, sentence: Sentence) -> str | None:
        if sentence.target is None:
            return None
        if sentence.target.casefold() == CHAIR:
            return CHAIR_IDENTITY
        return self._agent(sentence.target, sentence.path, also=(CHAIR,))

    def _expectation(self, sentence: Sentence) -> Expectation | None:
        written = sentence.expect
        if written is None:
            return None
        path = (*sentence.path[:2], "expect")
        self._consistency(sentence, written, path)
        answers = self._agents(written.answers, (*path, "answers"))
        silent = self._silent(written.silent, answers, (*path, "silent"))
        for identity in set(answers) & set(silent):
            self.reading.note(path, f"{identity} is to answer and to be silent", "remove it from one of them")
        said = TextTest(written.contains, written.matches) if written.contains or written.matches else None
        tools = None if written.tools is None else ToolTest(written.tools.called, written.tools.times)
        understood = _text_test(written.understood)
        return Expectation(answers, silent, written.within, written.silent_within, said, understood, tools)

    def _consistency(self, sentence: Sentence, written: ExpectWritten, path: KeyPath) -> None:
        note = self.reading.note
        if not written.model_fields_set:
            note(path, "expects nothing", "write expect: {answers: NAME}, or leave it out")
        if written.within is not None and not written.answers:
            note((*path, "within"), "of whose answer?", "add answers: NAME")
        if written.silent_within is not None and not (sentence.act is Act.SAYS and sentence.while_speaking):
            note((*path, "silent_within"), "nobody is interrupted here", "write NAME interrupts: …")
        if written.understood is not None and sentence.act is not Act.SAYS:
            note((*path, "understood"), "nothing is said here", "remove it")

    def _silent(self, names: Iterable[str] | None, answers: tuple[str, ...], path: KeyPath) -> tuple[str, ...]:
        everyone = tuple(entry.identity for entry in self.roster.agents) if self.roster is not None else ()
        found: list[str] = []
        for name in names or ():
            if name == EVERYONE:
                found += everyone
            elif name == OTHERS:
                found += [identity for identity in everyone if identity not in answers]
            else:
                found += self._agents([name], path, also=(OTHERS, EVERYONE))
        return tuple(dict.fromkeys(found))

    def _agents(self, names: Iterable[str] | None, path: KeyPath, also: Iterable[str] = ()) -> tuple[str, ...]:
        found = (self._agent(name, path, also) for name in names or ())
        return tuple(dict.fromkeys(identity for identity in found if identity is not None))

    def _agent(self, name: str, path: KeyPath, also: Iterable[str] = ()) -> str | None:
        if self.roster is None:
            return None  # its own faults come first
        for entry in self.roster.agents:
            if name.casefold() in (entry.name.casefold(), entry.identity.casefold()):
                return entry.identity
        known = [*(entry.name for entry in self.roster.agents), *also]
        like = nearest(name, known)
        hint = f"did you mean {like}?" if like else f"there is {', '.join(known)}"
        self.reading.note(path, f"no agent is called {name!r}", hint)
        return None


def _text_test(written: TextWritten | None) -> TextTest | None:
    return None if written is None else TextTest(written.contains, written.matches)
