"""A YAML file as plain values, each with the line it stands on and its variables filled in. Knows no schema.

YAML 1.2's core types only (https://yaml.org/spec/1.2.2/#103-core-schema): `no`, `off` and `1:30` are texts, as their
writers meant them. Aliases and merge keys (`<<`) work; what they may unfold to is bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from meetctl.roster.faults import Fault, KeyPath, RosterFaults, nearest
from meetctl.roster.interpolation import InterpolationError, interpolate
from meetctl.roster.streams import base_of, read_bytes
from meetctl.roster.yaml_size import Sizes

MAX_BYTES = 1_000_000
"""The largest sensible roster is a few kilobytes; more is the wrong file."""
MAX_UNFOLDED = 4_000_000
"""Characters and nodes after aliases; bounds a file whose aliases multiply."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_TAG = "tag:yaml.org,2002:"
_EXAMPLE = "start with:\n  agents:\n    - name: Ada\n      agent: audio"


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """Where a value stands and how it was written."""

    line: int
    written: str
    """As in the file, variables not filled in; empty for lists and mappings."""


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file."""

    file: Path
    value: object
    """Mappings, lists, texts, numbers, booleans, None."""
    places: Mapping[KeyPath, SourceSpan]
    faults: tuple[Fault, ...]
    """Duplicate keys, foreign tags, unset variables."""

    @property
    def base(self) -> Path:
        """The folder that relative paths in it count from."""
        return base_of(self.file)

    def place(self, path: KeyPath) -> SourceSpan:
        """Returns the place of the value, or of the nearest thing around it that is in the file."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path]


class _CoreLoader(yaml.SafeLoader):
    # Emptied, for the parent's would be added to, not replaced.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _CoreLoader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), list(_first))
_CoreLoader.yaml_implicit_resolvers.setdefault("", []).append((_TAG + "null", re.compile("^$")))


def load_document(file: Path, environment: Mapping[str, str] | None) -> Document:
    """Returns the file's document; what is wrong inside single values is in `faults`.

    Without an environment texts stay as they are written: a `$` in them is a `$`.

    Raises:
        RosterFaults: where there is no document: no such file, not UTF-8, not YAML, empty, too large.
    """
    text = _as_yaml(_read(file))
    try:
        node = yaml.compose(text, Loader=_CoreLoader)
        if node is None:
            raise RosterFaults(file, [Fault(None, (), "the file is empty", _EXAMPLE)])
        unfolding = _Unfolding(file, environment)
        if above := Sizes().first_above(MAX_UNFOLDED, node):
            raise unfolding.endless(*above)
        value = unfolding.unfold(node, ())
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(file, text, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"not YAML: the character {chr(int(error.character))!r} is not allowed"
        raise RosterFaults(file, [Fault(line, (), message, "remove it")]) from None
    except (ValueError, OverflowError):  # the scanner's own, at an escape beyond Unicode
        hint = r"write \UXXXXXXXX up to \U0010FFFF"
        raise RosterFaults(file, [Fault(None, (), "not YAML: an escape names no character", hint)]) from None
    except RecursionError:
        raise RosterFaults(file, [Fault(None, (), "nested too deeply", "a roster has five levels")]) from None
    return Document(file, value, unfolding.places, tuple(unfolding.faults))


def _read(file: Path) -> str:
    try:
        data = read_bytes(file, MAX_BYTES + 1)
    except FileNotFoundError:
        beside = [str(other) for other in file.parent.glob("*.y*ml")]
        like = nearest(str(file), beside)
        hint = f"did you mean {like}?" if like else f"look for it: ls {file.parent}"
        raise RosterFaults(file, [Fault(None, (), "no such file", hint)]) from None
    except IsADirectoryError:
        inside = sorted(str(other) for other in file.glob("*.y*ml"))
        hint = f"name a file in it: {inside[0]}" if inside else "name a YAML file"
        raise RosterFaults(file, [Fault(None, (), "is a directory, not a file", hint)]) from None
    except OSError as error:
        raise RosterFaults(file, [Fault(None, (), f"cannot be read: {error.strerror}", f"ls -l {file}")]) from None
    except ValueError:
        raise RosterFaults(file, [Fault(None, (), "no file can have this name", "name the roster file")]) from None
    if len(data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES} bytes, so hardly a roster"
        raise RosterFaults(file, [Fault(None, (), message, "name the roster file")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RosterFaults(file, [Fault(line, (), "not UTF-8 text", "save the file as UTF-8")]) from None


def _as_yaml(text: str) -> str:
    """Returns JSON in the form that YAML 1.1's scanner takes it for: it knows no tabs between values, and breaks lines
    at characters that JSON knows as letters. Everything keeps its line."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    # Within the texts of valid JSON there are no raw tabs, and what is replaced stands nowhere else.
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\t", " "))


def _whole(text: str) -> str:
    """Returns the text with surrogate pairs, as JSON escapes what is beyond 16 bits, put together."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _syntax_fault(file: Path, text: str, error: yaml.MarkedYAMLError) -> RosterFaults:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    column = mark.column + 1 if mark else None
    problem = error.problem or "syntax error"
    if "single document" in (error.context or ""):
        return RosterFaults(file, [Fault(line, (), "holds more than one document", "remove the line ---")])
    lines = text.splitlines()
    around = "\n".join(lines[max(0, (line or 1) - 2) : line])
    if "\\t" in problem:
        hint = "indent with spaces, not tabs"
    elif re.search(r"[{\[,:]\s*\$\{", around):
        hint = 'inside { } and [ ] put quotes around it: "${NAME}"'
    else:
        hint = "check the indentation, and put quotes around texts that hold : or #"
    return RosterFaults(file, [Fault(line, (), f"not YAML: {problem}", hint, column=column)])


def part_of(document: Document, key: str) -> Document:
    """Returns the value at a top-level key as a document of its own, on the lines where it stands."""
    assert isinstance(document.value, dict)
    places = {path[1:]: place for path, place in document.places.items() if path[:1] == (key,)}
    faults = (replace(fault, path=fault.path[1:]) for fault in document.faults if fault.path[:1] == (key,))
    return Document(document.file, document.value[key], places, tuple(faults))


@dataclass(slots=True)
class _Unfolding:
    """Turns nodes into values, noting places and faults on the way."""

    file: Path
    environment: Mapping[str, str] | None
    places: dict[KeyPath, SourceSpan] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    spent: int = 0
    open_nodes: list[int] = field(default_factory=list)

    def unfold(self, node: yaml.Node, path: KeyPath, line: int | None = None) -> object:
        line = line or node.start_mark.line + 1
        written = node.value if isinstance(node, yaml.ScalarNode) else ""
        self.spent += 1 + len(written)
        if self.spent > MAX_UNFOLDED or id(node) in self.open_nodes:
            raise self.endless(path, line)
        self.places[path] = SourceSpan(line, written)
        self.open_nodes.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.unfold(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path, line)
        finally:
            self.open_nodes.pop()

    def endless(self, path: KeyPath, line: int) -> RosterFaults:
        """Returns what is to be raised of aliases that would unfold to too much."""
        message = "its aliases (*name) unfold without end"
        return RosterFaults(self.file, [Fault(line, path, message, "write the values out")])

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        value: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key, item in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.value = _whole(key.value)
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or not key.tag.startswith(_TAG):
                self.faults.append(Fault(line, path, "a key must be a word", 'put quotes around it: "…":'))
            elif key.value == "<<" and key.style is None:
                merged = self._merged(item, path, line) | merged
            elif key.value in value:
                first = self.places[*path, key.value].line
                message = f"the key is there twice, first on line {first}"
                self.faults.append(Fault(line, (*path, key.value), message, "remove one of them"))
            else:
                value[key.value] = self.unfold(item, (*path, key.value), line)
        return merged | value

    def _merged(self, node: yaml.Node, path: KeyPath, line: int) -> dict[str, object]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, object] = {}
        for source in reversed(sources):  # the first named wins
            before = dict(self.places)
            value = self.unfold(source, path)
            if not isinstance(value, dict):
                self.faults.append(Fault(line, path, "<< needs a mapping", "write <<: *name"))
            else:
                merged |= value
            self.places |= before  # the mapping's own places win over those of what it takes in
        return merged

    def _scalar(self, node: yaml.Node, path: KeyPath, line: int) -> object:
        text = _whole(node.value)
        kind = node.tag.removeprefix(_TAG)
        # The values of `env` and `command` are texts, whatever they look like: `PORT: 8080`.
        if path[-2:-1] in (("env",), ("command",)) and kind in ("int", "float", "bool"):
            return text
        match kind:
            case "str":
                return self._filled(text, path, line)
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float":
                try:
                    return _number(text)
                except ValueError:
                    self.faults.append(Fault(line, path, "not a number that can be used", "write a smaller one"))
            case _:
                message = f"the tag {node.tag.replace(_TAG, '!!')} is not understood"
                self.faults.append(Fault(line, path, message, "remove the tag"))
        return text

    def _filled(self, text: str, path: KeyPath, line: int) -> str:
        try:
            filled = text if self.environment is None or "$" not in text else interpolate(text, self.environment)
            filled.encode()
            return filled
        except UnicodeEncodeError:
            self.faults.append(Fault(line, path, "holds half a character (a lone surrogate)", "write it as UTF-8"))
            return text
        except InterpolationError as error:
            self.faults += [Fault(line, path, item.message, item.hint, around=item.unset) for item in error.problems]
            return text


def _number(text: str) -> int | float:
    try:
        if text.startswith(("0x", "0o")):
            return int(text, 0)
        return int(text)
    except ValueError:
        return float(text)
