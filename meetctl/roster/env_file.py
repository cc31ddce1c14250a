"""An `env_file` as a mapping: `KEY=VALUE` lines, quotes, comments, `export`. Never touches the own environment."""

from __future__ import annotations

import re

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class EnvFileError(ValueError):
    """A line that sets no variable."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def parse_env_file(text: str) -> dict[str, str]:
    """Returns the variables of the file; a later line wins.

    Raises:
        EnvFileError: with the number of the first line that cannot be read; its text is not repeated, it may be a key.
    """
    found: dict[str, str] = {}
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise EnvFileError(number, "is not NAME=VALUE")
        found[match[1]] = _value(match[2], number)
    return found


def _value(text: str, number: int) -> str:
    if text[:1] == "'":
        end = text.find("'", 1)
    elif text[:1] == '"':
        end = next((m.start() for m in re.finditer(r'\\.|"', text[1:]) if m.group() == '"'), -2) + 1
    else:
        return re.split(r"\s#|^#", text, maxsplit=1)[0].rstrip()
    rest = text[end + 1 :].strip()
    if end < 1:
        raise EnvFileError(number, "opens a quote and does not close it")
    if rest and not rest.startswith("#"):
        raise EnvFileError(number, "goes on after the closing quote")
    if text[0] == "'":
        return text[1:end]
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), text[1:end])
