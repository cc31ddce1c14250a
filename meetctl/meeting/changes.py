"""What is changed of a running meeting: who comes, goes or starts again, one by one or by a roster that was edited."""

from __future__ import annotations

from collections.abc import Callable

from meetctl.errors import NotRunningError
from meetctl.meeting.cast import Cast
from meetctl.meeting.local_servers import LocalServers
from meetctl.meeting.reconcile import Plan, plan
from meetctl.protocol.secrets import Masker
from meetctl.roster import AgentEntry, Roster, secrets_of
from meetctl.supervisor.supervisor import Supervisor
from meetctl.supervisor.tasks import all_of

STOP_S = 10.0
"""One deadline for everybody to leave."""


class Changes:
    """Changes one meeting; once it is ending, every change is refused.

    Args:
        roster: the meeting's, as it is now.
        follow: told the roster that is the meeting's from now on.
        is_ending: whether the meeting is.
    """

    def __init__(
        self,
        room: str,
        *,
        supervisor: Supervisor,
        servers: LocalServers,
        cast: Cast,
        mask: Masker,
        roster: Callable[[], Roster],
        follow: Callable[[Roster], None],
        is_ending: Callable[[], bool],
    ) -> None:
        self._room = room
        self._supervisor = supervisor
        self._servers = servers
        self._cast = cast
        self._mask = mask
        self._roster = roster
        self._follow = follow
        self._is_ending = is_ending

    async def add(self, entry: AgentEntry) -> None:
        """Gives a new agent a seat, and starts what it needs."""
        self._refuse_when_over()
        self._servers.start_stand_ins(self._roster().model_copy(update={"agents": (entry,)}))
        await self._cast.add(entry)

    async def remove(self, identity: str) -> None:
        """Lets an agent leave for good."""
        self._refuse_when_over()
        await self._cast.remove(identity, timeout_s=STOP_S)

    async def restart(self, seat: str) -> None:
        """Starts who is in the seat again; returns when the new process is on its way."""
        self._refuse_when_over()
        if not await self._supervisor.restart(seat, timeout_s=STOP_S):
            raise NotRunningError(f"{seat} was stopped meanwhile", hint=f"meetctl status {self._room}")

    def plan(self, roster: Roster) -> Plan:
        """Returns what makes this meeting that roster's; raises ConflictError for what cannot change now."""
        seated = self._roster().model_copy(update={"agents": self._cast.as_written()})
        return plan(seated, roster, joined=self._cast.joined)

    async def reconcile(self, roster: Roster) -> Plan:
        """Makes this meeting that roster's, touching only what is different; returns what was done."""
        todo = self.plan(roster)
        self._refuse_when_over()
        self._mask.add(*secrets_of(roster))
        self._servers.start_stand_ins(roster)
        await self._cast.follow(roster, restart_chair=todo.restarts_chair, timeout_s=STOP_S)
        # Nobody else may change anything before all of them are done, those beside one that fails too.
        await all_of(
            *(self.remove(entry.identity) for entry in todo.removed),
            *(self._replace(change.entry) for change in todo.replaced),
        )
        self._follow(roster)
        self._cast.joined -= {entry.identity for entry in roster.agents}
        for entry in todo.added:
            await self.add(entry)
        return todo

    async def _replace(self, entry: AgentEntry) -> None:
        self._refuse_when_over()
        await self._cast.replace(entry, timeout_s=STOP_S)

    def _refuse_when_over(self) -> None:
        if self._is_ending():
            raise NotRunningError(f"{self._room} is ending", hint="meetctl status")
