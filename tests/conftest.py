"""Fixtures for all tests; the servers are real."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.lanes",
    "tests.fixtures.command",
    "tests.fixtures.livekit",
    "tests.fixtures.models",
    "tests.fixtures.places",
    "tests.fixtures.simli",
]
