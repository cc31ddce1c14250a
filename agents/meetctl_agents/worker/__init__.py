"""Agents on other machines: a worker of LiveKit's that runs the same bodies, and the link that controls one of them."""
