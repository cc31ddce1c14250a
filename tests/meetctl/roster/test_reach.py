"""Who can be joined by Simli's own worker, and what a face's settings become."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.roster import FaceChoice, load_roster, why_not_direct

SIMLI = "https://api.simli.ai"


@pytest.mark.parametrize(
    ("livekit", "simli", "reached"),
    [
        (None, SIMLI, False),
        (None, "http://127.0.0.1:9", True),
        ("ws://127.0.0.1:7880", SIMLI, False),
        ("ws://127.0.0.1:7880", "http://localhost:9", True),
        ("ws://10.1.2.3:7880", SIMLI, False),
        ("ws://[fd00::2]:7880", SIMLI, False),
        ("ws://[::1]:7880", "http://[::1]:9", True),
        ("ws://nas:7880", SIMLI, False),
        ("ws://nas.local:7880", SIMLI, False),
        ("ws://localhost:7880", SIMLI, False),
        ("wss://x.livekit.cloud", SIMLI, True),
        ("ws://8.8.8.8:7880", SIMLI, True),
    ],
)
def test_only_a_public_server_is_reached_from_elsewhere(livekit: str | None, simli: str, reached: bool) -> None:
    assert (why_not_direct(livekit, simli) is None) is reached


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", {"idle_close_s": 300}),
        (", idle_close: never", {"idle_close_s": None}),
        (", idle_close: 90s, api: legacy", {"idle_close_s": 90, "api": "legacy"}),
        (", transport: auto", {"idle_close_s": 300, "transport": "auto"}),
    ],
)
def test_a_face_s_settings_are_taken_over(tmp_path: Path, written: str, expected: dict[str, object]) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text(f"agents:\n  - {{name: Ada, agent: simli, face: {{face_id: f, api_key: k-123456{written}}}}}\n")
    face = load_roster(file, environment={}).agents[0].face
    assert face is not None
    assert face == FaceChoice(local=False, face_id="f", api_key=face.api_key, url=SIMLI, **expected)


def test_a_drawn_face_costs_nothing_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text("agents:\n  - {name: Ada, agent: simli}\n")
    assert load_roster(file, environment={}).agents[0].face == FaceChoice(idle_close_s=None, transport="auto")
