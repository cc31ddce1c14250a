"""How much memory a roster's meeting takes. Pure.

Unique set size, measured on Linux with Python 3.11 in a meeting of one avatar and one audio agent (`make bench` prints
the same figures for four), rounded up: an agent grows while it talks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from meetctl.catalogue import LocalModel
from meetctl.roster import Program

AUDIO_MB = 45
"""40 when it has just come; forked from the prepared process, whose pages it shares."""
AVATAR_MB = 80
"""64 when it has just come; the decoded pictures are the rest."""
COMMAND_MB = 120
"""A livekit-agents program started on its own; yours may be anything."""
BASE_MB = 240
"""Supervisor 48, guard 5, prepared process 60, chair 27 and more for each person, livekit-server 68."""
MODELS_MB = 110
"""The model server by itself; each model adds what the catalogue says: 660 in all with `local/tiny`, 1110 with
`local`."""
SIMLI_MB = 110
"""The local Simli server with one face on."""
SIMLI_FACE_MB = 15
"""And for each further face."""
PER_AGENT_MB = {Program.AUDIO: AUDIO_MB, Program.SIMLI: AVATAR_MB, Program.COMMAND: COMMAND_MB}


def needed_mb(programs: Iterable[Program], *, models: Collection[LocalModel], local_faces: int) -> int:
    """Returns how much a meeting of these agents takes in all, in millions of bytes.

    Args:
        models: those that the model server has loaded; none = it does not run.
    """
    agents = sum(PER_AGENT_MB[program] for program in programs)
    faces = SIMLI_MB + SIMLI_FACE_MB * (local_faces - 1) if local_faces else 0
    served = MODELS_MB + sum(model.memory_mb for model in models) if models else 0
    return BASE_MB + agents + faces + served
