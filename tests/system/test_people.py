"""People of a running meeting: seen, muted, removed for good, and kept outside; by the installed command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from livekit import rtc
from yarl import URL

from meetctl.reach.signaling import PATHS
from meetctl.settings import LiveKitCredentials
from testing.fixtures.command import Meetctl, command_in
from testing.fixtures.lanes import Lane, starts
from tests.meetctl.reach.test_signaling import OTHERS
from tests.system.light import WAIT_S, written
from tests.system.standing import Standing

ROOM = "people"
DEVICE = "0123456789abcdef0123456789abcdef"
ASK = "mc.ask-unmute"
Details = dict[str, Any]


@dataclass(slots=True)
class Hall:
    """A meeting with nobody but people."""

    meeting: Standing
    link: str

    async def document(self) -> Details:
        """Returns the meeting's part of `status --json`."""
        return await self.meeting.answer("status")

    @property
    def origin(self) -> str:
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.link))

    def invite(self, link: str = "") -> str:
        return urlsplit(link or self.link).fragment.removeprefix("invite=")

    async def post(self, path: str, **body: Any) -> tuple[int, Details]:
        body.setdefault("invite", self.invite())
        async with aiohttp.ClientSession() as client, client.post(f"{self.origin}{path}", json=body) as response:
            return response.status, await response.json() if response.status != 204 else {}

    async def token(self, name: str, device: str | None = None) -> Details:
        status, details = await self.post("/api/join", name=name, device=device)
        assert status == 200, details
        return details

    async def run(self, *arguments: str) -> tuple[int, str]:
        ran = await asyncio.to_thread(self.meeting.meetctl, *arguments)
        return ran.code, ran.out + ran.err

    async def until(self, condition: Callable[[list[Details]], bool]) -> list[Details]:
        """Waits until the people in `status` are so; returns them."""
        people: list[Details] = []
        async with asyncio.timeout(WAIT_S):
            while True:
                people = (await self.document())["people"]
                if condition(people):
                    return people
                await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
@starts(Lane.SYSTEM)
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with command_in(tmp_path_factory.mktemp("hall")) as meetctl:
        up = meetctl("up", written(meetctl, ROOM), "-d")
        assert up.code == 0, up.err
        yield Hall(Standing(meetctl, ROOM), up.out.strip())


@asynccontextmanager
async def person(url: str, token: str) -> AsyncIterator[rtc.Room]:
    """Yields somebody in the room, with a microphone that is on."""
    room = rtc.Room()
    async with asyncio.timeout(WAIT_S):
        await room.connect(url, token)
        source = rtc.AudioSource(48_000, 1)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("mic", source), options)
    try:
        yield room
    finally:
        await room.disconnect()
        await source.aclose()


async def test_a_person_is_seen_muted_and_removed_and_does_not_come_back_by_any_way(hall: Hall) -> None:
    details = await hall.token("Bob", DEVICE)
    identity, token, url = details["identity"], details["token"], details["livekit_url"]
    assert urlsplit(url).netloc == urlsplit(hall.origin).netloc, "one way in"
    gone = asyncio.Event()
    again, other = (await hall.token("Rob", DEVICE))["token"], (await hall.token("Zoe", DEVICE[::-1]))["token"]
    async with person(url, token) as room:
        room.on("disconnected", lambda reason: gone.set())
        (bob,) = await hall.until(lambda people: [one["microphone"] for one in people] == [True])
        assert (bob["identity"], bob["name"], bob["role"], bob["camera"]) == (identity, "Bob", "guest", False)
        assert (bob["ice"], bob["path"], bob["talked_s"]) == (None, None, 0.0)

        connection = {"ice": "connected", "path": "udp", "loss": 0.0, "rtt_ms": 1.5}
        said = {"identity": identity, "connection": connection}
        assert (await hall.post("/api/report", device=DEVICE, **said))[0] == 204
        assert (await hall.post("/api/report", device=DEVICE[::-1], **said))[0] == 403
        for wrong in ({"loss": 2}, {"rtt_ms": -1}, {"path": "carrier pigeon"}, {"ice": "cold"}, {"more": 1}):
            body = {"identity": identity, "connection": {**connection, **wrong}}
            assert (await hall.post("/api/report", device=DEVICE, **body))[0] == 400
        (bob,) = await hall.until(lambda people: [one["path"] for one in people] == ["udp"])
        assert (bob["ice"], bob["loss"], bob["rtt_ms"]) == ("connected", 0.0, 1.5)

        code, said_of_mute = await hall.run("mute", "bob")
        assert (code, "Bob is muted, until they" in said_of_mute) == (0, True)
        await hall.until(lambda people: [one["microphone"] for one in people] == [False])
        asked = asyncio.Event()
        room.on("data_received", lambda data: asked.set() if (data.topic, data.participant) == (ASK, None) else None)
        code, said_of_ask = await hall.run("unmute", "Bob")
        assert (code, "Bob is asked to switch the microphone on" in said_of_ask) == (0, True)
        async with asyncio.timeout(WAIT_S):
            await asked.wait()
        assert [one["microphone"] for one in (await hall.document())["people"]] == [False]

        code, said_of_kick = await hall.run("kick", "Bob")
        assert (code, "Bob was removed and cannot come back" in said_of_kick) == (0, True)
        async with asyncio.timeout(WAIT_S):
            await gone.wait()
    await hall.until(lambda people: people == [])

    async with aiohttp.ClientSession() as client:
        for path in PATHS:
            for headers in ({}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
                by_header = {**headers, "Authorization": f"Bearer {token}"}
                async with client.get(hall.origin + path, params={"access_token": token}, headers=headers) as response:
                    assert response.status == 403, path
                async with client.get(hall.origin + path, headers=by_header) as response:
                    assert response.status == 403, path
        validate = f"{hall.origin}/rtc/validate"
        for refused, status in ((again, 403), (other, 200)):
            async with client.get(validate, params={"access_token": refused}) as response:
                assert response.status == status, "the other tokens of that browser, and of no other"
        for path in set(OTHERS) - {"/"}:
            place = URL(hall.origin + path, encoded=True)
            for method in ("GET", "POST"):
                by_header = {"Authorization": f"Bearer {token}"}
                async with client.request(method, place, headers=by_header, allow_redirects=False) as response:
                    assert response.status in (404, 405), path
    for refused in (token, again):
        with pytest.raises(rtc.ConnectError):
            await rtc.Room().connect(url, refused)
    for path, body in (("/api/info", {}), ("/api/join", {"name": "Rob"})):
        status, answer = await hall.post(path, device=DEVICE, **body)
        assert (status, answer["code"]) == (403, "removed")
    assert (await hall.post("/api/report", device=DEVICE, **said))[0] == 403

    # Past the page, on the server's own port, which only this machine reaches: in, and out again.
    meeting = await hall.document()
    back = asyncio.Event()
    past = rtc.Room()
    past.on("disconnected", lambda reason: back.set())
    await past.connect(meeting["livekit_url"], token)
    async with asyncio.timeout(WAIT_S):
        await back.wait()


async def test_a_locked_meeting_lets_nobody_new_in_but_a_host(hall: Hall) -> None:
    assert (await hall.run("lock"))[0] == 0
    meeting = await hall.document()
    assert meeting["locked"] is True
    status, answer = await hall.post("/api/join", name="Zoe")
    assert (status, answer["code"]) == (423, "locked")
    code, link = await hall.run("link", "--host")
    host = hall.invite(link.strip())
    assert (code, (await hall.post("/api/join", invite=host, name="Hanna"))[0]) == (0, 200)
    assert (await hall.run("unlock"))[0] == 0
    assert (await hall.post("/api/join", name="Zoe"))[0] == 200


async def test_a_personal_link_is_made_used_and_taken_back_by_the_command_line(hall: Hall) -> None:
    code, link = await hall.run("link", "--name", "Ida", "--role", "observer", "--expires", "2h", "--once")
    invite = hall.invite(link.strip())
    assert (code, invite != hall.invite()) == (0, True)
    status, details = await hall.post("/api/join", invite=invite, name="Eve", device=DEVICE[::-1])
    assert (status, details["name"]) == (200, "Ida")
    assert (await hall.post("/api/join", invite=invite, name="Eve", device="f" * 32))[1]["code"] == "link_used"
    room = rtc.Room()
    await room.connect(details["livekit_url"], details["token"])
    (ida,) = await hall.until(lambda people: [one["name"] for one in people] == ["Ida"])
    assert (ida["role"], ida["microphone"]) == ("observer", False)
    code, said = await hall.run("link", "--revoke", "Ida")
    assert (code, "let nobody in any more" in said) == (0, True)
    assert room.isconnected(), "who is there stays"
    assert (await hall.post("/api/info", invite=invite, device=DEVICE[::-1]))[1]["code"] == "wrong_invite"
    await room.disconnect()
    await hall.until(lambda people: people == [])
    with pytest.raises(rtc.ConnectError):
        await rtc.Room().connect(details["livekit_url"], details["token"])
    code, refusal = await hall.run("link", "--revoke", "Nemo")
    assert (code, "no personal link is for 'Nemo'" in refusal) == (2, True)


async def test_who_is_removed_does_not_come_back_by_another_token_of_their_personal_link(hall: Hall) -> None:
    invite = hall.invite((await hall.run("link", "--name", "Pat", "--host"))[1].strip())
    (_, details), (_, again) = [await hall.post("/api/join", invite=invite, name="Pat") for _ in range(2)]
    async with person(details["livekit_url"], details["token"]), aiohttp.ClientSession() as client:
        code, said = await hall.run("kick", details["identity"])
        assert (code, "They may know the hosts' link" in said) == (0, True)
        async with client.get(f"{hall.origin}/rtc/validate", params={"access_token": again["token"]}) as response:
            assert response.status == 403
    await hall.until(lambda people: people == [])


async def test_nobody_comes_in_under_a_name_in_use_an_agent_s_or_the_meeting_s_own(hall: Hall) -> None:
    details = await hall.token("Bob")
    async with person(details["livekit_url"], details["token"]):
        await hall.until(lambda people: [one["name"] for one in people] == ["Bob"])
        wanted = ("bob", "Idler", "idler", "Chair", "<i>Bob</i>")
        names = {name: (await hall.token(name))["name"] for name in wanted}
    assert names == {
        "bob": "bob (2)",
        "Idler": "Idler (guest)",
        "idler": "idler (guest 2)",
        "Chair": "Chair (guest)",
        "<i>Bob</i>": "<i>Bob</i>",
    }
    await hall.until(lambda people: people == [])


async def test_all_links_are_taken_back_at_once_and_the_new_one_is_told(hall: Hall) -> None:
    before = (await hall.run("link"))[1].strip()
    code, said = await hall.run("link", "--revoke", "all")
    assert (code, hall.invite(before) in said) == (0, False)
    after = (await hall.run("link"))[1].strip()
    assert after != before and after in said
    assert (await hall.document())["join_link"] == after
    hall.link = after
    assert (await hall.post("/api/info", invite=hall.invite(before)))[0] == 403
    assert (await hall.post("/api/info", invite=hall.invite(after)))[0] == 200


async def test_before_a_server_that_is_not_ours_whoever_comes_back_is_removed_again_and_that_is_said(
    meetctl: Meetctl, livekit_server: LiveKitCredentials
) -> None:
    secret = livekit_server.api_secret.get_secret_value()
    head = f'livekit: {{url: "{livekit_server.url}", api_key: {livekit_server.api_key}, api_secret: "{secret}"}}\n'
    roster = written(meetctl, "elsewhere", head=head)
    check = await asyncio.to_thread(meetctl, "check", roster)
    assert (check.code, "is not meetctl's own server: nothing of meetctl's stands before it" in check.err) == (0, True)
    up = await asyncio.to_thread(meetctl, "up", roster, "-d")
    assert up.code == 0, up.err
    hall = Hall(Standing(meetctl, "elsewhere"), up.out.strip())
    details, again = await hall.token("Bob", DEVICE), await hall.token("Rob", DEVICE)
    assert details["livekit_url"] == livekit_server.url
    async with person(details["livekit_url"], details["token"]):
        await hall.until(lambda people: [one["name"] for one in people] == ["Bob"])
        code, said = await hall.run("kick", "Bob")
        assert (code, "whoever comes back is removed again within seconds" in said) == (0, True)
    for token in (details["token"], again["token"]):
        back = asyncio.Event()
        room = rtc.Room()
        room.on("disconnected", lambda reason, back=back: back.set())
        await room.connect(livekit_server.url, token)
        async with asyncio.timeout(WAIT_S):
            await back.wait()
    assert (await hall.document())["people"] == []
    assert (await hall.post("/api/join", name="Rob", device=DEVICE))[1]["code"] == "removed"
    assert (await hall.post("/api/trial"))[0] == 404


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--once"], "belong to a personal link"),
        (["--name", "Bob", "--expires", "soon"], "--expires 'soon' is no duration"),
        (["--name", ""], "a name has 1 to 64 visible characters"),
    ],
)
async def test_a_link_that_cannot_be_is_refused_with_the_reason(hall: Hall, arguments: list[str], told: str) -> None:
    code, refusal = await hall.run("link", *arguments)
    assert (code, told in refusal) == (2, True), refusal


async def test_only_a_host_manages_people_and_what_cannot_be_is_said(hall: Hall) -> None:
    for invite, expected in ((hall.invite(), 403), ("nobody", 403)):
        for do in ("kick", "mute", "lock", "unlock", "end"):
            assert (await hall.post("/api/manage", invite=invite, do=do, person="Zoe"))[0] == expected
    code, refusal = await hall.run("kick", "Nemo")
    assert (code, "no person in people is called 'Nemo'" in refusal) == (2, True)
    meeting = await hall.document()
    assert (meeting["room"], meeting["locked"]) == (ROOM, False)


async def test_of_three_hundred_names_a_second_few_come_in_and_a_host_still_does(hall: Hall) -> None:
    url, body = f"{hall.origin}/api/join", {"invite": hall.invite()}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as client:

        async def join(number: int) -> int:
            async with client.post(url, json={**body, "name": f"Flood {number}"}) as response:
                return response.status

        answers = await asyncio.gather(*map(join, range(300)))
    assert set(answers) == {200, 429} and answers.count(429) > 100
    host = hall.invite((await hall.run("link", "--host"))[1].strip())
    assert (await hall.post("/api/join", invite=host, name="Hanna"))[0] == 200
    assert (await hall.document())["people"] == []
