"""Asks a local server whether it still answers, as cheaply as can be: it is asked every other second for hours."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

ANSWER_S = 2.0
"""An idle server answers in a millisecond; one that needs this long is in trouble, which is what is asked."""


async def answers(url: str) -> bool:
    """Returns whether anything speaks HTTP at this http(s) or ws(s) address on this machine; never raises."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                writer.write(f"GET / HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
                return (await reader.readline()).startswith(b"HTTP/")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return False
