"""Fixtures for all tests; the servers are real."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # how long an example takes is the machine's business
settings.load_profile("any machine")

pytest_plugins = [
    "tests.fixtures.lanes",
    "tests.fixtures.command",
    "tests.fixtures.livekit",
    "tests.fixtures.models",
    "tests.fixtures.places",
    "tests.fixtures.simli",
]
