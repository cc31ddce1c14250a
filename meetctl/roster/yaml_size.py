"""How large a YAML document is once its aliases are written out, found without writing them out. Makes no values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from meetctl.roster.faults import KeyPath


@dataclass(slots=True)
class Sizes:
    """Characters and nodes of what each node unfolds to, counted once however often aliases name it."""

    known: dict[int, int] = field(default_factory=dict)

    def of(self, node: yaml.Node) -> int:
        """Returns a node's size; one inside itself, which has none, counts nothing there."""
        if id(node) not in self.known:
            self.known[id(node)] = 0
            own = len(node.value) if isinstance(node, yaml.ScalarNode) else 0
            self.known[id(node)] = 1 + own + sum(self.of(part) for _, part in _parts(node))
        return self.known[id(node)]

    def first_above(self, limit: int, node: yaml.Node, path: KeyPath = ()) -> tuple[KeyPath, int] | None:
        """Returns the path and line of the innermost node that is larger, None where none is."""
        if self.of(node) <= limit:
            return None
        for key, part in _parts(node):
            if found := self.first_above(limit, part, (*path, key)):
                return found
        return path, node.start_mark.line + 1


def _parts(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, part in node.value:
            yield key.value if isinstance(key, yaml.ScalarNode) else "", part
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)
