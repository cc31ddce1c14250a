"""`python -m meetctl.local.simli`: the local Simli server as a program."""

from __future__ import annotations

from meetctl.local.simli.program import main

if __name__ == "__main__":
    main()
