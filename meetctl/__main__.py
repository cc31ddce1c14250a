"""`python -m meetctl`."""

from meetctl.cli import main

main()
