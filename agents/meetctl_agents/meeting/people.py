"""What the people in the room are called: each by a name that is nobody else's, whoever made their tokens. Pure.

Agents, captions and the transcript use these names: a participant that joined as "Ada" beside the agent Ada is
"Ada (guest)" for all of them.
"""

from __future__ import annotations

from meetctl.protocol.names import MAX_NAME_CHARACTERS, RESERVED_NAMES, clean_name, free_name, reads_as

NAMELESS = "Guest"
MOST_GONE = 100
"""Of those who have left, whose last words may still be on their way."""


class People:
    """Names the people by identity, in the order they came."""

    def __init__(self) -> None:
        self._here: dict[str, str] = {}
        self._gone: dict[str, str] = {}
        self._agents: tuple[str, ...] = ()

    @property
    def here(self) -> tuple[str, ...]:
        """The names of those who are in the room."""
        return tuple(self._here.values())

    @property
    def names(self) -> dict[str, str]:
        """The same by identity."""
        return dict(self._here)

    def reserve(self, agents: tuple[str, ...]) -> None:
        """Keeps these names for agents; a person who has one of them already is called otherwise from now on."""
        self._agents = agents
        for identity, name in self._here.items():
            if reads_as(name) in {reads_as(agent) for agent in agents}:
                self._here[identity] = self._free(name, identity)

    def come(self, identity: str, name: str) -> str:
        """Returns what the person is called from now on; `name` is what the token says."""
        if identity not in self._here:
            self._gone.pop(identity, None)
            self._here[identity] = self._free(_presentable(name) or _presentable(identity) or NAMELESS, identity)
        return self._here[identity]

    def leave(self, identity: str) -> None:
        """Frees the name, which is remembered for what the person said last."""
        name = self._here.pop(identity, None)
        if name is not None:
            self._gone[identity] = name
            while len(self._gone) > MOST_GONE:
                del self._gone[next(iter(self._gone))]

    def name_of(self, identity: str, name: str) -> str:
        """Returns what the person is, or was, called; of somebody who was never seen, what the token's name allows."""
        known = self._here.get(identity) or self._gone.get(identity)
        return known or self._free(_presentable(name) or NAMELESS, identity)

    def _free(self, name: str, identity: str) -> str:
        others = (other for who, other in self._here.items() if who != identity)
        return free_name(name, others, (*self._agents, *RESERVED_NAMES))


def _presentable(name: str) -> str:
    return clean_name(name[:MAX_NAME_CHARACTERS]) or ""
