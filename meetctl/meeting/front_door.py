"""Where people come in: invites, the page, the way to signaling, and who was let in. An async context manager."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from meetctl.errors import UsageError
from meetctl.meeting.admission import Admission, checked_name
from meetctl.meeting.cast import Cast
from meetctl.meeting.direction import Direction
from meetctl.meeting.host_requests import HostRequests
from meetctl.meeting.lobby import Lobby
from meetctl.meeting.people import People
from meetctl.meeting.trials import TrialRooms
from meetctl.protocol.secrets import Masker
from meetctl.reach.opening import Reach
from meetctl.reach.signaling import SignalingProxy
from meetctl.reach.words import notes_of, test_note
from meetctl.rooms import Rooms
from meetctl.settings import LiveKitCredentials
from meetctl.status.people import LockChanged, PeopleEvent
from meetctl.web.invites import Invites, Role
from meetctl.web.server import PageServer
from meetctl.web.trial import Ports, Trials

ALL = "all"
"""In the place of a name: every link."""


class FrontDoor:
    """Lets people in while entered.

    Args:
        host_requests: what waits for a host's word.
        asks: whether people wait until a host lets them in.
        own_server: whether the LiveKit server is ours, so that signaling passes here.
        reach: the door to other machines; None = there is none.
        info: what the page shows before a person joins.
        mask: told every secret that is made here.
        publish: told what people do.
        end: ends the meeting for everyone.
        own: takes over work that goes on.
        failed: told what nobody foresaw.
    """

    admission: Admission
    people: People

    def __init__(
        self,
        room: str,
        *,
        credentials: LiveKitCredentials,
        room_service: Rooms,
        own_server: bool,
        cast: Cast,
        direction: Direction,
        host_requests: HostRequests,
        asks: Callable[[], bool],
        reach: Reach | None,
        info: Callable[[], Mapping[str, Any]],
        mask: Masker,
        publish: Callable[[PeopleEvent], object],
        end: Callable[[], object],
        own: Callable[[Awaitable[None]], None],
        failed: Callable[[str, BaseException], object],
    ) -> None:
        self._own_server = own_server
        self._reach = reach
        self._own = own
        self._publish = publish
        self._mask = mask
        self._stack = contextlib.AsyncExitStack()
        self.people = People(
            room, room_service, lambda: cast.entries, publish=self._tell, drop=self._drop, asks=asks, end=end
        )
        self.admission = Admission(room, room_service, credentials, cast, self.people)
        self._lobby = Lobby(host_requests, asks, self.people.knows_device, publish)
        self._stack.callback(self._lobby.close)
        keeps_out = self.people.keeps_out
        self._signaling = SignalingProxy(credentials.url, room=room, keeps_out=keeps_out) if own_server else None
        self._trials: TrialRooms | None = None
        if own_server:  # somebody else's would be paid for by whoever runs the meeting
            by_tcp = reach is not None
            self._trials = TrialRooms(room_service, credentials, by_tcp=by_tcp, failed=failed)
            self._stack.push_async_callback(self._trials.aclose)
        self._page = PageServer(
            room=room,
            livekit_url=credentials.url,
            invites=Invites.create(),
            admit=self.admission.admit,
            info=info,
            direct=direction.direct,
            cast=direction.view,
            people=self.people,
            lobby=self._lobby,
            requests=host_requests.view,
            decide=host_requests.decide,
            signaling=self._signaling,
            reach=reach,
            trials=None if self._trials is None else Trials(self._trials, _ports_of(reach)),
            failed=failed,
        )

    async def __aenter__(self) -> FrontDoor:
        try:
            if self._signaling is not None:
                await self._stack.enter_async_context(self._signaling)
            await self._stack.enter_async_context(self._page)
        except BaseException:
            await self._stack.aclose()
            raise
        self._mask_invites()
        self._own(self.people.watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def link(self, role: Role = Role.GUEST, *, local: bool = False) -> str:
        """Returns the join link of that role; `local` = for this machine alone."""
        return self._page.join_link(role, local=local)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known before a link is handed out."""
        if self._reach is None:
            return ()
        notes = notes_of(self._reach, own_server=self._own_server)
        return (*notes, test_note(self._reach)) if self._own_server else notes

    def personal_link(self, name: str, role: Role, *, expires_s: float | None = None, once: bool = False) -> str:
        """Returns a link that fixes the name, and holds only as long as is said.

        Raises:
            UsageError: if it is no name.
        """
        invite = self._page.links.personal(checked_name(name), role, expires_s=expires_s, once=once)
        self._mask.add(invite.get_secret_value())
        return self._page.link_of(invite)

    def revoke(self, whose: str) -> str | None:
        """Takes back somebody's personal links, or with `all` every link; returns the guests' new one then.

        Raises:
            UsageError: if nobody of that name has a link.
        """
        if whose.casefold() == ALL:
            self._take_back(self._page.links.revoke_all())
            self._mask_invites()
            return self.link()
        ids = self._page.links.revoke(whose)
        if not ids:
            raise UsageError(f"no personal link is for {whose!r}", hint="link --revoke all takes back every link")
        self._take_back(ids)
        return None

    def close(self) -> None:
        """Tells whoever comes now that the meeting is over."""
        self._page.close()

    def _tell(self, event: PeopleEvent) -> None:
        if isinstance(event, LockChanged) and event.locked:
            self._lobby.withdraw_all()
        self._publish(event)

    def _take_back(self, links: frozenset[str]) -> None:
        self.people.take_back(links)
        self._lobby.take_back(links)

    def _mask_invites(self) -> None:
        self._mask.add(*(self._page.links.invites.of(role).get_secret_value() for role in Role))

    async def _drop(self, identity: str) -> None:
        """Ends what is left of somebody who was removed: their personal link, and their connections."""
        if (link := self.people.came_by(identity)) is not None:
            self._take_back(self._page.links.revoke_id(link))
        if self._signaling is not None:
            await self._signaling.drop(identity)


def _ports_of(reach: Reach | None) -> Ports:
    if reach is None:
        return Ports(None, None, None)
    media = reach.media
    return Ports(media.node_ip or reach.place.address, media.udp_port, media.tcp_port)
