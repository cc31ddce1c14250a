"""Several are meant together, or somebody whom only family calls so. Pure."""

from __future__ import annotations

import re

from .line import ExaminedLine
from .view import Decision


def to_kin(line: ExaminedLine) -> Decision | None:
    """ "Mum, did you take them?": to a person, whom only family calls so."""
    if line.alone:
        return None
    for part in re.split(r"[,.?!]", line.text):
        rest = part.strip()
        opening = line.spoken.openers.match(rest)
        for start in (0, opening.end() if opening else 0):
            if line.spoken.kin.fullmatch(rest[start:]):
                others = tuple(identity for identity in line.people if identity != line.view.speaker)
                return Decision("family", (), others, others)
    return None


def everybody(line: ExaminedLine) -> Decision | None:
    """All agents, or two of them."""
    if line.spoken.both.search(line.plain):
        return _two(line)
    if line.spoken.everybody_mentioned.search(line.plain) or not line.spoken.everybody.search(line.plain):
        return None
    return Decision("everybody", line.whole(), (), line.whole())


def _two(line: ExaminedLine) -> Decision | None:
    """The two that spoke last, where they are agents; people may be meant as well."""
    recent = _spoke_before(line)[:2]
    agents = [identity for identity in recent if identity in line.agents]
    if len(recent) == 2 and not agents:
        return Decision("both", (), tuple(recent), tuple(recent))
    if len(recent) == 2 and len(agents) == 1 and len(line.agents) != 2:
        return Decision("both", tuple(agents), (), tuple(recent))
    if len(line.agents) == 2:
        two = line.whole()
    elif len(agents) == 2:
        two = tuple(identity for identity in line.agents if identity in agents)
    elif len(line.thread.agents) >= 2:
        two = tuple(identity for identity in line.agents if identity in line.thread.agents[-2:])
    else:
        two = line.whole()[:2] if line.alone else ()
    return Decision("both", two, (), two) if two else None


def _spoke_before(line: ExaminedLine) -> list[str]:
    """Returns who spoke before, the last one first, without the speaker."""
    return list(dict.fromkeys(one.identity for one in reversed(line.view.heard) if one.identity != line.view.speaker))
