"""Talk with the demo's agents, in text or recorded: what is asked, who answers, and how it is judged."""

from __future__ import annotations

from pathlib import Path

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
