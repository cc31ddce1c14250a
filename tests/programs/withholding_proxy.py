"""Passes connections on, but holds back what comes over an upgraded one until it ends, as some proxies do.

`python -m tests.programs.withholding_proxy PORT TARGET`, both on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

CHUNK = 65_536


async def main(port: int, target: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", target)
        there = asyncio.create_task(copy(reader, asks))
        try:
            head = await answers.read(CHUNK)
            writer.write(head)
            if b" 101 " in head.split(b"\r\n", 1)[0]:
                writer.write(await answers.read())
            else:
                await copy(answers, writer)
        finally:
            there.cancel()
            with contextlib.suppress(ConnectionError):
                writer.close()
                asks.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await server.serve_forever()


async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    sink.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
