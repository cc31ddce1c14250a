"""A roster entry becomes a program: how it is launched, and what it is told when it starts."""
