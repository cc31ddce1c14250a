"""A meeting with a chair."""

from __future__ import annotations

import pytest

from meetctl.protocol import (
    Ready,
)
from meetctl.supervisor.state import MeetingState
from tests.meetctl.supervisor.folding import CHAIR, folded, said


@pytest.fixture
def chair() -> MeetingState:
    return folded([*CHAIR, said("chair", Ready())])
