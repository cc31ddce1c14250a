"""`meetctl rehearse`: a meeting with scripted people, on this machine, that says whether the cast did as expected."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from meetctl.commands._run import Joinable, prepare, run_meeting
from meetctl.display import console
from meetctl.display.rehearsal import progress_line, render_rehearsal
from meetctl.display.rehearsal_document import RehearsalDocument
from meetctl.errors import ExitCode
from meetctl.meeting.meeting import Meeting
from meetctl.rehearsal.judging import judge, step_words
from meetctl.rehearsal.load import load_scenario
from meetctl.rehearsal.play import PlayedScenario, RehearsalError, play
from meetctl.rehearsal.scenario import Scenario
from meetctl.roster import load_variables
from meetctl.settings import environment


def rehearse(path: Path, *, keep: bool, timeout_s: float, as_json: bool, env_file: Path | None = None) -> ExitCode:
    """Plays the scenario in a room of its own; returns FAILED if an expectation did not hold."""
    room = f"rehearsal-{secrets.token_hex(4)}"  # it disturbs nobody, and nobody it
    scenario = load_scenario(path, environment=load_variables(path, env_file, environment()), room=room)
    binary = prepare(scenario.roster)
    started: list[Joinable] = []
    played: list[PlayedScenario] = []

    def began(number: int) -> None:
        if not as_json:
            step = scenario.steps[number]
            console.talk(progress_line(number + 1, len(scenario.steps), step_words(scenario, step), step.text))

    async def work(meeting: Meeting) -> None:
        if not as_json:
            names = ", ".join(entry.name for entry in scenario.roster.agents)
            console.talk(f"waiting until {names} are ready in {meeting.roster.room}")
        played.append(await play(meeting, scenario, ready_timeout_s=timeout_s, began=began))

    code = run_meeting(scenario.roster, binary, on_started=started.append, show=False, work=work)
    if not played:
        if code is ExitCode.OK:
            raise RehearsalError("the meeting was ended before the rehearsal was over", hint=f"meetctl rehearse {path}")
        return code
    return _tell(scenario, played[0], Path(started[0].log_dir), keep=keep, as_json=as_json)


def _tell(scenario: Scenario, played: PlayedScenario, log_dir: Path, *, keep: bool, as_json: bool) -> ExitCode:
    outcome = _judged(scenario, played, str(log_dir))
    if outcome.passed and not keep:
        shutil.rmtree(log_dir.parent, ignore_errors=True)  # the room's own directory: nobody else had its name
        outcome = _judged(scenario, played, None)
    if as_json:
        console.print_json(outcome.model_dump(mode="json"))
    else:
        console.print_board(render_rehearsal(outcome))
        if outcome.logs is not None:
            console.print_data(f"logs: {outcome.logs}")
    return ExitCode.OK if outcome.passed else ExitCode.FAILED


def _judged(scenario: Scenario, played: PlayedScenario, logs: str | None) -> RehearsalDocument:
    return judge(scenario, played.record, stages=played.stages, tools=played.tools, restarts=played.restarts, logs=logs)
