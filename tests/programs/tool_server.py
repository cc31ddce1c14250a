"""A tool server that misbehaves as its first argument says: `python tool_server.py MODE [FILE]`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer("odd")
mode = sys.argv[1]
OUT = os.dup(1)
"""The real one: the library moves it away from what is printed."""


@server.tool()
def environment() -> str:
    """Says what is in its environment, and where it runs."""
    return "\n".join([os.getcwd(), *(f"{name}={value}" for name, value in sorted(os.environ.items()))])


@server.tool()
def act() -> str:
    """Does what the mode says."""
    match mode:
        case "dies":
            os._exit(3)
        case "hangs":
            time.sleep(3600)
        case "floods":
            while True:
                os.write(OUT, b'{"jsonrpc": "2.0", "method": "notifications/message", "params": {}}\n' * 100)
        case "long":
            return "x" * 10_000_000
        case "prints":
            os.write(OUT, b"a line that is no message\n")
        case "clings":
            return str(os.getpid())
    return "done"


if __name__ == "__main__":
    if len(sys.argv) > 2:
        with Path(sys.argv[2]).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
    if mode == "never starts":
        time.sleep(3600)
    if mode == "fails":
        sys.exit("no licence")
    server.run("stdio")
    if mode == "clings":
        time.sleep(3600)
