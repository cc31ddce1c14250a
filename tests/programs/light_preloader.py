"""The prepared process without its load: what is tested is the forking."""

from __future__ import annotations

import sys

from meetctl_agents import preloader

if __name__ == "__main__":
    preloader.PRELOADED = ()
    preloader.main(sys.argv[1:])
