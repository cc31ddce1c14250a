"""The one door for authors of agents: all that an agent of your own imports. `agents/README.md` has an example.

What is named here keeps its name and meaning; everything else of this package may change with any version.
"""

from __future__ import annotations

from meetctl.protocol import Assignment, Degraded, Failed, Ready, Warn

from .process.wire import Report
from .runtime import Inbox, run_program
from .speaking.room_sink import RoomAudioSink
from .speaking.speaker import Speaker

__all__ = [
    "Assignment",
    "Degraded",
    "Failed",
    "Inbox",
    "Ready",
    "Report",
    "RoomAudioSink",
    "Speaker",
    "Warn",
    "run_program",
]
