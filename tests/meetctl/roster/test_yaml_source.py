"""Whatever lies at a path is a roster, or an error that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meetctl.roster import RosterFaults, load_roster
from meetctl.roster.yaml_source import MAX_BYTES
from tests.meetctl.roster.conftest import Write
from tests.meetctl.roster.test_bad_rosters import AGENT, faults_of


def test_a_missing_file_names_the_nearest_one_beside_it(write: Write, tmp_path: Path) -> None:
    there = write(AGENT)
    with pytest.raises(RosterFaults, match="no such file") as caught:
        load_roster(tmp_path / "rooster.yaml", environment={})
    assert caught.value.hint == f"did you mean {there}?"


def test_a_directory_names_a_file_in_it(write: Write, tmp_path: Path) -> None:
    there = write(AGENT)
    with pytest.raises(RosterFaults, match="is a directory") as caught:
        load_roster(tmp_path, environment={})
    assert caught.value.hint == f"name a file in it: {there}"


def test_bytes_that_are_not_utf_8_are_refused_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("agents:\n  - name: Zoë\n".encode("latin-1"))
    assert faults_of(file) == [(2, "", "not UTF-8 text", "save the file as UTF-8")]


def test_a_file_too_large_to_be_a_roster_is_not_read_through(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    [(_, _, message, _)] = faults_of(file)
    assert message == f"larger than {MAX_BYTES} bytes, so hardly a roster"


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory(write: Write) -> None:
    levels = ["room: &a0 [" + "x," * 10 + "]"]
    levels += [f"k{n}: &a{n} [" + f"*a{n - 1}," * 10 + "]" for n in range(1, 12)]
    [(line, path, message, _)] = faults_of(write("\n".join(levels)))
    assert (line, path) == (7, "k6"), "the first that is too much, and not all that holds it"
    assert "unfold without end" in message


KEYS = ["room", "livekit", "meeting", "defaults", "agents", "name", "agent", "face", "face_id", "llm", "env", "command"]
VALUES = ["local", "simli", "audio", "openai/x", "${A}", "$", "no", "1", "Ada", ""]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(VALUES) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_any_document_is_a_roster_or_an_error_with_a_line(tmp_path: Path, value: object) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(yaml.safe_dump({"agents": [value]} if not isinstance(value, dict) else value), encoding="utf-8")
    try:
        load_roster(file, environment={})
    except RosterFaults as error:
        assert all(fault.line is not None and fault.message for fault in error.faults)


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_a_roster_or_a_roster_error(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(data)
    with pytest.raises(RosterFaults):
        load_roster(file, environment={})
