"""`python -m benchmarks.addressing FILE.jsonl…`: how often what people say reaches the agent that it is meant for."""

from __future__ import annotations

import signal
import sys

from testing.addressing.program import main

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` ends it without a word
    sys.exit(main(sys.argv[1:]))
