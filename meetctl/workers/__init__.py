"""Agents on other machines, seen from the one that controls them: what is sent to LiveKit for a worker to take."""
