"""What of a language model's stream the agent really says: its own words only. Pure; no I/O.

Small models play the whole meeting: they begin with a name and a colon, and go on with what the others answer. The
filter takes the prefix away and stops where somebody else would begin, without holding up ordinary text. A colon
within a sentence, and a label of the agent's own ("Monday: design."), belong to what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .clauses import index_of_width, sentence_ends, width
from .filter import TextFilter

LONGEST_TURN = 280
"""Letters (a Chinese character counts for three), some twenty seconds of speech; the turn ends with the sentence.
Small models would go on for ever, and everybody else's model then has to read it: 7 ms a token before a first word."""
LONGEST_SENTENCE = 160
"""Letters that a sentence may run beyond `LONGEST_TURN` before it is cut at a word."""
LONGEST_NAME = 48
"""Characters that are held back at the beginning of a sentence, in case a name and a colon follow."""

ROLES = ("assistant", "user", "system", "human", "ai")
"""How chat templates name the roles; small models write them out now and then."""
END_OF_TURN = re.compile(
    r"<\|(?:im_end|im_start|eot_id|eom_id|endoftext|end_of_text|end|return|call|user|system)\|>|</s>|<end_of_turn>"
    r"|<start_of_turn>|<eos>|\[/?INST\]|<｜(?:end▁of▁sentence|User)｜>",
    re.IGNORECASE,
)
"""What templates end a turn with, where a server writes it as text."""
BEGIN_OF_TURN = re.compile(
    r"(?:<\|(?:im_start|start_header_id|begin_of_text|assistant|start|message)\|>|<s>|<bos>|\[/INST\]"
    r"|<start_of_turn>|<｜Assistant｜>)\s*",
    re.IGNORECASE,
)
_ROLE_LINE = re.compile(r"(?:assistant|model)\s*(?:<\|(?:end_header_id|message)\|>|\n)\s*", re.IGNORECASE)
_ROLE_BEGUN = re.compile(r"(?:assistant|model)\s*(?:<[\w|]*)?", re.IGNORECASE)
_MARKS = r"[\"'*_“”\[(<]{0,3}"
_AFTER_NAME = r"(?:[ \t]?\([^()\n]{1,40}\))?[\"'*_“”\])>]{0,3}[ \t]?[:：]"
_STRANGER = re.compile(rf"[ \t]*{_MARKS}[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*)?{_AFTER_NAME}")
_BOUNDARY = re.compile(r"\n\s*|(?<=[.!?…])[\"')\]”’*]*[ \t]+|(?<=[。！？])")
"""Where somebody else may begin: a new line, or a new sentence."""
_BEGUN_TAG = re.compile(r"(?:<[|｜/]?[\w▁]{0,20}[|｜]?|\[/?[A-Z]{0,4})\Z")


class OutputFilter(TextFilter):
    """Feeds on the model's text and gives what is to be spoken; `done` once nothing more will come."""

    def __init__(self, names: Iterable[str], own: str = "") -> None:
        """
        Args:
            names: of everybody who takes part, as a model may write them before a colon.
            own: this agent's name.
        """
        known = sorted({" ".join(name.split()) for name in (*names, own) if name.strip()}, key=len, reverse=True)
        self._own = own.casefold()
        self._names = tuple(name.casefold() for name in (*known, *ROLES))
        self._label = re.compile(
            rf"[ \t]*{_MARKS}(?P<name>{'|'.join(map(re.escape, (*known, *ROLES)))}){_AFTER_NAME}", re.IGNORECASE
        )
        self._own_start = re.compile(rf"{_MARKS}{re.escape(own)}[*_]{{0,3}}\s*,\s+(?=\S)") if own else None
        super().__init__()
        self._context = ""
        """The last characters that were given."""
        self._is_boundary = True
        """Whether what is pending begins a line or a sentence."""
        self._said = 0
        self._marks_due = ""
        """Emphasis that was opened before a name and is closed after its colon."""
        self._is_tagged = False
        """Whether it began with a template's mark, which a role may follow."""
        self._is_script = False
        """Whether it began with a name and a colon: then labels that nobody knows are other people's too."""
        self._is_list = False
        """Whether it announced a list ("My plan:"): the labels in it are its own."""
        self.done = False

    def finish(self) -> str:
        """Returns the rest once the model has ended."""
        text = super().finish()
        self.done = True
        return text.rstrip()

    def _take(self, *, ended: bool) -> str:
        given = ""
        while not self.done and self._pending:
            if match := END_OF_TURN.match(self._pending):
                if self._said or not BEGIN_OF_TURN.match(self._pending):
                    self.done = True
                    break
            if self._is_boundary and not self._pass_boundary(ended=ended):
                break
            count = self._until_next_boundary()
            held = 0 if ended or not (match := _BEGUN_TAG.search(self._pending[:count])) else len(match[0])
            if not self._is_boundary:
                count -= held
            if end := END_OF_TURN.search(self._pending[:count]):
                count = end.start()
            if not count and not end:
                break
            given += self._give(count)
            if end:
                self.done = True
            if not self._is_boundary and not ended and held:
                break
        return given.rstrip() if self.done else given

    def _pass_boundary(self, *, ended: bool) -> bool:
        """Looks at the beginning of a line or sentence; returns whether it is known whose it is."""
        if not self._said:
            self._pending = self._pending.lstrip()
        if self._marks_due:
            if self._pending.startswith(self._marks_due):
                self._pending, self._marks_due = self._pending[len(self._marks_due) :].lstrip(), ""
            elif not ended and self._marks_due.startswith(self._pending):
                return False
        match = None
        if not self._said and (match := BEGIN_OF_TURN.match(self._pending)):
            self._is_tagged = True
        elif self._is_tagged and not self._said:
            match = _ROLE_LINE.match(self._pending)
            begun = self._pending.casefold()
            is_begun = "assistant".startswith(begun) or "model".startswith(begun) or _ROLE_BEGUN.fullmatch(begun)
            if match is None and not ended and is_begun:
                return False
        if match:
            self._pending = self._pending[match.end() :]
            return self._pass_boundary(ended=ended) if self._pending else False
        if match := self._label.match(self._pending):
            return self._pass_label(match, ended=ended)
        if self._is_script and self._is_line and self._said and _STRANGER.match(self._pending):
            self.done = True
            return False
        if not ended and self._may_become_label():
            return False
        if not self._said and self._own_start is not None and (match := self._own_start.match(self._pending)):
            rest = self._pending[match.end() :]
            self._pending = rest[:1].upper() + rest[1:]
        self._is_boundary = False
        return bool(self._pending)

    def _pass_label(self, match: re.Match[str], *, ended: bool) -> bool:
        name = match["name"].casefold()
        if self._is_list and self._is_line:
            self._is_boundary = False
            return True
        is_role = name in ROLES
        if self._said and is_role and not self._is_line:
            self._is_boundary = False
            return True
        if self._said and name != self._own:
            self.done = True
            return False
        if not self._said:
            self._is_script = True
        if (opened := re.search(r"[*_]{1,3}", match[0])) and not match[0].rstrip(": ：").endswith(opened[0]):
            self._marks_due = opened[0]
        self._pending = self._pending[match.end() :].lstrip()
        return self._pass_boundary(ended=ended) if self._pending else False

    @property
    def _is_line(self) -> bool:
        return not self._context.strip() or "\n" in self._context[len(self._context.rstrip()) :]

    def _may_become_label(self) -> bool:
        """Whether what is pending may yet turn out to be somebody's name and a colon, or a mark of the template."""
        if len(self._pending) > LONGEST_NAME:
            return False
        if not self._pending.strip() or _BEGUN_TAG.fullmatch(self._pending):
            return True
        begun = re.sub(r"\A[ \t]*[\"'*_“”\[(<]{0,3}", "", self._pending).casefold()
        if any(name.startswith(begun) for name in self._names):
            return True
        for name in self._names:
            if begun.startswith(name) and re.fullmatch(
                r"[*_\"'”\])>]{0,3}[ \t]?(?:\([^()\n]{0,40}\)?)?\s?", begun[len(name) :]
            ):
                return True
        if not self._said and self._own and re.fullmatch(rf"{re.escape(self._own)}[*_]{{0,3}}\s*,\s*", begun):
            return True
        return (
            self._is_script
            and self._is_line
            and bool(re.fullmatch(r"[a-z][\w.'’-]*(?: (?:[a-z][\w.'’-]*)?)?[*_]{0,3} ?", begun))
        )

    def _until_next_boundary(self) -> int:
        """Returns how many characters can be given before the next look; the boundary itself is among them."""
        if self._is_boundary:
            return 0
        offset = len(self._context)
        text = self._context + self._pending
        for match in _BOUNDARY.finditer(text):
            if match.end() > offset and (match.end() > match.start() or match.start() > offset):
                self._is_boundary = True
                before = text[: match.start()].rstrip()
                self._is_list = self._is_list or ("\n" in match[0] and before.endswith((":", "：")))
                return match.end() - offset
        return len(self._pending)

    def _give(self, count: int) -> str:
        text, self._pending = self._pending[:count], self._pending[count:]
        over = self._said + width(text) - LONGEST_TURN
        if over > 0:
            text = self._bounded(text, over)
        self._said += width(text)
        self._context = (self._context + text)[-LONGEST_NAME:]
        return text

    def _bounded(self, text: str, over: int) -> str:
        fitting = index_of_width(text, max(1, LONGEST_TURN - self._said)) if self._said < LONGEST_TURN else 0
        before = len(self._context)
        end = next(sentence_ends(f"{self._context}{text} ", before + max(0, fitting - 1)), None)
        if end is not None:
            self.done = True
            return text[: end - before]
        if over > LONGEST_SENTENCE:
            self.done = True
            longest = index_of_width(text, max(1, LONGEST_TURN + LONGEST_SENTENCE - self._said))
            blank = text.rfind(" ", 0, longest)
            return text[:blank] if blank > 0 else text[:longest]
        return text
