"""Tools that an agent may use only with a host's word: from what it tells of a call to a request, and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from meetctl.meeting.host_requests import TOOL, HostDecision, HostRequest, HostRequests
from meetctl.protocol import APPROVAL_S, Decided, Model, ToolCall, ToolState
from meetctl.supervisor.events import ChildMessage, Exited, SeatEvent, SeatRemoved


class Approvals:
    """Follows a meeting's events.

    Args:
        send: tells an agent's process something; returns whether it could be told.
        name_of: returns what the agent of an identity is called.
        warn: shows something about an agent on the board, until `calm` is told the same.
    """

    def __init__(
        self,
        requests: HostRequests,
        send: Callable[[str, Model], Awaitable[bool]],
        name_of: Callable[[str], str],
        warn: Callable[[str, str], object],
        calm: Callable[[str, str], object],
    ) -> None:
        self._requests = requests
        self._send = send
        self._name_of = name_of
        self._warn = warn
        self._calm = calm
        self._open: dict[tuple[str, str], HostRequest] = {}
        """By agent and call."""

    def observe(self, event: SeatEvent) -> None:
        """Takes one event: a call that is to be allowed, that is not wanted any more, or whose agent is gone."""
        match event:
            case ChildMessage(seat=seat, event=ToolCall(state=ToolState.ASKED) as call):
                if (seat, call.id) not in self._open:
                    self._ask(seat, call)
            case ChildMessage(seat=seat, event=ToolCall() as call):
                self._withdraw(seat, call.id)
            case Exited(seat=seat) | SeatRemoved(seat=seat):
                for asked, call_id in list(self._open):
                    if asked == seat:
                        self._withdraw(seat, call_id)
            case _:
                pass

    def _ask(self, seat: str, call: ToolCall) -> None:
        request = self._requests.ask(
            TOOL,
            identity=seat,
            name=self._name_of(seat),
            what=call.tool,
            detail=call.arguments,
            within_s=APPROVAL_S,
            decided=partial(self._decided, seat, call.id),
        )
        self._open[seat, call.id] = request
        self._warn(seat, _shown(request))

    async def _decided(self, seat: str, call_id: str, decision: HostDecision) -> None:
        request = self._open.pop((seat, call_id), None)
        if request is not None:
            self._calm(seat, _shown(request))
        await self._send(seat, Decided(call_id=call_id, allowed=decision.allowed, by=decision.by))

    def _withdraw(self, seat: str, call_id: str) -> None:
        request = self._open.pop((seat, call_id), None)
        if request is not None:
            self._requests.withdraw(request.id)
            self._calm(seat, _shown(request))


def _shown(request: HostRequest) -> str:
    return f"wants to use {request.what} {request.detail}: meetctl approve {request.id}, or deny {request.id}"
