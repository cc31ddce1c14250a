"""The YAML file: who attends, with what persona and program. Reads and judges it; starts nothing."""

from __future__ import annotations

from meetctl.roster.faults import Fault, RosterFaults
from meetctl.roster.load import load_entry_file, load_roster
from meetctl.roster.naming import is_room_name, readable_room
from meetctl.roster.public_url import STUN, PublicUrl, stun_server
from meetctl.roster.reach import why_not_direct
from meetctl.roster.schema import (
    NO_KEY,
    SIMLI_URL,
    AdmitMode,
    AgentEntry,
    Budget,
    FaceChoice,
    Limits,
    ModelChoice,
    Program,
    ReachChoice,
    Roster,
    ToolChoice,
    ToolSettings,
    TranscriptMode,
    avatar_identity,
    reached_at,
    secrets_of,
    secrets_of_entry,
)
from meetctl.roster.streams import handed_on, is_stream, keep, kept, shown
from meetctl.roster.variables import Origin, Variables, load_variables, origins

__all__ = [
    "NO_KEY",
    "SIMLI_URL",
    "STUN",
    "AdmitMode",
    "AgentEntry",
    "Budget",
    "FaceChoice",
    "Fault",
    "Limits",
    "ModelChoice",
    "Origin",
    "Program",
    "PublicUrl",
    "ReachChoice",
    "Roster",
    "RosterFaults",
    "ToolChoice",
    "ToolSettings",
    "TranscriptMode",
    "Variables",
    "avatar_identity",
    "handed_on",
    "is_room_name",
    "is_stream",
    "keep",
    "kept",
    "load_entry_file",
    "load_roster",
    "load_variables",
    "origins",
    "reached_at",
    "readable_room",
    "secrets_of",
    "secrets_of_entry",
    "shown",
    "stun_server",
    "why_not_direct",
]
