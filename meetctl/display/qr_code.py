"""A link as a code that a phone's camera reads. Pure: text in, something Rich can draw out.

Colours are set for every cell, so it is dark on light whatever the terminal's own are.
"""

from __future__ import annotations

from rich.text import Text

BORDER = 2
"""Light modules around; the norm has 4, which costs four lines, and phones read it with 2."""
_CELLS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
"""Two modules above each other; True is dark."""


def qr_code(text: str, *, inverted: bool = False) -> Text:
    """Returns the code, two modules high a line.

    Args:
        inverted: for a screen that is dark and takes no colours: what is drawn is what is light.
    """
    import segno

    code = segno.make(text, error="l", micro=False)
    rows = [[bool(module) is not inverted for module in row] for row in code.matrix_iter(border=BORDER)]
    if len(rows) % 2:
        rows.append([inverted] * len(rows[0]))
    lines = (
        "".join(_CELLS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
    return Text("\n".join(lines), style="#000000 on #ffffff", no_wrap=True)


def lines_of(code: Text) -> int:
    """Returns how many lines the code takes."""
    return len(code.plain.splitlines())
