"""`meetctl doctor` as a user runs it, against real servers, good and bad; no key ever shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from meetctl.settings import LiveKitCredentials
from testing.fixtures.command import Meetctl, Ran
from testing.fixtures.simli import running_simli

KEY = "sentinel-simli-key-4711"
ROSTER = """
livekit: {{url: "{url}", api_key: "{key}", api_secret: "{secret}"}}
defaults: {{llm: openai/x, tts: openai/x, stt: openai/x}}
agents:
  - {{name: Ada, agent: simli, face: {{face_id: {face}, url: "{simli}"}}}}
  - {{name: Max, agent: audio}}
"""
KEYS = {"OPENAI_API_KEY": "sentinel-openai-key-4711", "SIMLI_API_KEY": KEY}


def levels(ran: Ran, check: str) -> list[str]:
    findings: list[dict[str, Any]] = ran.json()["findings"]
    return [finding["level"] for finding in findings if finding["check"] == check]


def messages(ran: Ran) -> str:
    return "\n".join(finding["message"] for finding in ran.json()["findings"])


def test_a_machine_without_keys_is_well(meetctl: Meetctl) -> None:
    ran = meetctl("doctor", "--json")
    assert ran.code == 0, ran.out
    assert ran.json()["ok"]
    for check in ("ports", "ice", "libraries", "keys", "models", "memory", "livekit-server"):
        assert set(levels(ran, check)) <= {"ok", "warning"} and levels(ran, check), check
    assert "1.13.5 at " in messages(ran)


def test_servers_elsewhere_are_asked_and_what_they_refuse_is_told_without_the_keys(
    meetctl: Meetctl, livekit_server: LiveKitCredentials, tmp_path: Path
) -> None:
    keys, roster = tmp_path / "keys", tmp_path / "roster.yaml"
    keys.write_text(KEY + "\n")
    keys.chmod(0o600)
    secret = livekit_server.api_secret.get_secret_value()

    def write(simli: str, *, url: str = livekit_server.url, secret: str = secret, face: str = "good") -> None:
        roster.write_text(
            ROSTER.format(url=url, key=livekit_server.api_key, secret=secret, face=face, simli=simli), encoding="utf-8"
        )

    with running_simli("--keys-file", str(keys), "--face-id", "good") as simli:
        write(simli)
        well = meetctl("doctor", "roster.yaml", "--json", env=KEYS)
        write(simli, face="bad", secret="sentinel-secret-4711-sentinel-secret")
        unknown = meetctl("doctor", "roster.yaml", "--json", env=KEYS)
        write(simli, url="ws://127.0.0.1:1")
        refused = meetctl("doctor", "roster.yaml", env=KEYS | {"SIMLI_API_KEY": "sentinel-other-4711"})
    write(simli)
    gone = meetctl("doctor", "roster.yaml", "--json", env=KEYS)

    assert well.code == 0, well.out
    assert (levels(well, "simli"), levels(well, "livekit")) == (["ok", "ok"], ["ok"])
    assert "failure" not in levels(well, "clock") and "models" not in {f["check"] for f in well.json()["findings"]}
    assert "sessions under way" in messages(well) and "livekit-server" not in messages(well)

    assert unknown.code == 1
    assert (levels(unknown, "simli"), levels(unknown, "livekit")) == (["ok", "failure"], ["failure"])
    assert "Ada gets no face: HTTP 400 INVALID_FACE_ID" in messages(unknown)

    assert refused.code == 1
    assert "INVALID_API_KEY" in refused.out and "ws://127.0.0.1:1" in refused.out
    assert "2 to mend before a meeting works" in refused.out

    assert (gone.code, levels(gone, "simli")) == (1, ["failure"])
    for ran in (well, unknown, refused, gone):
        assert "sentinel" not in ran.out + ran.err
        assert secret not in ran.out + ran.err


def test_a_wrong_roster_is_one_of_the_things_to_mend(meetctl: Meetctl) -> None:
    (meetctl.cwd / "roster.yaml").write_text("agents:\n  - {name: Ada, agent: simli, face: {face_id: x}}\n")
    ran = meetctl("doctor", "roster.yaml", "--json")
    assert (ran.code, levels(ran, "roster")) == (1, ["failure"])
    assert "SIMLI_API_KEY is not set" in messages(ran)
    assert levels(ran, "ports"), "the rest is looked at all the same"
