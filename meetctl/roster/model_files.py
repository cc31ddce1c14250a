"""Looks whether a file that a roster names is a model that can be served: a chat model as GGUF, a whisper directory.

Reads a file's head only; what it says is compared with how long the file is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from meetctl.roster.faults import FileTrouble

MAGIC = b"GGUF"
TEMPLATE = "tokenizer.chat_template"
ALIGNMENT = "general.alignment"
SHOWN_BYTES = 24
EARS = ("config.json", "model.bin")
"""What a directory of CTranslate2 has whatever the model; its words are in one of several files."""

_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_LONGEST = 1 << 27
"""Bytes of one text, or items of one list: whatever says more is no head."""


class _NoHead(Exception):
    """What was read cannot be a head; says why."""


def is_path(model: str) -> bool:
    """Returns whether what stands for a local model is a file's path and not a name."""
    return "/" in model or model.endswith(".gguf") or model in (".", "..") or model.startswith("~")


def trouble_with_chat(path: Path) -> FileTrouble | None:
    """Returns why the file is no chat model, None where nothing speaks against it."""
    download = "name a GGUF file of a chat or instruct model, downloaded whole"
    try:
        size = path.stat().st_size
        if path.is_dir():
            return FileTrouble(f"{path} is a directory, not a GGUF file", "name the .gguf file in it")
        with path.open("rb") as file:
            begin = file.read(SHOWN_BYTES)
            if not begin.startswith(MAGIC):
                shown = f"it begins with {begin.decode('ascii', 'replace')!r}" if begin else "it is empty"
                return FileTrouble(f"{path} is no GGUF file: {shown}", download)
            file.seek(0)
            head = _read_head(file)
    except FileNotFoundError:
        return FileTrouble(f"no such file: {path}", "a path is relative to the roster")
    except OSError as error:
        return FileTrouble(f"{path} cannot be read: {error.strerror}", f"ls -l {path}")
    except _NoHead as error:
        return FileTrouble(f"{path} is a broken GGUF file: {error}", "download it again")
    if size < head.least_size:
        message = f"{path} is cut off: {size} bytes, and its own head tells of {head.least_size} or more"
        return FileTrouble(message, "download it again")
    if not head.has_template:
        return FileTrouble(f"{path} has no chat template: a base model goes on writing, it does not answer", download)
    return None


def trouble_with_ears(path: Path) -> FileTrouble | None:
    """Returns why the directory is no whisper model for faster-whisper, None where nothing speaks against it."""
    hint = "name a directory with model.bin, config.json and tokenizer.json, as faster-whisper's models have them"
    if not path.is_dir():
        return FileTrouble(f"{path} is a file" if path.exists() else f"no such directory: {path}", hint)
    lacking = [name for name in EARS if not (path / name).is_file()]
    return FileTrouble(f"{path} has no {' and no '.join(lacking)}", hint) if lacking else None


@dataclass(frozen=True, slots=True)
class _Head:
    has_template: bool
    least_size: int


def _read_head(file: BinaryIO) -> _Head:
    file.seek(len(MAGIC))
    version, tensors, pairs = _numbers(file, "<IQQ")
    if not 2 <= version <= 3 or tensors > _LONGEST or pairs > _LONGEST:
        raise _NoHead(f"version {version} with {tensors} tensors")
    has_template, alignment = False, 32
    for _ in range(pairs):
        key = _text(file)
        (kind,) = _numbers(file, "<I")
        value = _value(file, kind)
        if key == TEMPLATE.encode():
            has_template = bool(value)
        elif key == ALIGNMENT.encode() and isinstance(value, int) and value > 0:
            alignment = value
    furthest = 0
    for _ in range(tensors):
        _text(file)
        (dimensions,) = _numbers(file, "<I")
        if dimensions > 8:
            raise _NoHead(f"a tensor of {dimensions} dimensions")
        *_, offset = _numbers(file, f"<{dimensions}QIQ")
        furthest = max(furthest, offset)
    begin = -(-file.tell() // alignment) * alignment
    return _Head(has_template, begin + furthest + 1 if tensors else file.tell())


def _value(file: BinaryIO, kind: int) -> object:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, count = _numbers(file, "<IQ")
        if count > _LONGEST:
            raise _NoHead(f"a list of {count}")
        if inner in _NUMBERS:
            file.seek(struct.calcsize(_NUMBERS[inner]) * count, 1)
            return None
        read: Callable[[], object] = (lambda: _text(file)) if inner == _STRING else (lambda: _value(file, inner))
        for _ in range(count):
            read()
        return None
    if kind not in _NUMBERS:
        raise _NoHead(f"a value of the unknown kind {kind}")
    return _numbers(file, _NUMBERS[kind])[0]


def _text(file: BinaryIO) -> bytes:
    (length,) = _numbers(file, "<Q")
    if length > _LONGEST:
        raise _NoHead(f"a text of {length} bytes")
    text = file.read(length)
    if len(text) < length:
        raise _NoHead("its head ends too soon")
    return text


def _numbers(file: BinaryIO, layout: str) -> tuple[int, ...]:
    read = file.read(struct.calcsize(layout))
    if len(read) < struct.calcsize(layout):
        raise _NoHead("its head ends too soon")
    return struct.unpack(layout, read)
