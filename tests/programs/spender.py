"""A child that uses what it is told to: `python -m tests.programs.spender MEGABYTES TOKENS…`. Standard library only.

It holds so much memory, says that it is ready, tells each total in turn, and leaves when its stdin ends, saying so.
"""

from __future__ import annotations

import json
import sys

if __name__ == "__main__":
    held = bytearray(b"\1") * (int(sys.argv[1]) * 1_000_000)
    print('{"type": "ready"}', flush=True)
    for total in sys.argv[2:]:
        print(json.dumps({"type": "usage", "llm_tokens": int(total)}), flush=True)
    sys.stdin.read()
    print(f"leaves with {len(held)} bytes", file=sys.stderr, flush=True)
