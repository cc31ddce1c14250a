"""Keeps secrets out of logs: what masks those of a model, and a formatter that does. Never finds any itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from pydantic import BaseModel, SecretStr

from meetctl.protocol.secrets import Masker

Mask = Callable[[str], str]
"""Returns a text without the secrets in it."""


def masker_of(value: object) -> Masker:
    """Returns what masks every secret value held anywhere inside a model, in each form that it may be written in."""
    return Masker(_secrets_in(value))


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks the secrets that its `mask` knows."""

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self.mask = Masker()

    def format(self, record: logging.LogRecord) -> str:
        return self.mask(super().format(record))


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets_in(item)
