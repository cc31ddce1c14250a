"""What a terminal's encoding cannot hold, written in what it can. Data for programs is never touched: see `is_utf8`.

Prose is spelled out (`…` becomes `...`); what was laid out in columns keeps its width (`…` becomes `.`).
"""

from __future__ import annotations

import codecs
import unicodedata
from typing import Any, TextIO

SPELL_OUT = "meetctl.spell-out"
"""An error handler for encoders, as `strict` and `replace` are."""

_ASCII = "meetctl_ascii"
_SPELLED = {"…": "...", "→": "->", "←": "<-", "–": "-", "—": "-", "•": "*", "·": ".", "×": "x", "✓": "ok", "✗": "x"} | {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("─━╌╍", "-"),
    **dict.fromkeys("│┃╎╏", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╸╺", "+"),
    "\N{NO-BREAK SPACE}": " ",
}
_ONE_CELL = _SPELLED | {"…": ".", "→": ">", "←": "<", "✓": "+"}


def adapt(stream: TextIO) -> None:
    """Makes the stream write what its encoding can, and never fail for a character."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None or stream.encoding is None or stream.errors == SPELL_OUT:
        return
    # Under its own name ASCII is taken for a mistake by the command line's library, which would write UTF-8 instead.
    encoding = _ASCII if codecs.lookup(stream.encoding).name == "ascii" else stream.encoding
    reconfigure(encoding=encoding, errors=SPELL_OUT)


def is_utf8(stream: TextIO) -> bool:
    """Returns whether every character arrives; where not, JSON has escapes for what programs must read unchanged."""
    try:
        return codecs.lookup(stream.encoding or "ascii").name.startswith("utf")
    except LookupError:
        return False


class InColumns:
    """A stream for what was laid out already: a character that cannot be written is replaced by one as wide."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the text; returns its length."""
        if not is_utf8(self._stream) and not text.isascii():
            text = "".join(character if self._has(character) else _as_wide(character) for character in text)
        return self._stream.write(text)

    def _has(self, character: str) -> bool:
        try:
            character.encode(self._stream.encoding or "ascii")
        except UnicodeEncodeError:
            return False
        return True


def _as_wide(character: str) -> str:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn"):
        return ""
    if unicodedata.east_asian_width(character) in "WF":
        return "??"
    return _ONE_CELL.get(character) or (_base(character) or "?")[0]


def _base(character: str) -> str:
    """Returns the letters that the character is made of: `é` becomes `e`."""
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    written = ""
    for character in error.object[error.start : error.end]:
        if not unicodedata.combining(character):
            written += _SPELLED.get(character) or _base(character) or "?"
    return written, error.end


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name != _ASCII:
        return None
    known = codecs.lookup("ascii")
    return codecs.CodecInfo(
        name=_ASCII,
        encode=known.encode,
        decode=known.decode,
        streamreader=known.streamreader,
        streamwriter=known.streamwriter,
        incrementalencoder=known.incrementalencoder,
        incrementaldecoder=known.incrementaldecoder,
    )


codecs.register_error(SPELL_OUT, _spell_out)
codecs.register(_find_codec)
