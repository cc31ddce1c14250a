"""How a conversation feels: from a person's last word to an answer, from a word to silence, from agent to agent.

All of it real, on this machine: server, models, chair, two agents, people with microphones. Times are what a person
hears, taken at their ears and at their microphone; the stages between are the chair's own.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import cycle, islice

import psutil

from benchmarks.measuring import fixed_loop, show, spread
from benchmarks.served import attending, guest, served_room
from meetctl.catalogue import PAIRS
from meetctl.protocol import FloorChanged, Mute, TurnLatency, Utterance, UtteranceKind
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.human import LOUD, SAMPLE_RATE, Human, synthesised
from testing.fixtures.models import running_model_server
from testing.words import word_errors

QUESTIONS = (
    "{}, what should we do before the launch on Friday?",
    "{}, do you think the release is ready for our customers?",
    "{}, how would you explain this project to a new colleague?",
    "{}, what is the biggest risk in the plan for next week?",
    "{}, should we write more tests or fix the open problems first?",
    "{}, what did you learn from the last meeting with the team?",
    "{}, can we finish the report before the end of the month?",
    "{}, where would you save money if the budget was smaller?",
    "{}, how many people do we need for the work in the summer?",
    "{}, what would you tell the director about the delay?",
)
NAMES = ("Ada", "Max")
TURNS = 20
TOGETHER = 6
BOTH = "Ada and Max, what do you think about the {}?"
SUBJECTS = ("weather", "budget", "launch", "office", "summer", "report")
TALKERS = (1, 2, 4)
TALK_S = 10.0
HEARD_BEFORE_BARGE_IN_S = 1.0
BETWEEN_S = 3.0
"""Between two things a person says: sooner they would be one."""
BRIEF_S = 0.25
"""A voice that pauses for longer has stopped: between sentences it is silent for 0.12 s."""
ROOM = "bench-conversation"
CUT = re.compile(rb"^(\S+ \S+) INFO meetctl_agents.floor.control: [^ ]+ is cut off", re.MULTILINE)


def main() -> None:
    """Prints the figures of both pairs; takes some nine minutes."""
    asyncio.run(_measure())


async def _measure() -> None:
    show("a fixed loop of this machine: ten million additions", "s", value=await asyncio.to_thread(fixed_loop))
    for name, models in PAIRS.items():
        label = f"local/{name}".rstrip("/")
        flags = tuple(f"--serve={part}={model}" for part, model in models.items())
        with running_model_server("--slots", "3", models=flags) as (server, models_url):
            before, began = psutil.Process(server.pid).cpu_times(), time.monotonic()
            await _converse(models_url, label, whole=name == "tiny")
            process, lasted = psutil.Process(server.pid), time.monotonic() - began
            used = process.cpu_times().user + process.cpu_times().system - before.user - before.system
            memory = process.memory_full_info().uss / 1e6
            show("the model server meanwhile", "", pair=label, cores=used / lasted, megabytes=memory)


async def _converse(models_url: str, pair: str, *, whole: bool) -> None:
    """Asks and interrupts; with `whole`, also what has nothing to do with which models answer."""
    async with served_room(ROOM) as config, AsyncExitStack() as stack:
        credentials = config.credentials
        chair = await stack.enter_async_context(
            attending(credentials, ROOM, [name.lower() for name in NAMES], models_url)
        )
        sam = await stack.enter_async_context(guest(credentials, ROOM, "sam"))
        await sam.wait_listened_to()
        await _turns(chair, sam, models_url, pair)
        await _pairs(chair, sam, models_url, pair)
        if not whole:
            return
        for name in NAMES:
            chair.send(Mute(identity=name.lower()))
        for count in TALKERS:
            await _chair_cpu(chair, sam, credentials, models_url, count)


async def _turns(chair: Child, sam: Human, models_url: str, pair: str) -> None:
    """Asks one agent after the other, and talks over each answer."""
    stop = _trimmed(await synthesised(models_url, "Stop, thank you."))
    answered: list[float] = []
    totals: list[float] = []
    after_detection: list[float] = []
    wrong = words = failed = 0
    for number, question in enumerate(islice(cycle(QUESTIONS), TURNS)):
        name = NAMES[number % len(NAMES)]
        text = question.format(name)
        speech = _trimmed(await synthesised(models_url, text))
        seen = len(chair.events)
        ended = await sam.say(speech)
        try:
            heard_at = await _first_sound(sam, name.lower(), ended)
        except TimeoutError:
            failed += 1
            continue
        answered.append((heard_at - ended) * 1000)
        line = (await chair.wait_said(Utterance, _said_by("sam"), after=seen)).line
        mistakes, count = word_errors(text, line.text)
        wrong, words = wrong + mistakes, words + count
        await asyncio.sleep(HEARD_BEFORE_BARGE_IN_S)
        cut = await _barge_in(chair, sam, name.lower(), stop)
        if cut is not None:
            totals.append(cut[0])
            after_detection.append(cut[1])
        await _floor_is_free(chair)
        await asyncio.sleep(BETWEEN_S)
    show(
        "person stops speaking -> the agent that was named is heard",
        "ms",
        pair=pair,
        **spread(answered),
        unanswered=failed,
    )
    stages = [event.stages_ms for event in chair.said(TurnLatency)]
    for stage in sorted({stage for turn in stages for stage in turn}):
        show(f"  of it: {stage}", "ms", pair=pair, **spread([turn[stage] for turn in stages if stage in turn]))
    show("person's speech detected -> agent silent", "ms", pair=pair, **spread(after_detection))
    show("person starts speaking -> agent silent", "ms", pair=pair, **spread(totals))
    show("words of clean local speech that the chair got wrong", "%", pair=pair, value=100 * wrong / words, words=words)


async def _barge_in(chair: Child, sam: Human, agent: str, stop: bytes) -> tuple[float, float] | None:
    """Returns milliseconds from the first word, and from its detection, to silence; None = it had stopped already."""
    known = len(CUT.findall(chair.errors))
    talking = asyncio.create_task(sam.say(stop))
    began, began_wall = time.monotonic(), time.time()
    await talking
    await asyncio.sleep(1.0)
    cuts = CUT.findall(chair.errors)[known:]
    loud = [at for at in sam.sounds[agent].loud if at > began - BRIEF_S]
    if not loud or not cuts or loud[-1] < began:
        return None
    detected = datetime.strptime(cuts[0].decode(), "%Y-%m-%d %H:%M:%S,%f").timestamp() - began_wall
    silent = loud[-1] - began
    return silent * 1000, (silent - detected) * 1000


async def _pairs(chair: Child, sam: Human, models_url: str, pair: str) -> None:
    """Asks both, and hears how long nobody speaks between them."""
    stop = _trimmed(await synthesised(models_url, "Stop, thank you."))
    gaps: list[float] = []
    overlaps: list[float] = []
    for subject in SUBJECTS[:TOGETHER]:
        ended = await sam.say(_trimmed(await synthesised(models_url, BOTH.format(subject))))
        try:
            second = await _first_sound(sam, "max", ended, within=60)
            first = [at for at in sam.sounds["ada"].loud if ended < at]
            gaps.append((second - max(at for at in first if at < second)) * 1000)
            await asyncio.sleep(HEARD_BEFORE_BARGE_IN_S)
            late = [at for at in sam.sounds["ada"].loud if at > second]
            overlaps.append((late[-1] - second) * 1000 if late else 0.0)
            await sam.say(stop)
        except (TimeoutError, ValueError):
            pass
        await _floor_is_free(chair)
        await asyncio.sleep(BETWEEN_S)
    show("one agent ends -> the next is heard", "ms", pair=pair, **spread(gaps), asked=TOGETHER)
    show("two agents at once", "ms", pair=pair, most=max(overlaps, default=0.0))


async def _chair_cpu(chair: Child, sam: Human, credentials: LiveKitCredentials, models_url: str, count: int) -> None:
    speech = await synthesised(
        models_url, "We talk about the plan for the summer, and nobody has to answer any of this."
    )
    async with AsyncExitStack() as stack:
        others = [
            await stack.enter_async_context(guest(credentials, ROOM, f"talker{number}")) for number in range(1, count)
        ]
        for person in others:
            await person.wait_listened_to()
        process = psutil.Process(chair.process.pid)
        before, began = process.cpu_times(), time.monotonic()
        await asyncio.gather(*(_talk(person, speech, began + TALK_S) for person in (sam, *others)))
        passed, after = time.monotonic() - began, process.cpu_times()
        used = after.user + after.system - before.user - before.system
        show(f"chair, {count} people talking all the time", "% of a core", value=100 * used / passed)
        await asyncio.sleep(BETWEEN_S)


async def _talk(person: Human, speech: bytes, until: float) -> None:
    while time.monotonic() < until:
        await person.say(speech)


async def _first_sound(sam: Human, agent: str, after: float, within: float = 20) -> float:
    def heard() -> list[float]:
        sound = sam.sounds.get(agent)
        return [at for at in sound.loud if at > after] if sound else []

    await sam.wait_until(lambda: bool(heard()), within)
    return heard()[0]


async def _floor_is_free(chair: Child) -> None:
    async with asyncio.timeout(90):
        while (changes := chair.said(FloorChanged)) and changes[-1].holder is not None:
            await asyncio.sleep(0.05)


def _said_by(identity: str) -> Callable[[Utterance], bool]:
    return lambda event: event.line.identity == identity and event.line.kind is UtteranceKind.SPEECH


def _trimmed(samples: bytes) -> bytes:
    """Returns the speech without silence at its ends: a turn ends with the last sound of it."""
    count = SAMPLE_RATE // 100 * 2
    pieces = [samples[start : start + count] for start in range(0, len(samples), count)]
    loud = [index for index, piece in enumerate(pieces) if _loudness(piece) > LOUD]
    return b"".join(pieces[loud[0] : loud[-1] + 1])


def _loudness(piece: bytes) -> float:
    samples = memoryview(piece[: len(piece) // 2 * 2]).cast("h")
    return math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))
