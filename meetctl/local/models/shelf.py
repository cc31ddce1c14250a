"""The loaded models of one part, by name: what is asked for and not loaded yet is loaded once, whoever asks.

A name that nobody knows means the first of them, as OpenAI's clients name models of their own. Knows no model itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from meetctl.catalogue import names
from meetctl.errors import StandInError
from meetctl.local.data import Located, locate
from meetctl.local.models.failures import ApiError

T = TypeVar("T")


class Shelf(Generic[T]):
    """Holds what is loaded.

    Args:
        part: `llm` or `stt`.
        load: makes one of them ready to be used.
    """

    def __init__(self, part: str, load: Callable[[Located], Awaitable[T]]) -> None:
        self._part = part
        self._load = load
        self._loading: dict[str, asyncio.Future[T]] = {}

    @property
    def loaded(self) -> dict[str, T]:
        """Returns those that are ready, by name, the first that was asked for first."""
        return {name: each.result() for name, each in self._loading.items() if each.done() and not each.exception()}

    async def put(self, located: Located) -> T:
        """Loads it, if it is not loaded; raises what loading raises."""
        loading = self._loading.get(located.name)
        if loading is None or (loading.done() and (loading.cancelled() or loading.exception())):
            loading = self._loading[located.name] = asyncio.ensure_future(self._load(located))
        return await asyncio.shield(loading)  # whoever asked first may leave, the others still want it

    async def get(self, name: str) -> T:
        """Returns the model of this name.

        Raises:
            ApiError: if it is known and cannot be fetched, or if none was ever put here and no name says which.
        """
        if name in self._loading:
            return await self.put(Located(name, self._part))
        if name not in names(self._part):
            if not self._loading or "/" in name:  # a file that this server was not started with
                raise ApiError(f"no model {name!r} here", status=404, param="model", code="model_not_found")
            return await self.put(Located(next(iter(self._loading)), self._part))
        try:
            return await self.put(locate(self._part, name))
        except StandInError as error:
            hint = f"; {error.hint}" if error.hint else ""
            raise ApiError(f"{error.message}{hint}", status=404, param="model", code="model_not_found") from error
