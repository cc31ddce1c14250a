"""What a user may get wrong: each with its cause, a hint to type, the right exit code, and nothing running."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.settings import LiveKitCredentials
from testing.fixtures.command import Meetctl

GOOD = "agents:\n  - {name: Max, agent: audio}\n"


@pytest.mark.parametrize(
    ("text", "where", "what", "hint"),
    [
        ("agents: [\n", "roster.yaml:2", "", "hint: "),
        ("agnets: []\n" + GOOD, "roster.yaml:1", "agnets", "agents"),
        ("agents:\n  - {name: Max, agent: audio, persna: x}\n", "roster.yaml:2", "persna", "persona"),
        ("agents: Max\n", "roster.yaml:1", "agents", "hint: "),
        ("agents:\n  - {name: Max, agent: audio}\n  - {name: max, agent: audio}\n", "roster.yaml:3", "max", "hint: "),
        ("agents:\n  - {name: '!!!', agent: audio}\n", "roster.yaml:2", "identity", "hint: "),
        ("meeting: {topic: '${NOT_SET_ANYWHERE}'}\n" + GOOD, "roster.yaml:1", "NOT_SET_ANYWHERE", "hint: "),
        (
            "defaults: {llm: anthropic/claude}\n" + GOOD,
            "roster.yaml:1",
            "anthropic",
            "pip install livekit-plugins-anthropic",
        ),
        ("agents:\n  - {name: Ada, agent: simli, face: {face_id: x}}\n", "roster.yaml:2", "SIMLI_API_KEY", "hint: "),
        ("defaults: {llm: openai/gpt-4o-mini}\n" + GOOD, "roster.yaml:1", "OPENAI_API_KEY", "hint: "),
        ("meeting: {floor: modrated}\n" + GOOD, "roster.yaml:1", "modrated", "moderated"),
        ("agents:\n  - {name: Ada, agent: simli, face: ./a.png}\n", "roster.yaml:2", "not yet", "hint: "),
    ],
    ids=lambda value: value.replace("\n", " ")[:40] if isinstance(value, str) else None,
)
@pytest.mark.parametrize("command", ["check", "up"])
def test_a_wrong_roster_is_refused_with_its_line_and_a_hint(
    meetctl: Meetctl, command: str, text: str, where: str, what: str, hint: str
) -> None:
    (meetctl.cwd / "roster.yaml").write_text(text)
    ran = meetctl(command, "roster.yaml")
    assert ran.code == 2, (ran.out, ran.err)
    assert ran.out == ""
    for part in (where, what, hint):
        assert part in ran.err, ran.err
    assert "Traceback" not in ran.err
    assert not list(meetctl.runtime_dir.glob("*.json")) if meetctl.runtime_dir.exists() else True


def test_all_faults_of_a_roster_are_told_at_once(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text("rom: x\nagents:\n  - {name: Max, agent: audoi}\n  - {nam: Ada}\n")
    ran = meetctl("check", "roster.yaml")
    assert ran.code == 2
    for line in (1, 3, 4):
        assert f"roster.yaml:{line}" in ran.err


def test_a_missing_file_is_named(meetctl: Meetctl) -> None:
    ran = meetctl("up", "nowhere.yaml")
    assert ran.code == 2
    assert "nowhere.yaml" in ran.err and "hint: " in ran.err


def test_a_failure_is_an_object_under_json(meetctl: Meetctl) -> None:
    ran = meetctl("check", "nowhere.yaml", "--json")
    assert ran.code == 2
    assert set(ran.json()["error"]) == {"code", "message", "hint"}


def test_an_unreachable_server_is_told_from_a_wrong_key(
    meetctl: Meetctl, livekit_server: LiveKitCredentials, tmp_path: Path
) -> None:
    template = "livekit: {{url: '{url}', api_key: '{key}', api_secret: sentinel-secret-4711-sentinel-secret}}\n"
    roster = tmp_path / "roster.yaml"
    roster.write_text(template.format(url="ws://127.0.0.1:1", key="APIx") + GOOD)
    unreachable = meetctl("up", "roster.yaml", "-d")
    roster.write_text(template.format(url=livekit_server.url, key=livekit_server.api_key) + GOOD)
    refused = meetctl("up", "roster.yaml", "-d")
    assert (unreachable.code, refused.code) == (5, 5)
    assert "ws://127.0.0.1:1" in unreachable.err and "hint: " in unreachable.err
    assert "secret" in refused.err and "hint: " in refused.err
    assert unreachable.err != refused.err
    assert "sentinel" not in unreachable.err + refused.err
    assert meetctl.status() == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("status", "standup"), 3),
        (("link",), 3),
        (("down",), 0),
        (("status",), 0),
        (("join", "standup", "--agent", "audio"), 3),
        (("fly",), 2),
        (("up",), 2),
    ],
)
def test_each_command_without_a_meeting_exits_as_documented(
    meetctl: Meetctl, arguments: tuple[str, ...], code: int
) -> None:
    assert meetctl(*arguments).code == code
