"""The only place that writes to the terminal: data to stdout, talk to stderr, the board where there is a screen.

Talk never raises: a terminal that was closed must not keep anybody from ending what runs. What was asked for raises
`Unheard` or `OutputError`, but not on the way out of `live`. Rich is imported when something is drawn, not before:
most commands print one line.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from meetctl.display.crash import crash_report
from meetctl.display.encoding import InColumns, adapt, is_utf8
from meetctl.display.lines import changes
from meetctl.display.progress import BYTES, SparseLines, amount
from meetctl.errors import MeetctlError, OutputError, Unheard
from meetctl.settings import has_hyperlinks

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from meetctl.local.fetch import Progress
    from meetctl.status.document import StatusDocument

FIGURES_S = 1.0
"""A board costs some 8 ms to draw. Changes are drawn at once; mere figures wait, for nobody reads them faster."""

ShowStatus = Callable[["StatusDocument"], None]
"""Shows a status document in place of the one before."""


def print_data(text: str) -> None:
    """Writes a line of what was asked for."""
    _write(sys.stdout, text)


def print_json(document: Mapping[str, Any]) -> None:
    """Writes a document of what was asked for."""
    _write(sys.stdout, _json(document, indent=2))


def print_json_line(document: Mapping[str, Any]) -> None:
    """Writes one document of many, a line each."""
    _write(sys.stdout, _json(document))


def has_colours() -> bool:
    """Returns whether what is asked for goes to a screen with colours that nobody switched off."""
    return sys.stdout.isatty() and _console(stderr=False).color_system is not None


def print_board(board: RenderableType) -> None:
    """Draws a board once."""
    with _told():
        _console(stderr=False).print(board)


def print_status(document: StatusDocument, *, as_json: bool = False) -> None:
    """Draws the board of a status document once, or writes the document itself."""
    if as_json:
        print_json(document.model_dump(mode="json"))
        return
    from meetctl.display.board import render_all

    screen = _console(stderr=False)
    for line in _links_outside(screen, document):
        print_data(line)
    with _told():
        screen.print(render_all(document, hyperlinks=_has_hyperlinks(screen)))


def talk(text: str) -> None:
    """Writes a line about what is going on; where nobody can read it, to nobody."""
    with contextlib.suppress(OSError, ValueError):
        _put(sys.stderr, text)


def show_qr_code(text: str, *, if_room_for: int = 0) -> None:
    """Draws a text as a QR code beside what is asked for, so that the text alone can be piped.

    Args:
        if_room_for: lines that the terminal must have besides; where it has not, or is none, nothing is drawn. 0 = draw
            in any case.
    """
    from meetctl.display.qr_code import lines_of, qr_code

    if if_room_for and not (sys.stderr.isatty() and is_utf8(sys.stderr)):
        return
    screen = _console(stderr=True)
    code = qr_code(text, inverted=screen.color_system is None)
    if if_room_for and screen.height < lines_of(code) + if_room_for:
        return
    with contextlib.suppress(OSError, ValueError):
        screen.print(code, soft_wrap=True)


def show_error(error: MeetctlError, *, as_json: bool) -> None:
    """Tells a failure: to people what it is and what to type next, to scripts the same as an object."""
    if as_json:
        _show_json_error(error.as_dict())
        return
    talk(f"error: {error.message}")
    if error.hint:
        talk(f"hint: {error.hint}")


def show_bug(error: BaseException, report: Path | None, *, as_json: bool) -> None:
    """Tells of a failure that nobody foresaw; its text stays in the report, it may hold anything."""
    message = f"unexpected {type(error).__name__}: this is a bug in meetctl"
    hint = f"please report it with {report}" if report else "please report it; its report could not be written"
    if as_json:
        _show_json_error({"code": "bug", "message": message, "hint": hint})
        return
    talk(f"error: {message}")
    talk(f"hint: {hint}")


def write_crash_report(error: BaseException, directory: Path) -> Path:
    """Writes what happened to a file only its owner can read, and returns its path."""
    path = directory / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(crash_report(error))
    return path


@contextlib.contextmanager
def live(*, as_json: bool = False) -> Iterator[ShowStatus]:
    """Gives what shows a status document again and again.

    On a terminal that is the board; elsewhere a line for each change; with `as_json` a line of JSON each time.
    """
    if as_json:
        yield lambda document: print_json_line(document.model_dump(mode="json"))
    elif sys.stdout.isatty():
        with _live_board() as show:
            yield show
    else:
        yield _changes_shower()


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Gives an observer of downloads: bars on a terminal, a line now and then elsewhere."""
    if sys.stderr.isatty():
        with _bars() as observer:
            yield observer
    else:
        sparse = SparseLines()

        def observe(what: str, done: int, total: int | None, unit: str = BYTES) -> None:
            for line in sparse.lines(what, done, total, unit):
                talk(line)

        yield observe


def _changes_shower() -> ShowStatus:
    before: StatusDocument | None = None

    def show(document: StatusDocument) -> None:
        nonlocal before
        for line in changes(before, document):
            _write(sys.stdout, line)
        before = document

    return show


@contextlib.contextmanager
def _live_board() -> Iterator[ShowStatus]:
    from rich.live import Live

    from meetctl.display.board import render_all

    shown: StatusDocument | None = None
    newest: StatusDocument | None = None
    drawn_at = 0.0

    told: set[str] = set()
    terminal = _console(stderr=False)
    hyperlinks = _has_hyperlinks(terminal)

    # Drawn by whoever shows, not by a thread of its own.
    screen = Live(console=terminal, auto_refresh=False)

    def show(document: StatusDocument) -> None:
        nonlocal shown, newest, drawn_at
        if not streams[0].isatty():  # it was one: Rich would draw nothing, and not say so
            raise Unheard(hung_up=True)
        newest = document
        now = time.monotonic()
        with _told():
            for line in _links_outside(terminal, document):
                if line not in told:
                    told.add(line)
                    terminal.print(line, markup=False, soft_wrap=True)  # above the board, where it stays
            if shown is None or now - drawn_at >= FIGURES_S or changes(shown, document):
                screen.update(render_all(document, hyperlinks=hyperlinks), refresh=True)
                shown, drawn_at = document, now

    streams = sys.stdout, sys.stderr
    try:
        with _told():
            screen.start()
        yield show
    finally:
        # Whoever leaves is ending something: a screen that is gone must not keep them from it.
        with contextlib.suppress(OSError, ValueError):
            if newest is not None and newest is not shown:
                screen.update(render_all(newest, hyperlinks=hyperlinks), refresh=True)
        with contextlib.suppress(OSError, ValueError):
            screen.stop()
        sys.stdout, sys.stderr = streams  # where it broke off, it has not put them back itself


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    # Rich's own column for sizes shows `0/? bytes` for what is no size or has no known end.
    columns = (
        *(TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[amount]}")),
        BarColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=_console(stderr=True)) as bars:

        def observe(what: str, done: int, total: int | None, unit: str = BYTES) -> None:
            shown = amount(done, unit) + (f" of {amount(total, unit)}" if total is not None else "")
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, amount=shown)
            bars.update(tasks[what], completed=done, total=total, amount=shown)

        yield observe


def _show_json_error(error: Mapping[str, Any]) -> None:
    print_json_line({"schema_version": 1, "error": error})


def _json(document: Mapping[str, Any], *, indent: int | None = None) -> str:
    """Returns the document for programs: never a character that the stream would have to replace."""
    if is_utf8(sys.stdout):
        text = json.dumps(document, indent=indent, ensure_ascii=False)
        with contextlib.suppress(UnicodeEncodeError):  # half a character, from a name in another encoding
            text.encode()
            return text
    return json.dumps(document, indent=indent)


def _has_hyperlinks(console: Console) -> bool:
    return console.is_terminal and console.color_system is not None and has_hyperlinks()


def _links_outside(console: Console, document: StatusDocument) -> list[str]:
    from meetctl.display.board import links_outside

    return [] if _has_hyperlinks(console) else links_outside(document, console.width)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise

    stream = InColumns(sys.stderr if stderr else sys.stdout)
    return Plain(file=cast(TextIO, stream), stderr=stderr, highlight=False, emoji=False)


def _write(stream: TextIO, text: str) -> None:
    with _told():
        _put(stream, text)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tells in our words why something could not be written."""
    try:
        yield
    except BrokenPipeError:
        raise Unheard(hung_up=False) from None
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENXIO):  # the terminal was closed
            raise Unheard(hung_up=True) from None
        raise OutputError(
            f"what was asked for could not be written: {error.strerror or error}",
            hint="make room on the disk, or write it elsewhere",
        ) from None


def _put(stream: TextIO, text: str) -> None:
    adapt(stream)
    stream.write(text + "\n")
    stream.flush()
