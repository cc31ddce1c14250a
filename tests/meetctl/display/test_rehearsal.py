"""The outcome of a rehearsal as people read it."""

from __future__ import annotations

import io

from rich.console import Console

from meetctl.display.rehearsal import progress_line, render_rehearsal
from meetctl.display.rehearsal_document import AnswerHeard, Check, Latencies, RehearsalDocument, StepOutcome

GOOD = Check(what="Ada answers", passed=True, got="answered by Ada", line=4)
BAD = Check(what="within 1 s", passed=False, got="1.25 s", line=4)
ASKS = StepOutcome(
    step=1,
    line=4,
    what="Sam says",
    text="Ada, what do you build?",
    answers=(AnswerHeard(agent="Ada", latency_ms=1250.0, sound_ms=2000.0, text="I build backends."),),
    checks=(GOOD, BAD),
)
STOPS = StepOutcome(step=2, line=6, what="Eve interrupts", text="Stop.", silent_after_ms=180.0)
DOCUMENT = RehearsalDocument(
    scenario="a.yaml",
    room="rehearsal-1",
    passed=False,
    seconds=12.3,
    logs="/state/rehearsal-1",
    steps=(ASKS, STOPS),
    checks=(Check(what="overlap of agents below 300 ms", passed=False, got="800 ms", line=9),),
    latency_ms=Latencies(count=1, p50=1250.0, p95=1250.0, max=1250.0),
    longest_overlap_ms=800.0,
    restarts={"Max": 1},
)


def drawn(document: RehearsalDocument, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(render_rehearsal(document))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_turns_failures_and_figures_are_drawn() -> None:
    assert drawn(DOCUMENT, 110) == [
        "#  step                               answered by          after  with",
        "1  Sam says: Ada, what do you build?  Ada                 1.25 s  I build backends.  ✗",
        "2  Eve interrupts: Stop.              –            silent 180 ms",
        "✗ a.yaml:4: step 1, Sam says: within 1 s; got: 1.25 s",
        "✗ a.yaml:9: the whole meeting: overlap of agents below 300 ms; got: 800 ms",
        "Max was restarted once",
        "1 of 3 expectations held; 12 s; 1 answer after 1.25 s (p50), 1.25 s (p95); longest overlap 800 ms",
    ]


def test_a_narrow_screen_loses_no_words() -> None:
    words = " ".join(drawn(DOCUMENT, 60))
    for word in ("backends.", "✗", "a.yaml:4:", "got:"):
        assert word in words


def test_words_of_a_model_cannot_colour_the_screen() -> None:
    answer = AnswerHeard(agent="Ada", latency_ms=1.0, text="[red]I[/red] build")
    document = DOCUMENT.model_copy(update={"steps": (ASKS.model_copy(update={"answers": (answer,)}),)})
    assert "[red]I[/red] build" in "\n".join(drawn(document, 120))


def test_a_step_is_announced_in_one_line() -> None:
    assert progress_line(1, 2, "Sam says", "Hi") == "1/2 Sam says: Hi"
    assert progress_line(2, 2, "Sam leaves", "") == "2/2 Sam leaves"
