"""Whom a line is meant for: how often the rules find that out, and what they take for it."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from meetctl_agents.floor.addressing.rules import decide
from meetctl_agents.floor.addressing.view import HeardLine, Parties, Party, View

from benchmarks.measuring import show
from testing.addressing.annotated import read_meetings
from testing.addressing.played import play
from testing.addressing.scored import accuracy, score

SETS = {"held_out": "that the rules were not made with", "tuning": "that they were made with"}
SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "ri", "so", "tu")
NAMES = tuple(f"{one}{two}n".title() for one in SYLLABLES[:5] for two in SYLLABLES)
LINES = (
    "so what do you think about the plan that we made for friday",
    f"{NAMES[4]}, can you explain that?",
    "And how long did that take?",
    f"Not you, {NAMES[2]}, I meant {NAMES[6]}.",
)
TIMES = 200
OF_A_CHAIR = ("meetctl_agents", "livekit")


def main() -> None:
    """Prints how many of the annotated turns reach whom they are meant for, and the time for a line."""
    for name in OF_A_CHAIR:
        logging.getLogger(name).setLevel(logging.ERROR)
    for name, which in SETS.items():
        files = sorted((Path(__file__).parent / "addressing" / name).glob("*.jsonl"))
        meetings = [meeting for file in files for meeting in read_meetings(file)]
        turns = [score(meeting, played) for meeting in meetings for played in play(meeting)]
        show(f"lines {which} that reach whom they are meant for", "%", value=100 * accuracy(turns), of=len(turns))
    show(f"to find out for whom a line is meant, among {len(NAMES)} names", "ms", value=_ms_a_line())


def _ms_a_line() -> float:
    parties = Parties(Party(name.lower(), name, number % 2 == 0) for number, name in enumerate(NAMES))
    heard = tuple(HeardLine(parties[0].identity, True, "It took about two hours.", float(at)) for at in range(12))
    view = View(parties, heard, parties[1].identity, 15.0, "en")
    for line in LINES:
        decide(line, view)
    began = time.process_time()
    for _ in range(TIMES):
        for line in LINES:
            decide(line, view)
    return (time.process_time() - began) * 1000 / (TIMES * len(LINES))
