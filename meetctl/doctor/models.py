"""Asks every model, voice and recogniser of a roster one small thing, and makes findings of what they answer.

They are asked by the program that knows how a meeting asks them, in the environment that a meeting gives them; the
local ones by a model server that is started for it. Whatever is started is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from meetctl.doctor.findings import Finding, failure, ok
from meetctl.doctor.running import answers_of, running_program
from meetctl.programs.assignments import LOCAL_KEY, endpoint, voice_of
from meetctl.programs.launch import model_environment, service_environment
from meetctl.protocol import Examination, Examined, Examinee, Serving, Voice, parse_event
from meetctl.roster import ModelChoice, Program, Roster

ANSWER_S = 90.0
"""The program gives a model a minute, and needs some seconds to begin."""
LOADING_S = 120.0
"""The local models load in 3 s, on a cold disk under load in much more."""
ENDING_S = 5.0
LONGEST_LINE = 64 * 1024
WHAT = {"llm": "the language model", "tts": "the voice", "stt": "the recogniser"}
Part = Literal["llm", "tts", "stt"]


@dataclass(eq=False, slots=True)
class _Asked:
    """One model, and whose it is."""

    examinee: Examinee
    environment: Mapping[str, str]
    whose: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        served = self.examinee.endpoint
        name = "/".join(filter(None, ("local" if self.is_local else served.provider, served.model)))
        where = f" at {served.base_url}" if served.base_url and not self.is_local else ""
        return f"{WHAT[self.examinee.part]} of {' and '.join(self.whose)}, {name}{where}"

    @property
    def is_local(self) -> bool:
        return self.examinee.endpoint.api_key == LOCAL_KEY


async def ask_models(roster: Roster, *, local: bool) -> list[Finding]:
    """Returns what each of them answered.

    Args:
        local: whether the local ones are asked too; their data has to be there.
    """
    wanted = roster.local_models if local else ()
    try:
        async with _local_models(wanted) as models_url:
            asked = list(_asked(roster, models_url))
            several = [
                [one for one in asked if one.environment == environment]
                for environment in _distinct([one.environment for one in asked])
            ]
            found = await asyncio.gather(*(_examine(together) for together in several))
    except _NotServingError as error:
        return [failure("models", f"the local models: {error}", "meetctl setup, then meetctl doctor again")]
    return [finding for findings in found for finding in findings]


def _distinct(environments: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = []
    for environment in environments:
        if environment not in found:
            found.append(environment)
    return found


def _asked(roster: Roster, models_url: str | None) -> Iterator[_Asked]:
    """Yields each model once, however many share it."""
    found: list[_Asked] = []
    for whose, environment, examinee in _every(roster, models_url):
        same = next((one for one in found if (one.examinee, one.environment) == (examinee, environment)), None)
        if same is None:
            same = _Asked(examinee, environment)
            found.append(same)
        same.whose.append(whose)
    yield from found


def _every(roster: Roster, models_url: str | None) -> Iterator[tuple[str, Mapping[str, str], Examinee]]:
    def each(part: Part, choice: ModelChoice | None) -> Iterator[tuple[ModelChoice, Examinee]]:
        for one in choice.in_a_row if choice is not None else ():
            if not one.is_local or models_url is not None:
                served = endpoint(one, part, models_url, roster.language)
                yield one, Examinee(part=part, endpoint=served, language=roster.language)

    of_chair = model_environment(roster)
    yield from (("the meeting", of_chair, examinee) for _, examinee in each("stt", roster.stt))
    asked = "the moderator" if roster.moderator else "the judge"
    yield from ((asked, of_chair, examinee) for _, examinee in each("llm", roster.chair_llm))
    for number, entry in enumerate(roster.agents):
        if entry.program is Program.COMMAND:
            continue
        environment = model_environment(entry)
        for one, examinee in each("llm", entry.llm):
            voice = voice_of(entry, one, number) if one.realtime else Voice()
            yield entry.name, environment, examinee.model_copy(update={"voice": voice})
        for one, examinee in each("tts", entry.tts):
            voice = Voice() if one.is_local else voice_of(entry, one, number)
            yield entry.name, environment, examinee.model_copy(update={"voice": voice})


async def _examine(asked: Sequence[_Asked]) -> list[Finding]:
    """Asks those of one environment."""
    examination = Examination(examinees=tuple(one.examinee for one in asked))
    program, environment = "meetctl_agents.examiner", asked[0].environment
    answers = await answers_of(program, environment, examination, Examined, within_s=ANSWER_S)
    found = {told.index: _judge(asked[told.index], told) for told in answers}
    return [found.get(index, _silent(one)) for index, one in enumerate(asked)]


def _judge(asked: _Asked, told: Examined) -> Finding:
    if told.fault is None:
        return ok(asked.examinee.part, f"{asked.words} answers in {told.seconds:.1f} s")
    return failure(asked.examinee.part, f"{asked.words}: {told.fault}", told.hint or "mend it in the roster")


def _silent(asked: _Asked) -> Finding:
    hint = "python -m meetctl_agents.examiner should start; is the installation whole?"
    return failure(asked.examinee.part, f"{asked.words} could not be asked", hint)


class _NotServingError(Exception):
    """The model server does not serve; the text says why."""


@asynccontextmanager
async def _local_models(wanted: Sequence[tuple[str, str]]) -> AsyncIterator[str | None]:
    """Yields where the local models answer, without `/v1`; None where none are wanted.

    Raises:
        _NotServingError: if they do not.
    """
    if not wanted:
        yield None
        return
    arguments = ["--port=0", "--watch-stdin", *(f"--serve={part}={model}" for part, model in wanted)]
    async with running_program("meetctl.local.models", service_environment({}), *arguments) as process:
        yield await _url_of(process)


async def _url_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None and process.stderr is not None
    try:
        async with asyncio.timeout(LOADING_S):
            event = parse_event(await process.stdout.readline())
            if isinstance(event, Serving):
                return event.url
            said = (await process.stderr.read(LONGEST_LINE)).decode(errors="replace").strip()
    except TimeoutError:
        raise _NotServingError(f"they do not serve within {LOADING_S:.0f} s") from None
    raise _NotServingError(said.splitlines()[-1].removeprefix("meetctl: ") if said else "the model server ended")
