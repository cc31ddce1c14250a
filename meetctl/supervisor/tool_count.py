"""What an agent's tools did, counted from what it tells of each call. Pure; values only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from meetctl.protocol import ToolCall, ToolState


@dataclass(frozen=True, slots=True)
class ToolCount:
    """The calls of one process."""

    calls: int = 0
    """That have come to an end."""
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    seconds: float = 0.0
    """They ran in all."""
    open: tuple[tuple[str, str], ...] = field(default=())
    """Id and name of those that are under way, or that somebody is to allow."""

    def told(self, call: ToolCall) -> ToolCount:
        """Returns the count after what the agent said of a call."""
        others = tuple(one for one in self.open if one[0] != call.id)
        if call.is_open:
            return replace(self, open=(*others, (call.id, call.tool)))
        return ToolCount(
            calls=self.calls + 1,
            failed=self.failed + (call.state is ToolState.FAILED),
            refused=self.refused + (call.state is ToolState.REFUSED),
            cancelled=self.cancelled + (call.state is ToolState.CANCELLED),
            seconds=self.seconds + (call.seconds or 0.0),
            open=others,
        )
