"""What was profiled as one HTML file without scripts: each start a timeline, each look at the CPU a table."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

TYPED = "meetctl up"
"""The lane of the command; its first step begins long after it was typed."""
BAR, GAP, NAMES, WIDTH, EDGE = 15, 3, 150, 1250, 230
"""Pixels: a bar's height, between two, the lanes' names, the whole of the time, room for a name at its end."""
_COLOURS = {"step": "#4878a8", "before": "#d8d8d8"}
_STYLE = """body{font:13px system-ui,sans-serif;margin:2em;color:#222}table{border-collapse:collapse;margin:1em 0}
td,th{padding:1px 12px 1px 0;text-align:right}td:first-child,td:nth-child(2),th:first-child{text-align:left}
tr.all td{font-weight:600;border-top:1px solid #ccc}svg text{font:11px system-ui,sans-serif}"""


@dataclass(frozen=True, slots=True)
class Span:
    """One step of one process, seconds of one clock; a moment where both are equal."""

    process: str
    step: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Used:
    """What threads of one name in one process used."""

    process: str
    thread: str
    threads: int
    percent: float
    """Of one core."""


def page(figures: Sequence[str], starts: Mapping[str, Sequence[Span]], looks: Mapping[str, Sequence[Used]]) -> str:
    """Returns the file."""
    parts = [f"<h2>{html.escape(name)}</h2>{timeline(spans)}" for name, spans in starts.items()]
    parts += [f"<h2>{html.escape(name)}</h2>{table(used)}" for name, used in looks.items()]
    told = "".join(f"<p>{html.escape(line)}</p>" for line in figures)
    head = f"<meta charset=utf-8><title>A meeting, profiled</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body><h1>A meeting, profiled</h1>{told}{''.join(parts)}"


def timeline(spans: Sequence[Span]) -> str:
    """Returns an SVG: a lane for each process in the order of their starts, one row for each step of it."""
    zero = min(span.began for span in spans)
    scale = WIDTH / max(max(span.ended for span in spans) - zero, 0.001)
    drawn, top = [], 20
    for process, own in _lanes(spans):
        rows = _rows(own)
        drawn.append(f'<line x1="0" x2="{NAMES + WIDTH + EDGE}" y1="{top - 2}" y2="{top - 2}" stroke="#eee"/>')
        drawn.append(f'<text x="0" y="{top + 11}" font-weight="600">{html.escape(process)}</text>')
        for row, row_spans in enumerate(rows):
            y = top + row * (BAR + GAP)
            drawn += [_bar(span, NAMES + (span.began - zero) * scale, scale, y) for span in row_spans]
        top += len(rows) * (BAR + GAP) + 6
    grid = []
    for second in range(int(max(span.ended for span in spans) - zero) + 1):
        x = round(NAMES + second * scale)
        grid.append(f'<text x="{x}" y="11">{second} s</text>')
        grid.append(f'<line x1="{x}" x2="{x}" y1="14" y2="{top}" stroke="#e4e4e4"/>')
    size = f'width="{NAMES + WIDTH + EDGE}" height="{top}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join([*grid, *drawn])}</svg>'


def table(used: Iterable[Used]) -> str:
    """Returns what each process used in all, the dearest first, and below it its threads."""
    by_process: dict[str, list[Used]] = {}
    for one in used:
        by_process.setdefault(one.process, []).append(one)
    totals = {process: sum(one.percent for one in own) for process, own in by_process.items()}
    rows = [_row("everything", "", "", sum(totals.values()))]
    for process, total in sorted(totals.items(), key=lambda item: -item[1]):
        rows.append(_row(process, "", sum(one.threads for one in by_process[process]), total))
        threads = sorted(by_process[process], key=lambda one: -one.percent)
        rows += [_row("", one.thread, one.threads, one.percent) for one in threads if one.percent >= 0.1]
    head = "<tr><th>process</th><th>thread</th><th>threads</th><th>% of a core</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _lanes(spans: Sequence[Span]) -> list[tuple[str, list[Span]]]:
    lanes: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.began):
        lanes.setdefault(span.process, []).append(span)
    return list(lanes.items())


def _rows(spans: Sequence[Span]) -> list[list[Span]]:
    """Returns the spans, and what passed from the start of the process to its first step, one a row."""
    first = next((span for span in spans if span.ended > span.began), None)
    started = spans[0]
    rows = [[span] for span in spans]
    if first is not None and started.began == started.ended and first.began > started.began:
        rows[0] = [Span(started.process, "(its own loading)", started.began, first.began)]
    return rows


def _bar(span: Span, x: float, scale: float, y: int) -> str:
    length = span.ended - span.began
    text = html.escape(span.step)
    if not length:
        return (
            f'<circle cx="{x:.1f}" cy="{y + BAR / 2}" r="4" fill="#2a8a4a"/>'
            f'<text x="{x + 7:.1f}" y="{y + 11}" fill="#2a8a4a">{text}</text>'
        )
    colour = _COLOURS["before" if span.step.startswith("(") else "step"]
    width = max(length * scale, 1)
    told = f"{text}, {length * 1000:.0f} ms"
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"><title>{told}</title></rect>'
        f'<text x="{x + width + 4:.1f}" y="{y + 11}">{told}</text>'
    )


def _row(process: str, thread: str, threads: object, percent: float) -> str:
    kind = "" if thread else ' class="all"'
    cells = (html.escape(process), html.escape(thread), threads, f"{percent:.1f}")
    return f"<tr{kind}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
