"""Whether what is answered has to do with what was asked: twenty questions, answered by what an agent really runs.

Prompt, sampling, model and what is kept from the voice are the product's; only the room is left away. Each answer is
held against its own question's words, and against those of the nineteen others: a list that those meet as well says
nothing.
"""

from __future__ import annotations

import asyncio
import time

from meetctl_agents.speaking import speech as speech_module

from benchmarks.measuring import show, spread
from meetctl.catalogue import PAIRS
from meetctl.protocol import Grant, Line
from meetctl.roster import load_roster
from testing.fixtures.models import running_model_server
from testing.talk import DEMO
from testing.talk.in_text import LONGEST_S, answering
from testing.talk.questions import QUESTIONS, Question


def main() -> None:
    """Prints every answer and how many are to the point, by each pair."""
    for name, models in PAIRS.items():
        label = f"local/{name}".rstrip("/")
        flags = tuple(f"--serve={part}={model}" for part, model in models.items() if part != "stt")
        with running_model_server("--slots", "4", models=flags) as (_, url):
            asyncio.run(_measure(label, url))


async def _measure(label: str, url: str) -> None:
    answers, waits = [], []
    for number, question in enumerate(QUESTIONS, 1):
        answer, waited = await _ask(question, url)
        answers.append(answer)
        waits.append(waited * 1000)
        print(f"{label} {number:2} {'ok' if question.is_met_by(answer) else '--'} {question.to}, {question.text}")
        print(f"      {answer}", flush=True)
    met = sum(question.is_met_by(answer) for question, answer in zip(QUESTIONS, answers, strict=True))
    others = [
        sum(question.is_met_by(answer) for other, answer in enumerate(answers) if other != number)
        for number, question in enumerate(QUESTIONS)
    ]
    show(f"{label}: answers to the point", f"of {len(QUESTIONS)}", value=met)
    show(
        f"{label}: answers to other questions that have a list's words",
        "of 19 a list",
        mean=sum(others) / len(others),
        most=max(others),
    )
    show(f"{label}: first word of an answer, nothing read ahead", "ms", **spread(waits))


async def _ask(question: Question, url: str) -> tuple[str, float]:
    """Returns what the agent answers and how long its first word took."""
    roster = load_roster(DEMO, environment={})
    entry = next(entry for entry in roster.agents if entry.name == question.to)
    said = [*question.before, ("Sam", f"{question.to}, {question.text}")]
    *before, asked = (
        Line(id=f"u{number}", at=number, speaker=who, identity=who.lower(), text=text)
        for number, (who, text) in enumerate(said)
    )
    speech_module.STALL_S = LONGEST_S
    async with answering(roster, entry, url, transcript=before) as answers:
        began = time.time()
        speech = answers.take(Grant(grant_id="g", line=asked))
        text = await speech.wait_written()
        await speech.aclose()
        return text, speech.first_word_s or time.time() - began
