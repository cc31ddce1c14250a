"""How the meeting is run, from what is written and who attends. Notes faults, raises none."""

from __future__ import annotations

from collections.abc import Mapping

from meetctl.protocol import FloorMode, MeetingRules, OpenQuestions, Speaks
from meetctl.roster.faults import nearest
from meetctl.roster.models import Keys, resolve_model
from meetctl.roster.reading import Reading
from meetctl.roster.schema import AgentEntry, ModelChoice, Program
from meetctl.roster.written import FloorWritten, MeetingWritten

MAX_AGENT_TURNS = 4
"""Where nothing is written: enough for a question, an answer and a word each; a loop would go on for ever."""


def resolve_rules(reading: Reading, written: MeetingWritten, entries: Mapping[int, AgentEntry]) -> MeetingRules:
    """Returns the chair's rules.

    A meeting whose agents need no human between their turns (`max_agent_turns: none`) and where one of them opens is a
    meeting of agents alone; the one thing that ends it is its `max_duration`, so it has to have one.
    """
    endless = written.max_agent_turns == "none"
    if endless and written.max_duration is None:
        message = "is none, so agents may talk without end, and there is no max_duration"
        reading.note(("meeting", "max_agent_turns"), message, "add max_duration: 10m, or write max_agent_turns: 4")
    turns = written.max_agent_turns if isinstance(written.max_agent_turns, int) else MAX_AGENT_TURNS
    opening = _opening(reading, written.opening, entries)
    floor = written.floor or FloorWritten()
    return MeetingRules(
        floor=floor.mode or FloorMode.ADDRESSED,
        open_questions=floor.open_questions or OpenQuestions.WAIT,
        max_agent_turns=None if endless else turns,
        opening=opening,
        agents_alone=endless and opening is not None,
    )


def resolve_judge(reading: Reading, written: MeetingWritten, keys: Keys) -> ModelChoice | None:
    """Returns the model that is asked for whom a line is meant, None where none is."""
    floor = written.floor or FloorWritten()
    if floor.judge is None:
        return None
    path = ("meeting", "floor", "judge")
    if floor.mode not in (None, FloorMode.ADDRESSED):
        reading.note(path, f"is asked in the mode addressed only, not in {floor.mode}", "remove it, or the mode")
        return None
    return resolve_model(reading, floor.judge, keys, path, "llm")


def _opening(reading: Reading, written: str | None, entries: Mapping[int, AgentEntry]) -> str | None:
    """Returns the identity of who opens."""
    if written is None:
        return None
    path = ("meeting", "opening")
    for entry in entries.values():
        if written.casefold() in (entry.name.casefold(), entry.identity.casefold()):
            if entry.speaks is Speaks.NEVER:
                reading.note(
                    path, f"{entry.name} never speaks", f"name somebody else, or remove its speaks: {Speaks.NEVER}"
                )
            elif entry.program is Program.COMMAND:
                message = f"{entry.name} is a command, which is outside the floor"
                reading.note(path, message, "name an agent with agent: simli or agent: audio")
            return entry.identity
    names = [entry.name for entry in entries.values()]
    like = nearest(written, names)
    hint = f"did you mean {like}?" if like else f"there is {', '.join(names)}" if names else "remove it"
    reading.note(path, f"no agent is named {written!r}", hint)
    return None
