"""Orchestrates meetings of several AI agents and several people on LiveKit."""

__version__ = "0.1.0"
