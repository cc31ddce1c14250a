"""People of a meeting: seen as the server sees them, and removed for good."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, cast

import pytest

from meetctl.errors import LiveKitError, UsageError
from meetctl.meeting.people import People
from meetctl.programs.room_access import CHAIR_IDENTITY
from meetctl.protocol import IceState, Line, Utterance
from meetctl.rooms import ParticipantInfo, ParticipantKind, Rooms, TrackInfo, TrackSource
from meetctl.status.people import LockChanged, PeopleEvent, PersonChanged, PersonJoined, PersonLeft
from meetctl.supervisor.events import ChildMessage
from meetctl.web.invites import Comer, Role
from meetctl.web.people import ConnectionReport, Manage

MICROPHONE = TrackInfo("TR_m", TrackSource.MICROPHONE, muted=False)
DEVICE = "0123456789abcdef"


def participant(identity: str, *tracks: TrackInfo, kind: ParticipantKind = ParticipantKind.STANDARD) -> ParticipantInfo:
    return ParticipantInfo(
        identity,
        identity.title(),
        kind,
        True,
        MappingProxyType({}),
        frozenset(),
        joined_at=1_700_000_000.0,
        tracks=tracks,
    )


class Server:
    """Has people in its room, and does what it is told."""

    def __init__(self, *present: ParticipantInfo) -> None:
        self.present = list(present)
        self.muted: list[tuple[str, str]] = []
        self.removed: list[str] = []

    async def participants(self, room: str) -> tuple[ParticipantInfo, ...]:
        return tuple(self.present)

    async def remove(self, room: str, identity: str) -> bool:
        self.removed.append(identity)
        self.present = [one for one in self.present if one.identity != identity]
        return True

    async def mute(self, room: str, identity: str, track_sid: str) -> bool:
        self.muted.append((identity, track_sid))
        return True


class Followed:
    """People, and what was told of them."""

    def __init__(self, server: Server) -> None:
        self.events: list[PeopleEvent] = []
        self.dropped: list[str] = []
        self.asks = False
        self.people = People(
            "standup",
            cast(Rooms, server),
            lambda: {"legacy"},
            publish=self.events.append,
            drop=self._drop,
            asks=lambda: self.asks,
        )

    async def _drop(self, identity: str) -> None:
        self.dropped.append(identity)

    def told(self) -> list[PeopleEvent]:
        told, self.events[:] = list(self.events), []
        return told


async def test_people_are_told_from_agents_and_what_changes_is_told_once() -> None:
    server = Server(
        participant("bob", MICROPHONE),
        participant("ada", MICROPHONE, kind=ParticipantKind.AGENT),
        participant("legacy", MICROPHONE),
    )
    followed = Followed(server)
    followed.people.admitted("bob", Comer(Role.HOST))
    await followed.people.look()
    joined, changed = followed.told()
    assert isinstance(joined, PersonJoined) and (joined.identity, joined.name, joined.role) == ("bob", "Bob", "host")
    assert isinstance(changed, PersonChanged) and (changed.microphone, changed.camera) == (True, False)
    await followed.people.look()
    assert followed.told() == []
    (bob,) = followed.people.people()
    assert (bob.identity, bob.role, bob.microphone, bob.since) == ("bob", "host", True, "2023-11-14T22:13:20+00:00")
    server.present = []
    await followed.people.look()
    (left,) = followed.told()
    assert isinstance(left, PersonLeft) and not left.removed


async def test_somebody_with_another_s_token_has_no_role() -> None:
    followed = Followed(Server(participant("eve")))
    await followed.people.look()
    assert [one.role for one in followed.people.people()] == [None]


async def test_whoever_is_removed_is_kept_out_and_removed_again_when_they_come_by_another_way() -> None:
    server = Server(participant("bob", MICROPHONE), participant("zoe"))
    followed = Followed(server)
    followed.people.admitted("bob", Comer(Role.GUEST, DEVICE))
    assert await followed.people.manage(Manage.KICK, "BOB") == {
        "do": "kick",
        "identity": "bob",
        "name": "Bob",
        "role": "guest",
    }
    assert followed.people.keeps_out("bob") and followed.people.keeps_out_device(DEVICE)
    assert not followed.people.keeps_out("zoe") and not followed.people.keeps_out_device(None)
    assert (server.removed, followed.dropped) == (["bob"], ["bob"])
    left = [event for event in followed.told() if isinstance(event, PersonLeft)]
    assert [(event.identity, event.removed) for event in left] == [("bob", True)]
    server.present.append(participant("bob"))
    await followed.people.look()
    assert server.removed == ["bob", "bob"]
    assert [one.identity for one in followed.people.people()] == ["zoe"]
    assert followed.told() == []


async def test_nobody_who_was_removed_comes_back_by_another_token_of_the_same_browser() -> None:
    server = Server(participant("bob"), participant("zoe"), participant("bob-here"))
    followed = Followed(server)
    for identity in ("bob", "bob-here", "bob-again"):
        followed.people.admitted(identity, Comer(Role.GUEST, DEVICE, link="guest-0"))
    for identity, device in (("zoe", DEVICE[::-1]), ("lou", DEVICE[::-1]), ("ida", None)):
        followed.people.admitted(identity, Comer(Role.GUEST, device, link="guest-0"))
    assert not followed.people.keeps_out("bob-again")
    await followed.people.manage(Manage.KICK, "bob")
    kept_out = {who for who in ("bob", "bob-again", "bob-here", "zoe", "lou", "ida") if followed.people.keeps_out(who)}
    assert kept_out == {"bob", "bob-again"}, "who is there stays, and who came by the same link from elsewhere"


async def test_who_holds_a_token_and_has_not_come_in_when_hosts_begin_to_be_asked_is_kept_out() -> None:
    server = Server(participant("bob"))
    followed = Followed(server)
    for identity, comer in (
        ("bob", Comer(Role.GUEST, DEVICE, link="guest-0")),
        ("bob-again", Comer(Role.GUEST, DEVICE, link="guest-0")),
        ("just-here", Comer(Role.GUEST, None, link="guest-0")),
        ("eve", Comer(Role.OBSERVER, DEVICE[::-1], link="observer-0")),
        ("hanna", Comer(Role.HOST, None, link="host-0")),
        ("script", Comer(Role.GUEST)),  # given a token by whoever runs the meeting
    ):
        followed.people.admitted(identity, comer)
    await followed.people.look()
    server.present.append(participant("just-here"))
    assert not any(map(followed.people.keeps_out, ("eve", "just-here")))
    followed.asks = True
    await followed.people.look()
    assert server.removed == [], "who came in before is there, and stays"
    followed.people.admitted("let-in", Comer(Role.GUEST, "9" * 16, link="guest-0"))
    names = ("bob", "bob-again", "just-here", "eve", "hanna", "script", "let-in")
    assert [name for name in names if followed.people.keeps_out(name)] == ["eve"]
    server.present += [participant("eve"), participant("hanna"), participant("script")]
    await followed.people.look()
    assert server.removed == ["eve"], "also by another way than ours"
    followed.asks = False
    assert not followed.people.keeps_out("eve")


async def test_whom_the_server_does_not_remove_at_once_loses_the_connections_through_us_all_the_same() -> None:
    class Failing(Server):
        async def remove(self, room: str, identity: str) -> bool:
            raise LiveKitError("it does not answer", hint="wait")

    followed = Followed(Failing(participant("bob")))
    with pytest.raises(LiveKitError):
        await followed.people.manage(Manage.KICK, "bob")
    assert followed.dropped == ["bob"] and followed.people.keeps_out("bob")


async def test_muting_a_person_mutes_the_microphone_alone_and_only_while_it_is_on() -> None:
    camera = TrackInfo("TR_c", TrackSource.CAMERA, muted=False)
    off = TrackInfo("TR_o", TrackSource.MICROPHONE, muted=True)
    server = Server(participant("bob", MICROPHONE, camera, off))
    followed = Followed(server)
    await followed.people.manage(Manage.MUTE, "bob")
    assert server.muted == [("bob", "TR_m")]


async def test_a_name_that_nobody_has_is_refused_naming_who_is_there() -> None:
    followed = Followed(Server(participant("bob")))
    for do in (Manage.KICK, Manage.MUTE):
        with pytest.raises(UsageError, match="no person in standup is called 'eve'; there is Bob"):
            await followed.people.manage(do, "eve")


async def test_the_lock_is_told() -> None:
    followed = Followed(Server())
    await followed.people.manage(Manage.LOCK)
    assert followed.people.locked
    await followed.people.manage(Manage.UNLOCK)
    assert not followed.people.locked
    assert [event.locked for event in followed.told() if isinstance(event, LockChanged)] == [True, False]


async def test_what_a_page_says_counts_only_for_who_joined_from_that_browser() -> None:
    followed = Followed(Server(participant("bob"), participant("zoe")))
    followed.people.admitted("bob", Comer(Role.GUEST, DEVICE))
    followed.people.admitted("zoe", Comer(Role.GUEST))
    said = ConnectionReport(ice=IceState.CONNECTED, path="tcp", loss=0.01, rtt_ms=20)
    assert followed.people.report(DEVICE, "bob", said)
    for device, identity in ((DEVICE, "zoe"), ("f" * 16, "bob"), (DEVICE, "eve")):
        assert not followed.people.report(device, identity, said)
    await followed.people.look()
    bob, zoe = followed.people.people()
    assert (bob.ice, bob.path, bob.loss, bob.rtt_ms) == ("connected", "tcp", 0.01, 20)
    assert (zoe.ice, zoe.path, zoe.loss, zoe.rtt_ms) == (None, None, None, None)


async def test_seconds_talked_are_the_chair_s_word_and_a_line_that_grows_counts_once() -> None:
    followed = Followed(Server(participant("bob")))

    def said(line_id: str, seconds: float, seat: str = CHAIR_IDENTITY, **changes: Any) -> None:
        line = Line(id=line_id, at=100.0, ended_at=100.0 + seconds, speaker="Bob", identity="bob", text="Hello")
        followed.people.observe(ChildMessage(seat, Utterance(line=line.model_copy(update=changes)), 0.0))

    said("1", 1.0)
    said("1", 2.5)
    said("2", 1.0, ended_at=None)
    said("3", 9.0, seat="ada")
    for number in range(20):
        said(f"more-{number}", 0.5)
    await followed.people.look()
    assert [one.talked_s for one in followed.people.people()] == [12.5]


async def test_a_lock_holds_for_tokens_that_are_out_already_and_not_for_who_has_been_there() -> None:
    server = Server(participant("bob"))
    followed = Followed(server)
    for identity, device, role in (
        ("bob", DEVICE, Role.GUEST),
        ("bob-again", DEVICE, Role.GUEST),
        ("eve", DEVICE[::-1], Role.GUEST),
        ("script", None, Role.GUEST),
        ("hanna", None, Role.HOST),
    ):
        followed.people.admitted(identity, Comer(role, device, link=f"{role}-0"))
    await followed.people.manage(Manage.LOCK)
    assert followed.people.knows_device(DEVICE) and not followed.people.knows_device(DEVICE[::-1])
    server.present = [participant("eve")]
    await followed.people.look()
    assert server.removed == ["eve"], "also by another way than ours"
    names = ("bob", "bob-again", "eve", "script", "hanna")
    assert [name for name in names if followed.people.keeps_out(name)] == ["eve", "script"]
    await followed.people.manage(Manage.UNLOCK)
    assert not any(followed.people.keeps_out(name) for name in names)
