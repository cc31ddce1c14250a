"""Holds what was observed against what was expected. Pure: a scenario and a record in, an outcome out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from meetctl.display.rehearsal_document import AnswerHeard, Check, Latencies, RehearsalDocument, StepOutcome
from meetctl.protocol.rehearsal import Act, Heard
from meetctl.rehearsal.record import Record, Window
from meetctl.rehearsal.scenario import Expectation, LineTest, MeetingExpectation, Scenario, ScenarioStep, TextTest

SHOWN_CHARACTERS = 120
"""Of what was said, in the words of a check; the whole is in the step."""


def judge(
    scenario: Scenario,
    record: Record,
    *,
    stages: Mapping[int, Mapping[str, float]] = {},
    tools: Mapping[int, Sequence[str]] = {},
    restarts: Mapping[str, int] = {},
    logs: str | None = None,
) -> RehearsalDocument:
    """Returns the outcome of the play.

    Args:
        stages: the chair's account of turns, by step.
        tools: the names of the tools that agents used, by step.
        restarts: by the name of the seat.
    """
    identities = _identities_by_name(scenario)
    steps = tuple(
        _step(scenario, record, index, step, identities, stages.get(index, {}), tools.get(index, ()))
        for index, step in enumerate(scenario.steps)
    )
    latencies = sorted(
        step.answers[0].latency_ms for step in steps if step.answers and step.answers[0].latency_ms is not None
    )
    document = RehearsalDocument(
        scenario=str(scenario.file),
        room=scenario.roster.room,
        passed=True,
        seconds=round(record.played_at or 0.0, 1),
        logs=logs,
        steps=steps,
        latency_ms=_latencies(latencies),
        longest_overlap_ms=_ms(max(0.0, record.longest_overlap())),
        restarts=dict(restarts),
    )
    if scenario.expect is not None:
        checks = _meeting(scenario.expect, document, record, identities)
        document = document.model_copy(update={"checks": tuple(checks)})
    return document.model_copy(update={"passed": not document.failed})


# --- one step ------------------------------------------------------------------------------------------------------


def _step(
    scenario: Scenario,
    record: Record,
    index: int,
    step: ScenarioStep,
    identities: Mapping[str, Sequence[str]],
    stages: Mapping[str, float],
    tools: Sequence[str],
) -> StepOutcome:
    outcome = StepOutcome(step=index + 1, line=step.line, what=step_words(scenario, step), text=step.text)
    window = record.window(index)
    missed = "the play ended before" if window is None else window.missed
    if window is None or missed is not None:
        check = Check(what="the step can be played", passed=False, got=missed or "", line=step.line)
        return outcome.model_copy(update={"missed": missed, "checks": (check,)})
    answers = _answers(scenario, record, window)
    outcome = outcome.model_copy(
        update={
            "answers": answers,
            "understood": record.words(identities.get(step.person or "", ()), window.began, window.ended),
            "silent_after_ms": _silent_after(record, step, window),
            "stages_ms": dict(stages),
            "tools": tuple(tools),
        }
    )
    if step.expect is None:
        return outcome
    checks = tuple(_checks(scenario, step, step.expect, outcome, record.sounds(window)))
    return outcome.model_copy(update={"checks": checks})


def _answers(scenario: Scenario, record: Record, window: Window) -> tuple[AnswerHeard, ...]:
    stretches: dict[str, list[Heard]] = {}
    for heard in record.answers(window):
        stretches.setdefault(heard.identity, []).append(heard)
    return tuple(
        AnswerHeard(
            agent=scenario.name_of(identity),
            latency_ms=_ms(heard[0].began - window.acted) if window.spoke is not None else None,
            sound_ms=_ms(sum(stretch.ended - stretch.began for stretch in heard)),
            text=record.words([identity], window.acted, window.ended),
        )
        for identity, heard in stretches.items()
    )


def _silent_after(record: Record, step: ScenarioStep, window: Window) -> float | None:
    if step.act is not Act.SAYS or not step.while_speaking:
        return None
    silent = record.silent_after(window)
    return None if silent is None else _ms(silent)


def _checks(
    scenario: Scenario, step: ScenarioStep, expect: Expectation, outcome: StepOutcome, sounds: Sequence[Heard]
) -> list[Check]:
    answered = [answer.agent for answer in outcome.answers]
    by_whom = f"answered by {_listed(answered)}" if answered else "nobody answered"
    heard_at_all = {scenario.name_of(heard.identity) for heard in sounds}
    checks = []

    def check(what: str, passed: bool, got: str) -> None:
        checks.append(Check(what=what, passed=passed, got=got, line=step.line))

    wanted = [scenario.name_of(identity) for identity in expect.answers]
    for name in wanted:
        check(f"{name} answers", name in answered, by_whom)
    if expect.within_s is not None:
        first = outcome.answers[0].latency_ms if outcome.answers else None
        in_time = first is not None and first <= expect.within_s * 1000
        check(f"within {_span(expect.within_s)}", in_time, "no answer" if first is None else _span(first / 1000))
    for name in (scenario.name_of(identity) for identity in expect.silent):
        check(f"{name} is silent", name not in heard_at_all, "heard" if name in heard_at_all else "silent")
    if expect.silent_within_s is not None:
        after = outcome.silent_after_ms
        soon = after is not None and after <= expect.silent_within_s * 1000
        got = "nobody was heard when the person began" if after is None else _span(after / 1000)
        check(f"silent within {_span(expect.silent_within_s)}", soon, got)
    if expect.said is not None:
        said = " ".join(answer.text for answer in outcome.answers if not wanted or answer.agent in wanted)
        check(f"the answer {_wanted(expect.said)}", holds(expect.said, said), _quoted(said))
    if expect.understood is not None:
        what = f"what is understood {_wanted(expect.understood)}"
        check(what, holds(expect.understood, outcome.understood), _quoted(outcome.understood))
    if expect.tools is not None:
        called, times = expect.tools.called, expect.tools.times
        count = outcome.tools.count(called)
        passed = count > 0 if times is None else count == times
        got = f"{_times(count)}; used were {_listed(outcome.tools)}" if outcome.tools else "no tool was used"
        check(f"{called} is called{'' if times is None else f' {_times(times)}'}", passed, got)
    return checks


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def step_words(scenario: Scenario, step: ScenarioStep) -> str:
    """Returns the step as people say it, without its text."""
    match step.act:
        case Act.WAITS:
            return f"wait {_span(step.seconds)}"
        case Act.KILLS:
            return f"kill {scenario.name_of(step.target or '')}"
        case Act.SAYS if step.while_speaking:
            return f"{step.person} interrupts"
        case _:
            return f"{step.person} {step.act.value}"


# --- the whole meeting ---------------------------------------------------------------------------------------------


def _meeting(
    expect: MeetingExpectation,
    document: RehearsalDocument,
    record: Record,
    identities: Mapping[str, Sequence[str]],
) -> list[Check]:
    checks = []

    def bound(what: str, limit: float | None, got: float | None) -> None:
        if limit is not None:
            passed = got is not None and got <= limit * 1000
            shown = "no answer" if got is None else _span(got / 1000)
            checks.append(Check(what=f"{what} below {_span(limit)}", passed=passed, got=shown, line=expect.line))

    bound("overlap of agents", expect.overlap_below_s, document.longest_overlap_ms)
    bound("latency p50", expect.p50_below_s, document.latency_ms.p50)
    bound("latency p95", expect.p95_below_s, document.latency_ms.p95)
    return [*checks, *(_line(test, record, identities) for test in expect.transcript)]


def _line(test: LineTest, record: Record, identities: Mapping[str, Sequence[str]]) -> Check:
    who = identities.get(test.speaker) if test.speaker is not None else None
    lines = [caption.text for caption in record.captions if who is None or caption.identity in who]
    found = next((line for line in lines if holds(test.said, line)), None)
    what = f"the transcript {_wanted(test.said)}" + (f" by {test.speaker}" if test.speaker else "")
    got = _quoted(found) if found is not None else f"in none of {len(lines)} lines"
    return Check(what=what, passed=found is not None, got=got, line=test.line)


def holds(test: TextTest, text: str) -> bool:
    """Returns whether the words are as the test wants them."""
    contains = test.contains is None or test.contains.casefold() in text.casefold()
    return contains and (test.matches is None or re.search(test.matches, text) is not None)


def _identities_by_name(scenario: Scenario) -> dict[str, list[str]]:
    joins = [step.person for step in scenario.steps if step.act is Act.JOINS]
    people = {
        person.name: ticket_identities(person.identity, joins.count(person.name) + person.here)
        for person in scenario.people
    }
    agents = {entry.name: [entry.identity] for entry in scenario.roster.agents}
    return people | agents | {entry.identity: [entry.identity] for entry in scenario.roster.agents}


def ticket_identities(identity: str, times: int) -> list[str]:
    """Returns the identities of somebody who joins so many times."""
    return [identity if number == 1 else f"{identity}-{number}" for number in range(1, times + 1)]


# --- figures and words ---------------------------------------------------------------------------------------------


def _latencies(values: Sequence[float]) -> Latencies:
    if not values:
        return Latencies()
    return Latencies(count=len(values), p50=percentile(values, 50), p95=percentile(values, 95), max=values[-1])


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Returns the smallest value that at least so many percent do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"


def _wanted(test: TextTest) -> str:
    parts = [f"contains {test.contains!r}"] if test.contains is not None else []
    parts += [f"matches {test.matches!r}"] if test.matches is not None else []
    return " and ".join(parts)


def _quoted(text: str) -> str:
    short = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
    return f"“{short}”" if text else "nothing"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
