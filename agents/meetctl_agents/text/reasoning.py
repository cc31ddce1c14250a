"""What a model thinks aloud is left out of its answer, in whatever markers its server leaves it. Pure; no I/O.

Servers with a parser for their model hand reasoning over in a field of its own. The others hand over the model's own
markers (https://github.com/ggml-org/llama.cpp/issues/11861), often without the opening one, which stands in the prompt.
"""

from __future__ import annotations

import re

_NAMES = "think|thinking|thoughts?|reason|reasoning|reflection|scratchpad|antthinking|inner_monologue"
_PAIRS = (
    (rf"<(?:seed:)?(?:{_NAMES}|analysis)(?:\s[^<>]{{0,40}})?>", rf"</(?:seed:)?(?:{_NAMES}|analysis)\s*>"),
    (rf"\[(?:{_NAMES})\]", rf"\[/(?:{_NAMES})\]"),
    (rf"◁(?:{_NAMES})▷", rf"◁/(?:{_NAMES})▷"),
    (r"<\|(?:begin_of_thought|start_thinking|inner_prefix)\|>", r"<\|(?:end_of_thought|end_thinking|inner_suffix)\|>"),
    (rf"<\|(?:{_NAMES})\|>", rf"<\|/(?:{_NAMES})\|>|</\|(?:{_NAMES})\|>"),
    (r"<\|channel>\s*(?:thought|analysis)", r"<channel\|>"),
    (
        r"(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*(?:analysis|commentary)[^<]{0,80}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>",
        r"<\|(?:end|call|return)\|>|(?=<\|start\|>)|(?=<\|channel\|>)",
    ),
    (r"\A\s*analysis(?=[A-Z])", r"assistant\s?final(?=\S)"),
    (r"\A\s*Thinking\.\.\.\s*\n", r"\.\.\.done thinking\."),
    (r"\A\s*Here is my thought process:", r"Here is my response:"),
)
_CLOSERS = tuple(close for _, close in _PAIRS[:5])
"""Those that are seen without the opening one."""
_WRAPPERS = (
    r"</?(?:answer|response|final|final_answer)\s*>|<\|(?:begin|end)_of_solution\|>|<\|(?:start|end)_response\|>"
    r"|(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*final\s*(?:<\|constrain\|>[^<]{0,40})?<\|message\|>"
)
"""What stands around the answer itself."""
_FLAGS = re.IGNORECASE
_OPENERS = tuple((re.compile(opening, _FLAGS), re.compile(close, _FLAGS)) for opening, close in _PAIRS)
_UNOPENED = re.compile("|".join(_CLOSERS), _FLAGS)
_WRAPPER = re.compile(_WRAPPERS, _FLAGS)
_BEGUN = re.compile(r"(?:<(?![\s=\d])[^<>\n]{0,90}|\[[a-z/_]{0,18}|◁[^▷]{0,20}|<\|[^\n]{0,120})\Z", _FLAGS)
"""At the end of what has come: perhaps the beginning of a marker."""
_PREFACES = ("analysis", "Thinking...", "Here is my thought process:")
LONGEST_MARKER = 130
"""Characters that are kept of reasoning, since its closing marker may have begun in them."""

MUSING = re.compile(
    r"\bthe user(?:'s)?\b|\buser (?:is|wants|asks|asked|says|said)\b"
    r"|\bI (?:need|have|ought) to (?:answer|respond|reply|think|figure|come up|keep)\b"
    r"|\bI should (?:answer|respond|reply|keep)\b"
    r"|\blet(?:'s| me| us) (?:think|break (?:this|it) down|figure|analy[sz]e)\b"
    r"|\bthey(?:'re| are) asking\b|\bwe (?:need|have) to (?:answer|respond|reply|produce)\b",
    re.IGNORECASE,
)
"""How models begin to think that leave out the opening marker."""


class Reasoning:
    """Feeds on a model's text and gives its answer."""

    def __init__(self) -> None:
        self._pending = ""
        self._close: re.Pattern[str] | None = None
        self._begun = False
        self.thought = ""
        """The beginning of what was left out, for a warning where there is nothing else."""
        self.unopened = False
        """Whether a closing marker came without an opening one: all that was given before it was reasoning too."""

    def feed(self, text: str) -> str:
        """Returns what belongs to the answer."""
        self._pending += text
        given = ""
        while True:
            if self._close is not None:
                if not self._skip():
                    return given
                continue
            found = self._next()
            if found is None:
                ready = len(self._pending) - self._held_back()
                given += self._give(ready)
                return given
            match, close = found
            before = self._give(match.start())
            self._pending = self._pending[match.end() - match.start() :]
            if close is _UNOPENED:
                self.unopened = True
                self._note(given + before)
                given, self._begun = "", False
                self._pending = self._pending.lstrip()
            else:
                given += before
                self._close = close

    def finish(self) -> str:
        """Returns the rest once the model has ended; reasoning that was never closed is none of it."""
        rest = "" if self._close is not None else self._give(len(self._pending))
        if self._close is not None:
            self._note(self._pending)
        self._pending = ""
        return rest

    def _skip(self) -> bool:
        assert self._close is not None
        match = self._close.search(self._pending)
        if match is None:
            keep = max(0, len(self._pending) - LONGEST_MARKER)
            self._note(self._pending[:keep])
            self._pending = self._pending[keep:]
            return False
        self._note(self._pending[: match.start()])
        self._pending = self._pending[match.end() :]
        if not self._begun:
            self._pending = self._pending.lstrip()
        self._close = None
        return True

    def _next(self) -> tuple[re.Match[str], re.Pattern[str] | None] | None:
        candidates: list[tuple[re.Match[str], re.Pattern[str] | None]] = []
        for opening, close in _OPENERS:
            if opening.pattern.startswith(r"\A") and self._begun:
                continue
            if match := opening.search(self._pending):
                candidates.append((match, close))
        if match := _UNOPENED.search(self._pending):
            candidates.append((match, _UNOPENED))
        if match := _WRAPPER.search(self._pending):
            candidates.append((match, None))
        return min(candidates, key=lambda found: found[0].start(), default=None)

    def _held_back(self) -> int:
        match = _BEGUN.search(self._pending)
        if match is not None:
            return len(match[0])
        start = self._pending.lstrip()
        if not self._begun and (any(preface.startswith(start) for preface in _PREFACES)):
            return len(self._pending)
        return 0

    def _give(self, count: int) -> str:
        text, self._pending = self._pending[:count], self._pending[count:]
        self._begun = self._begun or bool(text.strip())
        return text

    def _note(self, text: str) -> None:
        if len(self.thought) < LONGEST_MARKER:
            self.thought = f"{self.thought} {text}".strip()[:LONGEST_MARKER]
