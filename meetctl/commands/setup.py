"""`meetctl setup`: fetches what a meeting without keys needs, so that the first `up` does not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from meetctl.catalogue import CATALOGUE, PAIRS, LocalModel, pair
from meetctl.display import console
from meetctl.errors import UsageError
from meetctl.local.data import ensure_models, missing_models
from meetctl.local.livekit_binary import ensure_server


def setup(*, server: bool = True, models: Sequence[LocalModel] = (), insist: bool = True) -> Path | None:
    """Fetches livekit-server and the local models where they are missing; returns where the server is.

    Args:
        insist: asks for a model again that could not be had a short while ago, though another can serve.

    Raises:
        FetchError: saying all that was tried.
    """
    return asyncio.run(_setup(server=server, models=models, insist=insist))


def models_named(names: Sequence[str]) -> tuple[LocalModel, ...]:
    """Returns the models of these names, each once; `local` and `local/tiny` are names of two, no name means `local`.

    Raises:
        UsageError: if there is none of a name.
    """
    found: dict[LocalModel, None] = {}
    for name in names or ("local",):
        short = "" if name == "local" else name.removeprefix("local/")
        models = pair(short) if short in PAIRS else tuple(model for model in CATALOGUE if model.name == short)
        if not models:
            known = ", ".join(["local", *(f"local/{one}" for one in PAIRS if one), *(one.name for one in CATALOGUE)])
            raise UsageError(f"no local model is named {name!r}; there is {known}", hint="meetctl setup local/tiny")
        found |= dict.fromkeys(models)
    return tuple(found)


async def _setup(*, server: bool, models: Sequence[LocalModel], insist: bool) -> Path | None:
    binary = None
    with console.progress() as progress:
        if server:
            found = await ensure_server(progress)
            binary = found.path
            for warning in found.warnings:
                console.talk(f"warning: {warning}")
        if missing_models(models):
            for warning in await ensure_models(models, progress, insist=insist):
                console.talk(f"warning: {warning}")
    return binary
