"""The main job as a person meets it: a file, a command, a link; a face that looks, a question aloud, an answer heard.

Everything is real: the installed command, all servers and programs, a Chromium. Only the microphone is made up.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import expect

from meetctl.supervisor.sweep import marked
from testing.agents.human import synthesised
from testing.browser.likeness import DrawnFace, Likeness, Picture, placeholder_of
from testing.browser.visitor import LOUD, QUIET, SCRIPT, WITHIN_S, Visitor
from testing.browser.window import OpenWindow, by_id
from testing.fixtures.command import Meetctl, command_in, on_the_small_pair
from testing.fixtures.lanes import Lane, starts
from testing.words import word_errors
from tests.browser.conftest import OpenPage

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
VOICE = "alto"
"""The person's; both agents of the demo have others."""
CONNECTED = {"connected", "completed"}
LEAST_FPS = 24.0
BUSY, FEWEST_FPS = "cores are busy", 8.0
"""What the avatars' server warns of where it draws fewer pictures on purpose, fifteen a second."""
STATISTICS_S = 60.0
"""Statistics are over two seconds; cores that others use too may need a few of them to settle."""
POINTS = [f"Point {number} of my list is one that I could talk about for a very long time." for number in range(1, 11)]
LONG = " ".join(POINTS)
"""Over half a minute of speech."""
LONG_ENOUGH = " ".join(POINTS[:2])
"""To take pictures of a speaking face; an answer of the small model may be over before the first of them."""
STOP = "Stop, please. I have a question."
WRITTEN = "This is only a note."
SILENT_MS = 5_000
"""After a person has begun to speak; under half a second was seen."""
UNDERSTOOD_S, TIMES_SAID = 25.0, 4
"""A transcription that gets no time on busy cores is given up after ten seconds; a person says it again."""
ANSWER_S, TIMES_ASKED = 45.0, 2
"""An agent whose language model gets no time on busy cores gives up and says so in the status; a person asks again."""
LIKE, OTHERS = 0.98, 0.9
"""Correlation with the face: 0.998 and more was seen for the right one, at most 0.81 for another."""
NEAR = 4.0
"""Mean difference from the face, of 255; 0.9 was seen."""
FACES_AT_LEAST = 0.75
"""Of the frames; all, unless cores are so busy that the avatar's server stands still for a second."""
APART = 2.0
"""By what factor a talking mouth differs more from a shut one than codec and motion make it; 4 was seen."""
FLAT, GREEN = 15.0, 0.01
"""Contrast below which a picture shows nothing, and the share that may be green; 26 and 0 were seen."""


async def legs_at_their_rate(meetctl: Meetctl) -> dict[str, Any]:
    """Returns the meeting once both legs of Ada are connected and carry what pictures her server draws."""
    until = time.monotonic() + STATISTICS_S
    while True:
        (meeting,) = await asyncio.to_thread(meetctl.status)
        legs = meeting["agents"][0]["legs"]
        gives_way = any(BUSY in (service["warning"] or "") for service in meeting["services"])
        least = FEWEST_FPS if gives_way else LEAST_FPS
        if legs.keys() == {"room", "simli"} and all(
            leg["ice"] in CONNECTED and (leg["video_fps"] or 0) >= least for leg in legs.values()
        ):
            return dict(meeting)
        assert time.monotonic() < until, (legs, gives_way)
        await asyncio.sleep(0.2)


async def ask_aloud(person: Visitor, models_url: str, agent: str, question: str) -> float:
    """Says the question, sees the person's own words come back, and returns when it began once the agent is heard."""
    began, spoken = await person.now(), await synthesised(models_url, question, VOICE)
    for _ in range(TIMES_ASKED):
        captions = await person.logged(person.identity)
        await person.say(spoken)
        understood = await person.wait_for_words(person.identity, len(captions) + 1)
        name, _, words = understood[-1].partition(": ")
        assert (name, word_errors(question, words)[0] <= 1) == (person.name, True), words
        with suppress(TimeoutError):
            await person.wait_for_voice(agent, began, ANSWER_S)
            return began
    raise AssertionError(f"{agent} did not answer: {question}")


async def pictures_while_talking(person: Visitor, meetctl: Meetctl, talker: str, *, of: str) -> list[Picture]:
    """Has an agent talk; returns frames of one's face, a fifth of a second apart, for as long as it does."""
    taken: list[Picture] = []
    began = await person.now()
    said = await asyncio.to_thread(meetctl, "say", talker, LONG_ENOUGH)
    assert (said.code, said.err) == (0, "")
    await person.wait_for_voice(talker, began)
    while await person.state(talker) == "speaking" and len(taken) < 12:
        taken.append(await person.picture(of, skip=5))
    await person.wait_for_silence()
    return taken


async def hear_out(person: Visitor, talker: str, *, quiet: str, since: float) -> None:
    """Asserts that one agent's answer came as words and as sound, and from the other neither."""
    (said,) = await person.wait_for_words(talker, 1)
    await person.wait_for_state(talker, "listening")
    await person.wait_for_silence()
    words = said.partition(": ")[2].split()
    levels = await person.levels(talker, since)
    spoken_s = sum(level > LOUD for level in levels) * 0.04
    assert len(words) >= 2
    assert spoken_s > len(words) / 8, "nobody speaks eight words a second: some were not heard"
    others = await person.levels(quiet, since)
    assert others and max(others) < QUIET


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's meeting, all its agents ready."""

    meetctl: Meetctl
    link: str
    models_url: str


@pytest.fixture(scope="module")
@starts(Lane.BROWSER)
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Yields one meeting for all the tests here; the last of them ends it."""
    with command_in(tmp_path_factory.mktemp("demo")) as meetctl:
        on_the_small_pair(DEMO, meetctl.cwd / "demo.yaml")
        up = meetctl("up", "demo.yaml", "-d", "--wait")
        assert (up.code, up.err) == (0, "")
        (meeting,) = meetctl.status()
        models_url = next(service["url"] for service in meeting["services"] if service["name"] == "models")
        yield Demo(meetctl, up.out.strip(), models_url)


async def writers(meetctl: Meetctl, text: str) -> set[str]:
    """Returns who, by the transcript, wrote this into the chat, once somebody has."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            lines = map(json.loads, (await asyncio.to_thread(meetctl, "transcript", "--json")).out.splitlines())
            if found := {line["speaker"] for line in lines if line["kind"] == "chat" and line["text"] == text}:
                return found
            await asyncio.sleep(0.2)


async def test_in_every_browser_a_person_sees_hears_writes_is_understood_and_cuts_an_agent_off(
    demo: Demo, open_window: OpenWindow
) -> None:
    person = Visitor(await open_window(demo.link, before=SCRIPT))
    await person.join("Zoe")
    await person.wait_for("() => visitor.seen.ada?.frames > 25")

    spoken = await synthesised(demo.models_url, STOP, VOICE)
    await person.wait_for_silence()
    began = await person.now()
    said = await asyncio.to_thread(demo.meetctl, "say", "ada", LONG)
    assert (said.code, said.err) == (0, "")
    await person.wait_for_voice("ada", began)
    interrupted = await person.now()
    await person.say(spoken)
    (cut, *_) = await person.wait_for_words("ada", 1)
    silent_after_ms = await person.last_heard("ada") - interrupted
    assert silent_after_ms < SILENT_MS
    assert len(cut) < len(LONG) / 2, "what was cut off is shown as if it had been said"
    for _ in range(TIMES_SAID):
        with suppress(TimeoutError):
            (understood, *_) = await person.wait_for_words(person.identity, 1, UNDERSTOOD_S)
            break
        await person.say(spoken)
    assert word_errors(f"Zoe: {STOP}", understood)[0] <= 1, understood

    await person.page.click(by_id("chat-toggle"))
    await person.page.fill(by_id("chat-input"), WRITTEN)
    await person.page.click(by_id("chat-send"))
    await person.wait_for("(text) => document.querySelector('[data-own=true]')?.textContent.includes(text)", WRITTEN)
    assert await writers(demo.meetctl, WRITTEN) == {"Zoe"}

    seen = await person.seen("ada")
    assert seen.sizes == ["512x512"]
    assert seen.flattest > FLAT and seen.greenest < GREEN


async def test_who_opens_the_link_and_asks_an_agent_aloud_sees_its_face_and_hears_it_alone_answer(
    demo: Demo, open_page: OpenPage
) -> None:
    meetctl, models_url = demo.meetctl, demo.models_url
    await legs_at_their_rate(meetctl)
    note = meetctl.note("demo")

    page = await open_page(demo.link, before=SCRIPT)
    person = Visitor(page)
    await person.join("Robin")
    await expect(page.get_by_test_id("tile")).to_have_count(3)
    await person.page.wait_for_function("() => visitor.seen.ada?.frames > 0")
    at_rest = [await person.picture("ada", skip=8) for _ in range(4)]

    asked_ada = await ask_aloud(person, models_url, "ada", "Ada, what do you build?")
    await hear_out(person, "ada", quiet="max", since=asked_ada)
    talking = await pictures_while_talking(person, meetctl, "ada", of="ada")
    assert await person.logged("max") == []
    of_ada = await person.wait_for_words("ada", 2)

    asked_max = await ask_aloud(person, models_url, "max", "Max, what do you care about?")
    await hear_out(person, "max", quiet="ada", since=asked_max)
    hearing = await pictures_while_talking(person, meetctl, "max", of="ada")
    assert await person.logged("ada") == of_ada

    face, another = DrawnFace("ada"), DrawnFace("max")
    at_rest, talking, hearing = (with_a_face(frames) for frames in (at_rest, talking, hearing))
    rested, talked, heard = ([face.likeness(frame) for frame in some] for some in (at_rest, talking, hearing))
    for likeness in (*rested, *talked, *heard):
        assert likeness.correlation > LIKE and likeness.difference < NEAR
    assert all(another.likeness(frame).correlation < OTHERS for frame in (at_rest[0], talking[-1], hearing[-1]))
    assert widest(talked) > APART * widest(rested)
    assert widest(heard) < APART * widest(rested), "its mouth moved while another talked"
    seen = await person.seen("ada")
    assert seen.sizes == ["512x512"]
    assert seen.flattest > FLAT and seen.greenest < GREEN
    assert seen.frames > 100

    down = await asyncio.to_thread(meetctl, "down", "--json")
    (ending,) = down.json()["meetings"]
    assert (down.code, ending["processes_left"], ending["complete"]) == (0, [], True)
    assert marked(note["meeting"]) == set()
    assert meetctl.status() == []
    await expect(page.get_by_test_id("screen-closed")).to_be_visible()


def with_a_face(frames: list[Picture]) -> list[Picture]:
    """Returns the frames without those that show the placeholder, which stands in where pictures stop for a second."""
    placeholder = placeholder_of("Ada").astype(float)
    shown = [frame for frame in frames if np.abs(frame - placeholder).mean() > NEAR]
    assert len(shown) >= len(frames) * FACES_AT_LEAST > 0
    return shown


def widest(likenesses: list[Likeness]) -> float:
    return max(likeness.mouth for likeness in likenesses)
