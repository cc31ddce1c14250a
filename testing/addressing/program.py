"""Plays annotated meetings and prints how often what people say reaches the agent that it is meant for."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from .annotated import WrongLine, read_meetings
from .played import play
from .scored import Scored, accuracy, report, score, shown


def main(arguments: list[str]) -> int:
    """Returns 0; 1 where the accuracy is below `--at-least`; 2 where a line of a file is wrong."""
    options = _options().parse_args(arguments)
    logging.disable(logging.WARNING)
    turns: list[Scored] = []
    try:
        for meeting in [meeting for file in options.files for meeting in read_meetings(file)]:
            turns += (score(meeting, played) for played in play(meeting))
    except WrongLine as error:
        print(error, file=sys.stderr)
        return 2
    if options.verbose:
        for one in turns:
            if one.miss is not None:
                print(shown(one))
        print()
    print("\n".join(report(turns)))
    return 1 if accuracy(turns) < options.at_least else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.addressing",
        description=__doc__,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl", help="annotated meetings, one a line")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each miss and the rule that made it")
    parser.add_argument(
        "--at-least", type=float, default=0.0, metavar="SHARE", help="exit with 1 below this share, as 0.98"
    )
    return parser
