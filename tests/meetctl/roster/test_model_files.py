"""Files that a roster names as models: what is wrong with each is told before anything is loaded."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from meetctl.roster.model_files import is_path, trouble_with_chat, trouble_with_ears

TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(*, template: str | None = TEMPLATE, tensors: int = 2, data: int = 4096, version: int = 3) -> bytes:
    """Returns a GGUF file as llama.cpp's own tools lay it out, with tensors of 1024 bytes."""
    words = struct.pack("<IQ", 8, 3) + b"".join(map(text, ("a", "b", "c")))
    pairs = [text("tokenizer.ggml.tokens") + struct.pack("<I", 9) + words]
    pairs += [text("general.alignment") + struct.pack("<II", 4, 64)]
    if template is not None:
        pairs += [text("tokenizer.chat_template") + struct.pack("<I", 8) + text(template)]
    infos = b"".join(
        text(f"t{number}") + struct.pack("<IQQIQ", 2, 16, 16, 0, number * 1024) for number in range(tensors)
    )
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs)) + b"".join(pairs) + infos
    return head + bytes(-len(head) % 64) + bytes(data)


def trouble(tmp_path: Path, content: bytes) -> str | None:
    path = tmp_path / "my.gguf"
    path.write_bytes(content)
    found = trouble_with_chat(path)
    return found.message if found is not None else None


def test_a_chat_model_is_good(tmp_path: Path) -> None:
    assert trouble(tmp_path, gguf()) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html>", "is no GGUF file: it begins with '<!DOCTYPE html><html>'"),
        (b"version https://git-lfs.github.com/spec/v1", "it begins with 'version https://git-lfs."),
        (b"", "it is empty"),
        (b"GGUF", "is a broken GGUF file"),
        (b"GGUF" + bytes(4096), "is a broken GGUF file: version 0"),
        (gguf()[:60], "is a broken GGUF file: its head ends too soon"),
        (gguf(data=1024), "is cut off: "),
        (gguf(template=None), "has no chat template: a base model goes on writing"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + struct.pack("<Q", 1 << 60), "a text of"),
    ],
)
def test_what_is_no_chat_model_is_told_by_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in (trouble(tmp_path, content) or "nothing")


def test_a_directory_is_not_taken_for_a_file_nor_a_file_for_a_directory(tmp_path: Path) -> None:
    found = trouble_with_chat(tmp_path)
    assert found is not None and "is a directory" in found.message
    file = tmp_path / "model.bin"
    file.write_bytes(b"x")
    found = trouble_with_ears(file)
    assert found is not None and "is a file" in found.message
    found = trouble_with_ears(tmp_path)
    assert found is not None and found.message.endswith("has no config.json")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert trouble_with_ears(tmp_path) is None


@pytest.mark.parametrize("model", ["./my.gguf", "my.gguf", "/models/x", "../x", "~/x.gguf"])
def test_a_path_is_told_from_a_name(model: str) -> None:
    assert is_path(model)
    assert not is_path("qwen2.5-coder-0.5b-instruct")
