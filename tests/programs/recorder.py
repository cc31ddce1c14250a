"""A child that says it is ready, then tells everything it reads: `python -m tests.programs.recorder`."""

from __future__ import annotations

import sys

from meetctl.protocol import Ready, Warn, encode_line

sys.stdin.readline()  # its assignment
sys.stdout.buffer.write(encode_line(Ready()))
sys.stdout.buffer.flush()
for line in sys.stdin:
    if '"stop"' in line:
        break
    sys.stdout.buffer.write(encode_line(Warn(message=line.strip())))
    sys.stdout.buffer.flush()
