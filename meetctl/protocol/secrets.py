"""The forms in which a secret may turn up in a text: whole, a line of it, or as encoders write it. Pure; no I/O."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6
"""Characters: a shorter value (an `x` for a server that wants any key) would black out ordinary words."""
SHORTEST_LINE = 8
"""Characters of one line of a longer secret, which may be a word of its own."""


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
