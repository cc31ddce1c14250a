"""Keeps secrets out of texts, in every form in which one may turn up: whole, a line of it, or as encoders write it.

Pure; no I/O. Whoever shows, logs or reports anything masks it by this.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6
"""Characters: a shorter value (an `x` for a server that wants any key) would black out ordinary words."""
SHORTEST_LINE = 8
"""Characters of one line of a longer secret, which may be a word of its own."""


MASK = "•••"
"""What stands in a secret's place."""
SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|DSN|AUTH", re.IGNORECASE)
"""Of a variable whose value is one."""
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
"""A JSON web token. Each start of an agent mints one: known by its form, it needs not be remembered for ever."""


class Masker:
    """Replaces every known secret in a text, in whatever form, and every access token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learns further secrets; the longest are replaced first, since one may contain another."""
        known = {*self._forms, *(form for secret in secrets for form in secret_forms(secret))}
        self._forms = sorted(known, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        text = masked(text, self._forms)
        return _TOKEN.sub(MASK, text) if "eyJ" in text else text


def masked(text: str, forms: Iterable[str]) -> str:
    """Returns the text with each of these replaced; the longest come first, since one may contain another."""
    for form in forms:
        if form in text:
            text = text.replace(form, MASK)
    return text


def secret_forms(secret: str) -> frozenset[str]:
    """Returns every form that must not be shown; none for what is too short to be a secret.

    Logs are masked line by line, so each line of a secret of several (a private key) is a form of its own; the frame
    of such a key ("-----BEGIN …") says nothing and stays.
    """
    if len(secret) < SHORTEST_SECRET:
        return frozenset()
    lines = [line.strip() for line in secret.splitlines()] if "\n" in secret.strip() else []
    whole = {secret, *(line for line in lines if len(line) >= SHORTEST_LINE and not line.startswith("-----"))}
    forms = {form for part in whole for form in _encoded(part)}
    return frozenset(form for form in forms if len(form) >= SHORTEST_SECRET)


def _encoded(text: str) -> set[str]:
    raw = text.encode("utf-8", "surrogatepass")
    forms = {
        text,
        text.strip(),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        quote(text, safe="", errors="replace"),
        quote(text, errors="replace"),
        quote_plus(text, errors="replace"),
        html.escape(text),
        raw.hex(),
    }
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        forms.add(encoded.decode().rstrip("="))
    return forms
