"""What of an answer goes to the voice: words, without the markup, links, tables, emoji and code that only eyes can use.

livekit-agents' own text transforms do most of it; here is what they leave. The transcript keeps the text as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterable, AsyncIterator

from livekit.agents.voice.transcription.filters import filter_emoji, filter_markdown

_FENCE = re.compile(r"[ \t]*(?:```+|~~~+)")
_TABLE_RULE = re.compile(r"[\s|:+=-]*\Z")
_LINE_BEGUN = re.compile(r"[ \t]*(?:`{1,2}|~{1,2})?\Z")
_ITEM = re.compile(r"[ \t]*(?:[-+*•▪◦‣]|\d{1,3}[.)]|#{1,6})[ \t]+")
_ITEM_BEGUN = re.compile(r"[-+*•▪◦‣]|\d{1,3}[.)]?|#{1,6}")
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_PRONOUNCEABLE = re.compile(r"[\w.'/:@ -]+")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->")
_FOOTNOTE = re.compile(r"\[\^?\d{1,3}\](?!\()|\[[ xX]\](?=\s)")
_ADDRESS = re.compile(
    r"(?P<open>[(<\[\"'“]*)(?:(?:https?|ftp|wss?|file)://|www\.|mailto:)\S*?(?P<close>[)>\]\"'”]*[.,;:!?…。，！？]*)\Z",
    re.I,
)
_ADDRESS_WITHIN = re.compile(r"(?:https?|ftp|wss?)://[\w.:/?#@!$&'()*+,;=%~-]*[\w/]", re.I)
_EMOTICON = re.compile(r"[:;=8][-o^']?[)(\]\[DPpOo/\\|3]+|<3|\^_?\^|xD|XD")
_ONLY_MARKS = re.compile(r"[*_#`~|>=\\+-]{2,}|[*_#`|\\•·▪◦‣]")
_EDGE_MARKS = re.compile(r"\A(?:\*{1,3}|`+|~~|#{1,6}(?=\S))(?=\w)|(?<=[\w.!?,;:])(?:\*{1,3}|`+|~~)\Z")
_BLANKS = re.compile(r"(\s+)")
_CLOSING = ".,;:!?…。，！？"
LONGEST_WORD = 400
"""Characters that are held back until a blank; text without blanks goes on after fewer than that."""


async def spoken(words: AsyncIterable[str]) -> AsyncIterator[str]:
    """Yields what can be said of the text, as it comes."""
    tokens = _Tokens()
    async for piece in filter_emoji(filter_markdown(_without_blocks(words))):
        if text := tokens.feed(piece):
            yield text
    if text := tokens.finish():
        yield text


async def _without_blocks(words: AsyncIterable[str]) -> AsyncIterator[str]:
    blocks = _Blocks()
    async for piece in words:
        if text := blocks.feed(piece):
            yield text
    if text := blocks.finish():
        yield text


class _Blocks:
    """Leaves out blocks of code, and makes sentences of the rows of tables and of what stands in lists."""

    def __init__(self) -> None:
        self._pending = ""
        self._last = ""
        """The last character that was given of this line."""
        self._is_line_start = True
        self._is_item = False
        self._fence: str | None = None

    def feed(self, text: str) -> str:
        self._pending += text
        given = ""
        while "\n" in self._pending:
            line, self._pending = self._pending.split("\n", 1)
            given += self._rest_of_line(line, end="\n")
        if self._fence is None and self._pending and not self._may_be_block():
            ready = self._pending.rfind("`") if self._pending.count("`") % 2 else len(self._pending)
            given += self._part(self._pending[:ready])
            self._pending = self._pending[ready:]
        return given

    def finish(self) -> str:
        return self._rest_of_line(self._pending, end="") if self._pending or self._is_item else ""

    def _may_be_block(self) -> bool:
        if not self._is_line_start:
            return False
        begun = self._pending.lstrip(" \t")
        return bool(
            _LINE_BEGUN.match(self._pending)
            or _FENCE.match(self._pending)
            or _ITEM_BEGUN.fullmatch(begun)
            or begun.startswith("|")
        )

    def _rest_of_line(self, line: str, *, end: str) -> str:
        starts, self._is_line_start = self._is_line_start, True
        fence = _FENCE.match(line) if starts else None
        if self._fence is not None:
            if fence and fence[0].strip().startswith(self._fence):
                self._fence = None
            return ""
        if fence:
            mark = fence[0].strip()[:3]
            if line.count(mark) < 2:
                self._fence = mark
            return ""
        if starts and line.lstrip().startswith("|"):
            return _row(line)
        self._is_line_start = starts
        text = self._part(line)
        stop = "." if self._is_item and self._last.isalnum() else ""
        self._is_line_start, self._is_item, self._last = True, False, ""
        return f"{text}{stop}{end}"

    def _part(self, text: str) -> str:
        if self._is_line_start and text:
            self._is_item, self._is_line_start = bool(_ITEM.match(text)), False
        said = _INLINE_CODE.sub(lambda code: code[1] if _PRONOUNCEABLE.fullmatch(code[1]) else "", text)
        self._last = said.rstrip()[-1:] or self._last
        return said


def _row(line: str) -> str:
    if _TABLE_RULE.match(line):
        return ""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return ", ".join(cell for cell in cells if cell) + ".\n"


class _Tokens:
    """Leaves out words that are addresses, tags, emoticons or stray marks."""

    def __init__(self) -> None:
        self._pending = ""

    def feed(self, text: str) -> str:
        self._pending += text
        *whole, rest = _BLANKS.split(self._pending)
        if len(rest) > LONGEST_WORD or (rest and not rest[0].isascii()):
            whole, rest = [*whole, rest], ""
        self._pending = rest
        return self._clean(whole)

    def finish(self) -> str:
        whole, self._pending = _BLANKS.split(self._pending), ""
        return self._clean(whole)

    def _clean(self, tokens: list[str]) -> str:
        return "".join(token if token.isspace() else _word(token) for token in tokens)


def _word(token: str) -> str:
    token = html.unescape(_FOOTNOTE.sub("", _TAG.sub("", token)))
    if match := _ADDRESS.fullmatch(token):
        return match["close"].lstrip(")>]\"'”")
    token = _ADDRESS_WITHIN.sub("", token)
    if token == "|":
        return ","
    core = token.rstrip(_CLOSING)
    if _ONLY_MARKS.fullmatch(token) or _EMOTICON.fullmatch(token) or (core and _EMOTICON.fullmatch(core)):
        return token[len(core) :] if core and not _ONLY_MARKS.fullmatch(token) else ""
    return _EDGE_MARKS.sub("", token)
