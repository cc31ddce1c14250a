"""Keeps secrets out of logs: a formatter, and its function, that replace known values. Never finds any itself."""

from __future__ import annotations

import logging

from pydantic import BaseModel, SecretStr

from meetctl.protocol.secrets import masked as replaced
from meetctl.protocol.secrets import secret_forms


def secrets_of(value: object) -> frozenset[str]:
    """Returns every secret value held anywhere inside a model, in each form that it may be written in."""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return secret_forms(secret)
    if isinstance(value, BaseModel):
        return secrets_of(tuple(getattr(value, name) for name in type(value).model_fields))
    if isinstance(value, tuple):
        return frozenset[str]().union(*(secrets_of(item) for item in value))
    return frozenset()


def masked(text: str, secrets: frozenset[str]) -> str:
    """Returns the text with each secret replaced."""
    return replaced(text, sorted(secrets, key=len, reverse=True))  # one may contain another


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks the secrets it was told of."""

    secrets: frozenset[str] = frozenset()

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record), self.secrets)
