"""Fetches a model's files from its publisher's hub: by GET with `Range`, on from where it broke off, also after a kill.

The hub is asked once a run: where it does not answer soon, nobody waits for it a second time. What arrives is not
looked at here; whoever calls compares the digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from meetctl.catalogue import HubFiles
from meetctl.errors import FetchError
from meetctl.local.fetch import CHUNK_BYTES, STALL_TIMEOUT_S, size_of
from meetctl.settings import environment

URL = "https://huggingface.co"
"""Where `HF_ENDPOINT` names no other, a mirror for instance."""
ANSWER_S = 3.0
"""Until the first line of an answer; a hub that can be reached takes half a second, one behind a wall never answers."""
TRIES = 5
"""Of one file, where it breaks off again and again."""


class _BrokenOff(Exception):
    """The connection ended or stalled before the file did."""


class Hub:
    """The hub, in one run of a fetcher.

    Args:
        url: its address; None = nobody is asked.
    """

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.given_up = None if url else "is not asked (HF_HUB_OFFLINE)"
        """Why it is not asked any more."""

    @classmethod
    def of_environment(cls) -> Hub:
        """Returns the hub that the user's own settings name, in the variables of its own clients."""
        offline = environment().get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
        return cls(None if offline else (environment().get("HF_ENDPOINT") or URL).rstrip("/"))

    async def fetch(
        self, repository: HubFiles, name: str, target: Path, size: int, told: Callable[[int], None]
    ) -> None:
        """Appends to the target what it lacks.

        Args:
            told: is handed how many bytes the target has.

        Raises:
            FetchError: if the hub does not answer, refuses, or breaks off too often; what came stays in the target.
        """
        if self.url is None or self.given_up is not None:
            raise FetchError(f"the hub {self.given_up}")
        url = f"{self.url}/{repository.repository}/resolve/{repository.revision}/{name}"
        for _ in range(TRIES):
            try:
                await self._once(url, target, size, told)
            except _BrokenOff as broken:
                failure = f"{url} broke off: {broken}"
            else:
                return
        raise self._give_up(failure)

    def _give_up(self, why: str) -> FetchError:
        self.given_up = f"was given up: {why}"
        return FetchError(why)

    async def _once(self, url: str, target: Path, size: int, told: Callable[[int], None]) -> None:
        import aiohttp

        have = size_of(target)
        if have >= size:
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=STALL_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True, auto_decompress=False) as session:
            try:
                async with asyncio.timeout(ANSWER_S):
                    response = await session.get(url, headers=headers)
            except TimeoutError:
                raise self._give_up(f"{url} did not answer within {ANSWER_S:g} s") from None
            except (aiohttp.ClientError, ValueError) as error:
                raise self._give_up(f"{url}: {str(error) or type(error).__name__}") from error
            async with response:
                if response.status not in (200, 206):
                    # It may well have the next file, unless it is the hub itself that is in trouble.
                    refusal = f"{url} answered HTTP {response.status} {response.reason}"
                    raise self._give_up(refusal) if response.status >= 429 else FetchError(refusal)
                goes_on = response.status == 206 and _begin(response.headers.get("Content-Range")) == have
                if response.status == 206 and not goes_on:
                    raise FetchError(f"{url} sent another part of the file than it was asked for")
                try:
                    with target.open("ab" if goes_on else "wb") as file:
                        done = have if goes_on else 0
                        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                            done += len(chunk)
                            if done > size:
                                raise FetchError(f"{url} is longer than the {size} bytes its publisher names")
                            file.write(chunk)
                            told(done)
                except (aiohttp.ClientError, TimeoutError) as error:
                    raise _BrokenOff(str(error) or type(error).__name__) from error
        if done < size:
            raise _BrokenOff(f"it ended after {done} of {size} bytes")


def _begin(content_range: str | None) -> int | None:
    """Returns the first byte of `bytes 100-199/200`."""
    first = (content_range or "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdecimal() else None
