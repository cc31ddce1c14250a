"""From a scenario to the player's script: tickets for everybody, and when each step is over. Values only."""

from __future__ import annotations

from collections.abc import Callable

from meetctl.protocol.rehearsal import Act, Script, ScriptedPerson, ScriptedStep, Ticket
from meetctl.rehearsal.judging import ticket_identities
from meetctl.rehearsal.scenario import Scenario, ScenarioStep

EAR = "rehearsal-ear"
PATIENCE_S = 25.0
"""For an answer that is awaited; longer than an agent tries to have one from its model, so that a late one is measured
and not missed."""

Mint = Callable[[str, str], Ticket]
"""`(identity, name)`."""


def script_of(scenario: Scenario, *, url: str, models_url: str, person: Mint, ear: Mint) -> Script:
    """Returns the script; `person` and `ear` make a way into the room."""
    joins = [step.person for step in scenario.steps if step.act is Act.JOINS]
    following = [*scenario.steps[1:], None]
    return Script(
        url=url,
        models_url=models_url,
        ear=ear(EAR, "Rehearsal"),
        agents=tuple(entry.identity for entry in scenario.roster.agents),
        people=tuple(
            ScriptedPerson(
                name=someone.name,
                voice=someone.voice,
                here=someone.here,
                tickets=tuple(
                    person(identity, someone.name)
                    for identity in ticket_identities(someone.identity, joins.count(someone.name) + someone.here)
                ),
            )
            for someone in scenario.people
        ),
        steps=tuple(_scripted(step, after) for step, after in zip(scenario.steps, following, strict=True)),
    )


def _scripted(step: ScenarioStep, after: ScenarioStep | None) -> ScriptedStep:
    expect = step.expect
    return ScriptedStep(
        act=step.act,
        person=step.person or "",
        text=step.text,
        seconds=step.seconds,
        while_speaking=step.while_speaking,
        awaits=expect.answers if expect is not None else (),
        patience_s=max(PATIENCE_S, 2 * (expect.within_s or 0.0) if expect is not None else 0.0),
        hands_over=after is not None and after.while_speaking,
    )
