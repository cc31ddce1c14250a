"""Ends an answer where it has said enough: a small model goes on until it says nothing, and everybody waits for it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from .clauses import sentence_ends, width

SENTENCES = 2
LEAST = 40
"""Letters: two shorter sentences ("Yes. I do.") may be followed by a third."""


async def brief(pieces: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Yields the answer up to the end of its second sentence, or of a later one where those were short."""
    said, given = "", 0
    async with contextlib.aclosing(pieces):  # leaving closes the request: the model stops
        async for piece in pieces:
            said += piece
            if (end := _enough(said)) is not None:
                if end > given:
                    yield said[given:end]
                return
            yield piece
            given = len(said)


def _enough(said: str) -> int | None:
    ends = list(sentence_ends(said))[SENTENCES - 1 :]
    return next((end for end in ends if width(said[:end]) >= LEAST), None)
