"""Names for rooms and what a room's name may be. Pure: the chance comes in."""

from __future__ import annotations

import random
import re

ROOM_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Safe in file names, URLs and socket paths; `.` and `..` are refused apart."""

_ADJECTIVES = (
    *("amber", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cosy", "crisp", "eager", "early"),
    *("fair", "fresh", "gentle", "glad", "golden", "happy", "honest", "jolly", "keen", "kind", "light", "lively"),
    *("lucky", "mellow", "merry", "neat", "noble", "quick", "quiet", "rapid", "sharp", "silver", "sunny", "warm"),
)
_NOUNS = (
    *("anchor", "aspen", "badger", "beacon", "birch", "bridge", "brook", "canyon", "cedar", "comet", "coral", "crane"),
    *("dune", "falcon", "fern", "field", "finch", "forest", "harbor", "hazel", "heron", "island", "lagoon", "lark"),
    *("maple", "meadow", "otter", "pine", "pond", "river", "robin", "summit", "valley", "willow", "wren", "yarrow"),
)


def readable_room(chance: random.Random) -> str:
    """Returns a name that can be said aloud: `calm-otter-42`."""
    return f"{chance.choice(_ADJECTIVES)}-{chance.choice(_NOUNS)}-{chance.randrange(10, 100)}"


def is_room_name(name: str) -> bool:
    """Returns whether the name may name a room."""
    return ROOM_NAME.fullmatch(name) is not None and name.strip(".") != ""
