"""What the doctor makes of what it measured, as tables."""

from __future__ import annotations

import pytest

from meetctl.catalogue import pair
from meetctl.display.doctor import lines
from meetctl.doctor.checks import (
    judge_clock,
    judge_interfaces,
    judge_keys,
    judge_libraries,
    judge_memory,
    judge_models,
    judge_pairs,
    judge_server,
    judge_sockets,
    names_of,
)
from meetctl.doctor.findings import Finding, Interface, Level, Socket, document, failure, ok, warning
from meetctl.doctor.memory import needed_mb
from meetctl.doctor.probing import installed, interfaces, probe_sockets, requirements
from meetctl.roster import Program

OK, WARNING, FAILURE = Level.OK, Level.WARNING, Level.FAILURE


def told(findings: list[Finding]) -> list[tuple[Level, str]]:
    assert all((finding.hint is None) is (finding.level is OK) for finding in findings), "what is wrong has a hint"
    return [(finding.level, finding.message) for finding in findings]


@pytest.mark.parametrize(
    ("socket", "level", "message"),
    [
        (Socket("a TCP port", "127.0.0.1"), OK, "a TCP port on 127.0.0.1"),
        (Socket("UDP", "127.0.0.1", "not permitted"), FAILURE, "UDP on 127.0.0.1: not permitted"),
        (Socket("a UDP port", "198.51.100.7", "in use"), WARNING, "a UDP port on 198.51.100.7: in use"),
    ],
)
def test_a_port_that_cannot_be_had_on_loopback_keeps_a_meeting_from_working(
    socket: Socket, level: Level, message: str
) -> None:
    assert told(list(judge_sockets([socket]))) == [(level, message)]


@pytest.mark.parametrize("name", ["docker0", "br-0a1b2c3d4e5f", "veth12ab", "virbr0", "cni0", "podman0"])
def test_a_bridge_that_leads_nowhere_is_named(name: str) -> None:
    found = told(list(judge_interfaces([Interface("eth0", "198.51.100.7"), Interface(name, "172.17.0.1")])))
    assert found[0] == (OK, "host candidates: 198.51.100.7 (eth0)")
    assert found[1] == (WARNING, f"bridges to containers or virtual machines are offered too: {name} 172.17.0.1")


@pytest.mark.parametrize("name", ["eth0", "wlp3s0", "en0", "bridge", "tailscale0", "br0"])
def test_an_interface_that_leads_somewhere_is_no_bridge(name: str) -> None:
    assert len(list(judge_interfaces([Interface(name, "198.51.100.7")]))) == 1


def test_a_machine_without_a_network_is_well() -> None:
    assert told(list(judge_interfaces([]))) == [(OK, "no network but loopback: enough for a meeting on this machine")]


@pytest.mark.parametrize(
    ("path", "version", "warnings", "expected"),
    [
        (None, None, (), [(WARNING, "none on this machine; 1.13.5 is needed")]),
        ("/x/server", "1.13.5", (), [(OK, "1.13.5 at /x/server")]),
        ("/x/server", "1.9.0", ("/x/server is version 1.9.0",), [(WARNING, "/x/server is version 1.9.0")]),
    ],
)
def test_the_server_is_told_with_its_place_and_version(
    path: str | None, version: str | None, warnings: tuple[str, ...], expected: list[tuple[Level, str]]
) -> None:
    assert told(list(judge_server(path, version, warnings, "1.13.5"))) == expected


@pytest.mark.parametrize(
    ("requirement", "version", "level"),
    [
        ("aiortc<1.17,>=1.16", "1.16.0", OK),
        ("aiortc<1.17,>=1.16", "1.17", WARNING),
        ("aiortc<1.17,>=1.16", "1.15.9", WARNING),
        ("hibari-tts==0.2.1", "0.2.1", OK),
        ("hibari-tts==0.2.1", "0.2.10", WARNING),
        ("xllamacpp<2027,>=2026.10", "2026.10.11549", OK),
        ("typer", "0.1", OK),
        ("livekit-agents[codecs]>=1.8.9; python_version >= '3.11'", "1.8.10rc1", OK),
        ("av<19,>=14", None, FAILURE),
    ],
)
def test_a_library_is_held_against_what_meetctl_asks_for(requirement: str, version: str | None, level: Level) -> None:
    (name,) = names_of([requirement])
    (found,) = judge_libraries([requirement], {} if version is None else {name.lower(): version})
    assert found.level is level
    assert name in found.message


def test_the_libraries_of_this_very_installation_are_those_it_asks_for() -> None:
    wanted = requirements()
    found = list(judge_libraries(wanted, installed(names_of(wanted))))
    assert [finding.level for finding in found] == [OK]
    assert "livekit-agents 1.8" in found[0].message


@pytest.mark.parametrize(
    ("environment", "levels", "word"),
    [
        ({}, [OK], "none set"),
        ({"OPENAI_API_KEY": "sk-sentinel-4711"}, [OK], "set: OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "your-openai-key"}, [OK, WARNING], "OPENAI_API_KEY looks like a placeholder"),
        ({"SIMLI_API_KEY": "<key>"}, [OK, WARNING], "SIMLI_API_KEY looks like a placeholder"),
        ({"SIMLI_API_KEY": "sentinel-4711\n"}, [OK, WARNING], "SIMLI_API_KEY begins or ends with blanks"),
        ({"LIVEKIT_URL": "ws://sentinel-4711"}, [OK, WARNING], "LIVEKIT_API_KEY, LIVEKIT_API_SECRET is not set"),
    ],
)
def test_keys_are_told_by_name_and_never_by_value(environment: dict[str, str], levels: list[Level], word: str) -> None:
    found = list(judge_keys(environment))
    assert [finding.level for finding in found] == levels
    assert word in found[-1].message
    assert "sentinel" not in str(found)


def test_missing_models_are_told_with_what_they_weigh() -> None:
    assert judge_models([]).level is OK
    found = judge_models([("a", 70_000_000, None), ("b", 93_000_000, "c")])
    assert (found.level, found.message) == (
        WARNING,
        "not in the cache: a and b (163 MB); c is used in place of b",
    )
    assert found.hint is not None and "meetctl setup" in found.hint


@pytest.mark.parametrize(("free", "level"), [(2000, OK), (1251, OK), (1249, WARNING), (1000, WARNING), (999, FAILURE)])
def test_a_meeting_that_does_not_fit_is_told_before_it_swaps(free: float, level: Level) -> None:
    assert judge_memory(1000, free, "the 4 agents of x.yaml").level is level


def test_memory_is_reckoned_for_every_agent_and_server() -> None:
    alone = needed_mb([], models=(), local_faces=0)
    tiny = needed_mb([Program.SIMLI, Program.AUDIO], models=pair("tiny"), local_faces=1)
    both = needed_mb([Program.SIMLI, Program.AUDIO], models=pair(), local_faces=1)
    assert alone < needed_mb([Program.AUDIO], models=(), local_faces=0) < tiny < both
    assert both < needed_mb([Program.SIMLI, Program.AUDIO], models=pair(), local_faces=2)


@pytest.mark.parametrize(
    ("cores", "free", "level", "words"),
    [
        (2, 8000, OK, "it can carry local (takes 1.2 GB"),
        (1, 8000, WARNING, "it can carry local/tiny (takes 0.7 GB"),
        (4, 1800, WARNING, "it can carry local/tiny (takes 0.7 GB"),
        (1, 900, WARNING, "too little for local/tiny"),
    ],
)
def test_the_pair_that_the_machine_can_carry_is_named_with_what_it_costs(
    cores: int, free: float, level: Level, words: str
) -> None:
    found = judge_pairs(cores, free, rest_mb=400)
    assert found.level is level
    assert words in found.message
    assert "Qwen2.5-Coder-0.5B-Instruct answers to the point" in found.message


@pytest.mark.parametrize(
    ("skew", "level", "words"),
    [
        (None, OK, "does not tell its time"),
        (4.0, OK, "agrees"),
        (-5.0, OK, "agrees"),
        (12.0, WARNING, "12 s behind that of"),
        (-12.0, WARNING, "12 s ahead of that of"),
        (90.0, FAILURE, "90 s behind that of wss://x: tokens will be refused"),
    ],
)
def test_a_clock_that_is_off_is_told_before_tokens_are_refused(skew: float | None, level: Level, words: str) -> None:
    found = judge_clock("wss://x", skew)
    assert found.level is level
    assert words in found.message


def test_this_machine_can_hold_a_meeting() -> None:
    assert [socket.error for socket in probe_sockets() if socket.address == "127.0.0.1"] == [None, None]
    assert all(not each.address.startswith(("127.", "fe80", "::1")) for each in interfaces())


FOUND = [failure("simli", "no key", "export it"), ok("ports", "fine"), warning("keys", "odd", "look")]


def test_the_grave_ones_come_last_each_with_what_to_do() -> None:
    assert lines(FOUND) == [
        "ok       ports: fine",
        "warning  keys: odd",
        "         → look",
        "failure  simli: no key",
        "         → export it",
        "1 failure, 1 warning: a meeting will not work before each failure is repaired",
    ]
    assert lines(FOUND[1:])[-1] == "1 warning: a meeting will work"
    assert lines(FOUND[1:2])[-1] == "everything is in order: a meeting will work"


def test_scripts_get_the_same_as_an_object() -> None:
    assert document(FOUND[:1]) == {
        "schema_version": 1,
        "ok": False,
        "findings": [{"check": "simli", "level": "failure", "message": "no key", "hint": "export it"}],
    }
    assert document(FOUND[1:])["ok"] is True
