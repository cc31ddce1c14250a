"""`POST /integrations/livekit/agents`: the face joins another's room and speaks what the agent there streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from aiohttp import web
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from meetctl.local.simli.config import Faults
from meetctl.local.simli.faults import FaultBox, unprocessable
from meetctl.local.simli.media.publisher import LEAVE_SECONDS, RoomPublisher
from meetctl.local.simli.protocols.compose import overruled, play_faults, unavailable
from meetctl.local.simli.protocols.token_routes import answer
from meetctl.local.simli.sessions.playout import SAMPLE_RATE
from meetctl.local.simli.sessions.segments import PlaybackFinished, Segments
from meetctl.local.simli.sessions.session import SimliSession
from meetctl.local.simli.sessions.stage import Stage
from meetctl.local.simli.sessions.tokens import SessionRequest, SessionTokens

if TYPE_CHECKING:
    from livekit import rtc

AUDIO_TOPIC = "lk.audio_stream"
CLEAR_METHOD = "lk.clear_buffer"
FINISHED_METHOD = "lk.playback_finished"
AGENT_ATTRIBUTE = "lk.publish_on_behalf"

TRAILER_SECONDS = 10.0
"""A stream this long without a byte has lost its end; speech comes faster than real time."""

_log = logging.getLogger("meetctl.simli")


class _Invitation(BaseModel):
    model_config = ConfigDict(extra="ignore")

    session_token: str
    livekit_token: SecretStr
    livekit_url: str


class WorkerHandler:
    """Invitations to rooms, and the faces that followed them."""

    def __init__(self, stage: Stage, tokens: SessionTokens, faults: FaultBox) -> None:
        self._stage = stage
        self._tokens = tokens
        self._faults = faults
        self._workers: set[asyncio.Task[None]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """Answers when the face has joined the room, or could not."""
        faults = self._faults.for_session()
        if faults.socket_status is not None:
            return unavailable(faults)
        try:
            invitation = _Invitation.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "body"
            return answer(unprocessable(field, first["msg"], first["type"]), status=422)
        wanted = self._tokens.find(invitation.session_token)
        if wanted is None:
            return answer({"error": "Invalid session token", "code": "INVALID_SESSION_TOKEN"}, status=400)
        if faults.session_error is not None:
            return answer({"error": faults.session_error}, status=400)
        if urlsplit(invitation.livekit_url).scheme not in ("ws", "wss", "http", "https"):
            return answer({"error": "livekit_url is not a URL of a LiveKit server"}, status=400)
        joined: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        worker = asyncio.create_task(self._work(wanted, invitation, joined, faults))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        try:
            session_id = await joined
        except ConnectionError as error:
            return answer({"error": str(error), "code": "LIVEKIT_CONNECTION_FAILED"}, status=400)
        return answer({"status": "success", "session_id": session_id, "destination": "bG9jYWw="})

    async def close(self) -> None:
        """Lets the faces leave their rooms, then ends them."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=LEAVE_SECONDS)
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(
        self, wanted: SessionRequest, invitation: _Invitation, joined: asyncio.Future[str], faults: Faults
    ) -> None:
        async with (
            self._stage.session(overruled(wanted, faults)) as session,
            RoomPublisher(session, self._stage.painters, video=not faults.never_video) as publisher,
        ):
            guest = _Guest(session, publisher)
            try:
                await publisher.join(invitation.livekit_url, invitation.livekit_token.get_secret_value())
            except ConnectionError as error:
                joined.set_exception(error)
                return
            joined.set_result(session.id)
            try:
                await publisher.publish()
                await guest.serve(faults)
            finally:
                await guest.close()


class _Guest:
    """The talk between a face in a room and the agent it speaks for."""

    def __init__(self, session: SimliSession, publisher: RoomPublisher) -> None:
        self._session = session
        self._publisher = publisher
        self._room = publisher.room
        self._segments = Segments()
        self._reports: asyncio.Queue[PlaybackFinished] = asyncio.Queue()
        self._readers: set[asyncio.Task[None]] = set()
        self._agent_gone = asyncio.Event()
        self._room.on("participant_disconnected", self._somebody_left)
        self._room.register_byte_stream_handler(AUDIO_TOPIC, self._stream_opened)

    @property
    def agent(self) -> str | None:
        """The identity the face speaks for; None = anybody."""
        return self._room.local_participant.attributes.get(AGENT_ATTRIBUTE) or None

    async def serve(self, faults: Faults) -> None:
        """Speaks until the session is over, the agent has left, or the room let us go."""
        self._room.local_participant.register_rpc_method(CLEAR_METHOD, self._clear)
        session = self._session
        helpers = [
            asyncio.ensure_future(self._watch_playout()),
            asyncio.ensure_future(self._send_reports()),
            asyncio.ensure_future(play_faults(session, faults)),
            asyncio.ensure_future(session.ended.wait()),
            asyncio.ensure_future(self._agent_gone.wait()),
            asyncio.ensure_future(self._publisher.left.wait()),
        ]
        try:
            await asyncio.wait(helpers[3:], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def close(self) -> None:
        """Stops reading."""
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def _somebody_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self.agent:
            self._agent_gone.set()

    def _stream_opened(self, reader: rtc.ByteStreamReader, sender: str) -> None:
        if self.agent not in (None, sender):
            _log.warning("session %s: audio from %s, who is not the agent, is ignored", self._session.id, sender)
            reader.close()
            return
        # Noted here, not in the task: a clear that follows must find the segment.
        self._segments.begin(reader.info.stream_id, self._session.playout.pushed)
        task = asyncio.create_task(self._read(reader))
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)

    async def _read(self, reader: rtc.ByteStreamReader) -> None:
        from livekit.rtc import StreamError

        key, playout = reader.info.stream_id, self._session.playout
        convert = _Converter(reader.info.attributes or {})
        try:
            while True:
                async with asyncio.timeout(TRAILER_SECONDS):
                    chunk = await anext(reader)
                if self._segments.wants(key):
                    playout.push(convert(bytes(chunk)))
        except (StopAsyncIteration, TimeoutError, StreamError):
            self._segments.complete(key, playout.pushed)
        finally:
            reader.close()

    async def _clear(self, data: rtc.RpcInvocationData) -> str:
        if self.agent not in (None, data.caller_identity):
            return "reject"
        cut = self._segments.cut(self._session.playout.consumed)
        self._session.receive("SKIP")
        for report in cut:
            self._reports.put_nowait(report)
        return "ok"

    async def _watch_playout(self) -> None:
        while True:
            await self._session.played.wait()
            self._session.played.clear()
            for report in self._segments.played(self._session.playout.consumed):
                self._reports.put_nowait(report)

    async def _send_reports(self) -> None:
        from livekit.rtc import RpcError

        while True:
            report = await self._reports.get()
            body: dict[str, Any] = {"playback_position": report.seconds, "interrupted": asdict(report)["interrupted"]}
            target = self.agent or next(iter(self._room.remote_participants), None)
            if target is not None:
                with contextlib.suppress(RpcError):  # an agent that has just left
                    await self._room.local_participant.perform_rpc(
                        destination_identity=target, method=FINISHED_METHOD, payload=json.dumps(body)
                    )


class _Converter:
    """From the stream's sample rate and channels to 16 kHz mono."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self._rate = int(attributes.get("sample_rate", SAMPLE_RATE))
        self._channels = int(attributes.get("num_channels", 1))
        self._resampler: rtc.AudioResampler | None = None
        if self._rate != SAMPLE_RATE:
            from livekit import rtc

            self._resampler = rtc.AudioResampler(self._rate, SAMPLE_RATE)

    def __call__(self, pcm: bytes) -> bytes:
        if self._channels > 1:
            whole = len(pcm) // (2 * self._channels) * 2 * self._channels
            samples = np.frombuffer(pcm[:whole], "<i2").reshape(-1, self._channels)
            pcm = samples.mean(axis=1).astype("<i2").tobytes()
        if self._resampler is None:
            return pcm
        return b"".join(bytes(frame.data) for frame in self._resampler.push(bytearray(pcm)))
