"""Fixtures for all tests; the servers are real."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How fast examples come is the machine's business, and it has others; each test has its lane's time limit.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

pytest_plugins = [
    "testing.fixtures.lanes",
    "testing.fixtures.paths",
    "testing.fixtures.command",
    "testing.fixtures.livekit",
    "testing.fixtures.models",
    "testing.fixtures.networks",
    "testing.fixtures.places",
    "testing.fixtures.simli",
]
