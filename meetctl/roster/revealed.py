"""A roster, or a part of it, for another process of ours: whole, its secrets too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from meetctl.settings import LiveKitCredentials


def revealed(value: Any) -> Any:
    """Returns the value as plain JSON with its secrets in the clear: for the control socket alone."""
    match value:
        case BaseModel():
            return {name: revealed(getattr(value, name)) for name in type(value).model_fields}
        case LiveKitCredentials():
            return {"url": value.url, "api_key": value.api_key, "api_secret": revealed(value.api_secret)}
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case Mapping():
            return {key: revealed(item) for key, item in value.items()}
        case tuple() | list():
            return [revealed(item) for item in value]
        case _:
            return value
