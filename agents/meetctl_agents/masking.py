"""Keeps secrets out of logs: a formatter, and its function, that replace known values. Never finds any itself."""

from __future__ import annotations

import logging

from pydantic import BaseModel, SecretStr

MASK = "**********"
SHORTEST_SECRET = 6
"""A shorter value (an `x` for a server that wants any key) would black out ordinary words."""


def secrets_of(value: object) -> frozenset[str]:
    """Returns every secret value held anywhere inside a model."""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return frozenset({secret}) if len(secret) >= SHORTEST_SECRET else frozenset()
    if isinstance(value, BaseModel):
        return secrets_of(tuple(getattr(value, name) for name in type(value).model_fields))
    if isinstance(value, tuple):
        return frozenset[str]().union(*(secrets_of(item) for item in value))
    return frozenset()


def masked(text: str, secrets: frozenset[str]) -> str:
    """Returns the text with each secret replaced."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks the secrets it was told of."""

    secrets: frozenset[str] = frozenset()

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record), self.secrets)
