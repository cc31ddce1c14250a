"""What the product manager of `who_is_meant.yaml` can do."""

from __future__ import annotations

from livekit.agents import function_tool


@function_tool
async def tell_customers() -> str:
    """Tells all customers what was decided."""
    return "42 customers are told"
