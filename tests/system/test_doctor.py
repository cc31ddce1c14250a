"""`meetctl doctor` as a user runs it, against real servers, good and bad; no key ever shows."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from meetctl.settings import LiveKitCredentials
from testing.fixtures.command import Meetctl, Ran
from testing.fixtures.simli import running_simli

KEY = "sentinel-simli-key-4711"
ROSTER = """
livekit: {{url: "{url}", api_key: "{key}", api_secret: "{secret}"}}
defaults:
  llm: &models {{provider: openai, model: tiny, base_url: "{models}/v1"}}
  tts: *models
  stt: *models
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
    for check in ("ports", "ice", "libraries", "keys", "models", "memory", "cores", "livekit-server"):
        assert set(levels(ran, check)) <= {"ok", "warning"} and levels(ran, check), check
    assert "1.13.5 at " in messages(ran)
    assert re.search(r"\d+ cores?, \d+% free, \d+\.\d ms a picture: room for \d+ local avatars", messages(ran))


def test_servers_elsewhere_are_asked_and_what_they_refuse_is_told_without_the_keys(
    meetctl: Meetctl, livekit_server: LiveKitCredentials, model_server: str, tmp_path: Path
) -> None:
    keys, roster = tmp_path / "keys", tmp_path / "roster.yaml"
    keys.write_text(KEY + "\n")
    keys.chmod(0o600)
    secret = livekit_server.api_secret.get_secret_value()

    def write(simli: str, *, url: str = livekit_server.url, secret: str = secret, face: str = "good") -> None:
        roster.write_text(
            ROSTER.format(
                url=url, key=livekit_server.api_key, secret=secret, face=face, simli=simli, models=model_server
            ),
            encoding="utf-8",
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
    assert [levels(well, part) for part in ("llm", "tts", "stt")] == [["ok"], ["ok", "ok"], ["ok"]]
    assert "failure" not in levels(well, "clock") and "models" not in {f["check"] for f in well.json()["findings"]}
    assert "sessions under way" in messages(well) and "livekit-server" not in messages(well)

    assert unknown.code == 1
    assert (levels(unknown, "simli"), levels(unknown, "livekit")) == (["ok", "failure"], ["failure"])
    assert "Ada gets no face: HTTP 400 INVALID_FACE_ID" in messages(unknown)

    assert refused.code == 1
    assert "INVALID_API_KEY" in refused.out and "ws://127.0.0.1:1" in refused.out
    assert "2 failures" in refused.out

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


REFUSING = """
livekit: {{url: "ws://127.0.0.1:1", api_key: "k", api_secret: "sentinel-secret-4711-sentinel-secret"}}
meeting: {{language: de}}
defaults:
  llm: {{provider: openai, model: tiny, base_url: "{models}/v1"}}
  tts: {{provider: openai, model: tiny, base_url: "{refusing}/v1"}}
  stt: {{provider: openai, model: tiny, base_url: "{models}/v1"}}
agents:
  - {{name: Ada, agent: audio, llm: {{provider: openai, model: tiny, base_url: "{models}"}}}}
  - {{name: Max, agent: audio, llm: {{provider: openai, model: tiny, base_url: "http://127.0.0.1:1/v1"}}}}
"""


class Refusing(BaseHTTPRequestHandler):
    """Answers everything with an error of its own words, in which it repeats the key."""

    def do_POST(self) -> None:
        body = json.dumps({"error": {"message": f"the voice is on holiday ({self.headers['Authorization']})"}}).encode()
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_every_model_of_a_roster_is_asked_and_what_is_wrong_is_told_with_its_address(
    meetctl: Meetctl, model_server: str, tmp_path: Path
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        refusing = f"http://127.0.0.1:{server.server_port}"
        written = REFUSING.format(models=model_server, refusing=refusing)
        (tmp_path / "roster.yaml").write_text(written, encoding="utf-8")
        ran = meetctl("doctor", "roster.yaml", "--json", env={"OPENAI_API_KEY": KEYS["OPENAI_API_KEY"]})
        server.shutdown()

    assert ran.code == 1, ran.out + ran.err
    found = {f["message"].split(", ")[0]: f for f in ran.json()["findings"] if f["check"] in ("llm", "tts", "stt")}
    assert set(levels(ran, "llm")) == set(levels(ran, "tts")) == set(levels(ran, "stt")) == {"failure"}
    told = {whose: finding["message"] for whose, finding in found.items()}
    assert (
        f"404 POST /chat/completions: Not Found ({model_server}/chat/completions)" in told["the language model of Ada"]
    )
    assert "which mostly ends in /v1" in found["the language model of Ada"]["hint"]
    assert "nothing listens there (http://127.0.0.1:1/v1/chat/completions)" in told["the language model of Max"]
    assert "503 the voice is on holiday" in told["the voice of Ada"]
    assert "knows English only" in told["the recogniser of the meeting"]
    assert "sentinel" not in ran.out + ran.err


def test_local_models_are_asked_where_they_are_there(meetctl: Meetctl, tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text(
        "defaults: {llm: local/tiny, stt: local/tiny}\nagents: [{name: Ada, agent: audio}, {name: Max, agent: audio}]",
        encoding="utf-8",
    )
    ran = meetctl("doctor", "roster.yaml", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert [levels(ran, part) for part in ("llm", "tts", "stt")] == [["ok"], ["ok"], ["ok"]]
    assert "the language model of Ada and Max, local/smollm2-135m-instruct answers in" in messages(ran)
