"""What the LiveKit server tells the page, read along on the page's own connection: who is who, and who hears whom."""

from __future__ import annotations

import asyncio

from livekit.protocol.models import ParticipantInfo
from livekit.protocol.rtc import SignalResponse
from playwright.async_api import WebSocket

from testing.browser.window import Window


class Signals:
    """Follows a page from before it joins; knows everybody it was ever told of."""

    def __init__(self, page: Window) -> None:
        self.identity = ""
        """The page's own."""
        self.identities: dict[str, str] = {}
        """By participant sid."""
        self.published: dict[str, str] = {}
        """The page's own tracks: sid by name of the source as the protocol spells it."""
        self.subscribed: set[str] = set()
        """Sids of the page's tracks that somebody has subscribed to."""
        self._news = asyncio.Event()
        page.on("websocket", self._on_websocket)

    async def wait_until_heard(self, within: float) -> None:
        """Waits until somebody subscribes to the page's microphone: the chair, nobody else hears people."""
        async with asyncio.timeout(within):
            while not self.subscribed.intersection(self.published.values()):
                self._news.clear()
                await self._news.wait()

    def _on_websocket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._on_frame)

    def _on_frame(self, payload: bytes | str) -> None:
        if not isinstance(payload, bytes):
            return
        response = SignalResponse.FromString(payload)
        match response.WhichOneof("message"):
            case "join":
                self.identity = response.join.participant.identity
                self._meet(response.join.participant, *response.join.other_participants)
            case "update":
                self._meet(*response.update.participants)
            case "track_published":
                track = response.track_published.track
                self.published[str(track.source)] = track.sid
            case "track_subscribed":
                self.subscribed.add(response.track_subscribed.track_sid)
        self._news.set()

    def _meet(self, *participants: ParticipantInfo) -> None:
        self.identities |= {participant.sid: participant.identity for participant in participants}
