"""What a model writes about itself as on a stage (`*clears throat*`, `(smiles warmly)`, `[laughs]`) is left out.

Such words stand between sentences, begin with a small letter, and tell what somebody does or how; an aside in brackets
and emphasised words stay. Pure; no I/O.
"""

from __future__ import annotations

import re

from .filter import TextFilter

LONGEST = 60
"""Characters of a stage direction; what is longer was none."""

_PAIRS = {"*": "*", "_": "_", "(": ")", "[": "]", "（": "）", "【": "】"}
_OPENING = "".join(map(re.escape, _PAIRS))
_AT_BOUNDARY = re.compile(
    rf"(?:\A|(?<=\n)|(?<=[.!?…。！？:\"”’)\]*]\s)|(?<=[。！？]))[ \t]*(?P<open>[{_OPENING}])(?![*_\s\d])"
)
_AT_END = re.compile(r"(?<=[ \t])(?P<open>[*(\[])(?![*_\s\d])")
_SURE = re.compile(
    r"(?:\w+ly )?(?:laughs?|laughter|chuckles?|smiles?|sighs?|clears? (?:\w+ )?throat|coughs?|nods?|winks?|grins?"
    r"|gasps?|shrugs?|giggles?|pauses?|applause|sniffs?|sobs?|gulps?|yawns?)(?: \w+ly)?\Z"
)
"""Nobody means anything else by these in brackets, wherever they stand."""
_DOES = re.compile(
    r"(?:(?:\w+ly|then|and|both)\s+)?"  # "softly laughs"
    r"(?:\w{2,}(?:[^s\W]s|sses|shes|ches|ing)\b|"
    r"laugh|chuckle|smile|sigh|pause|beat|silence|cough|nod|wink|grin|gasp|shrug|giggle|whisper|applause|music|"
    r"lacht|lächelt|seufzt|räuspert|nickt|hustet|überlegt|grinst|"
    r"rit|sourit|soupire|tousse|réfléchit|ríe|sonríe|suspira|tose|asiente)",
)
_HOW = re.compile(r"(?:in a|with a|under (?:his|her|their)|to (?:him|her|them)self|aside|off)\b|\w+ly\Z")
_WIDE_DOES = re.compile(r"[笑叹嘆微点點咳思泣汗拍頷息]")
_NOUNS = re.compile(r"(?:this|its|his|as|is|was|has|plus|always|perhaps|besides|sometimes|unless|across|thus|yes)\b")
"""Words that end like a verb and begin an aside."""


class StageDirections(TextFilter):
    """Feeds on a model's text and gives what is to be said."""

    def __init__(self) -> None:
        self._before = ""
        super().__init__()

    def _take(self, *, ended: bool) -> str:
        given, searched = "", 0
        while True:
            whole = self._before + self._pending
            start = len(self._before) + searched
            found = [each for pattern in (_AT_BOUNDARY, _AT_END) if (each := pattern.search(whole, start))]
            if not found:
                break
            match = min(found, key=lambda each: each.start("open"))
            opened = match.start("open") - len(self._before)
            closed = self._pending.find(_PAIRS[match["open"]], opened + 1, opened + 2 + LONGEST)
            if closed < 0:
                if not ended and len(self._pending) - opened <= LONGEST and "\n" not in self._pending[opened:]:
                    return given + self._give(opened)
                searched = opened + 1
                continue
            if not ended and not self._pending[closed + 1 :].strip():
                return given + self._give(opened)  # what follows tells
            if not self._is_direction(opened, closed):
                searched = opened + 1
                continue
            given += self._give(opened)
            self._pending = self._pending[closed + 1 - opened :]
            if self._ends_blank():
                self._pending = self._pending.lstrip(" \t")
            searched = 0
        held = 0 if ended else self._held_back()
        return given + self._give(len(self._pending) - held)

    def _is_direction(self, opened: int, closed: int) -> bool:
        inside = self._pending[opened + 1 : closed].strip()
        after = self._pending[closed + 1 :]
        if self._pending[opened] in "（【":
            return len(inside) <= 12 and bool(_WIDE_DOES.search(inside))
        if not inside or not inside[0].islower() or after.startswith(("(", "[", "*", "_", ":")):
            return False
        text_before = (self._before + self._pending[:opened]).rstrip()
        ends_before = not text_before or text_before[-1] in '.!?…。！？:"”’)]*\n'
        ends_after = not after.strip() or bool(re.match(r"\s*(?:[A-ZÀ-ÞА-Я\"“*(\[.!?…]|[^\x00-\x7f])", after))
        does = not _NOUNS.match(inside) and bool(_DOES.match(inside) or _HOW.search(inside))
        if self._pending[opened] in "*_" and ends_before:
            return ends_after and (does or " " in inside)
        return bool(_SURE.match(inside)) or (does and (ends_after or ends_before))

    def _held_back(self) -> int:
        """Returns how many characters at the end are blanks or marks that a direction may begin with."""
        match = re.search(rf"[ \t]*[{_OPENING}]?\Z", self._pending)
        return len(match[0]) if match else 0

    def _ends_blank(self) -> bool:
        return not self._before or self._before[-1].isspace()

    def _give(self, count: int) -> str:
        text, self._pending = self._pending[:count], self._pending[count:]
        self._before = (self._before + text)[-4:]
        return text
