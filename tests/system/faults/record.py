"""The transcript as it grows: what was once in it stays in it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LINE_S = 40.0
"""From a question to the answer's last word; a second on an idle machine."""
POLL_S = 0.03

Line = dict[str, Any]


class Record:
    """Reads the file from where it stopped; lines by their id, each as it was written last."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._read = 0
        self.lines: dict[str, Line] = {}

    @property
    def path(self) -> Path:
        assert self._path is not None, "there was no meeting yet"
        return self._path

    def look(self) -> dict[str, Line]:
        """Returns the lines so far; asserts that nothing was taken out of the file."""
        if self._path is None:
            return {}
        size = self._path.stat().st_size
        assert size >= self._read, f"{self._path} shrank from {self._read} to {size}"
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for text in whole.splitlines():
            line = json.loads(text)
            self.lines[line["id"]] = line
        return self.lines

    async def quiet(self, seconds: float) -> None:
        """Waits until nothing was said for so long."""
        lines, since = len(self.look()), time.monotonic()
        while time.monotonic() - since < seconds:
            await asyncio.sleep(POLL_S)
            if len(self.look()) != lines:
                lines, since = len(self.lines), time.monotonic()

    async def wait_text(self, text: str, what: str) -> Line:
        """Waits for a line of this very text."""
        return await self.wait(lambda line: line["text"] == text, what)

    async def wait(self, holds: Callable[[Line], bool], what: str, seconds: float = LINE_S) -> Line:
        """Waits for a line that is so."""
        end = time.monotonic() + seconds
        while True:
            found = [line for line in self.look().values() if holds(line)]
            if found:
                return found[-1]
            last = list(self.lines.values())[-6:]
            assert time.monotonic() < end, (what, [(line["speaker"], line["text"]) for line in last])
            await asyncio.sleep(POLL_S)
