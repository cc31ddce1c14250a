"""Why an agent says nothing is told by what made it fail."""

from __future__ import annotations

import pytest
from livekit.agents import APIConnectionError, APIStatusError
from meetctl_agents.models.novelty import NothingNewError
from meetctl_agents.models.unsaid import told_in_room, unsaid_from

from meetctl.protocol import Unsaid


def failed(status: int) -> Exception:
    """Returns it as the plugins do: wrapped."""
    error = APIConnectionError()
    error.__cause__ = APIStatusError("no", status_code=status)
    return error


@pytest.mark.parametrize(
    ("error", "is_loaded", "unsaid"),
    [
        (NothingNewError(), True, Unsaid.NOTHING_NEW),
        (failed(429), True, Unsaid.LIMITED),
        (failed(402), False, Unsaid.LIMITED),
        (failed(500), True, Unsaid.FAILED),
        (TimeoutError(), True, Unsaid.FAILED),
        (TimeoutError(), False, Unsaid.LOADING),
    ],
)
def test_each_reason_is_told_apart(error: Exception, is_loaded: bool, unsaid: Unsaid) -> None:
    assert unsaid_from(error, is_loaded=is_loaded) is unsaid


def test_people_read_the_name_in_every_reason() -> None:
    assert all(told_in_room(unsaid, "Ada").startswith("Ada ") for unsaid in Unsaid)
