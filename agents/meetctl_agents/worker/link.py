"""The link: `python -m meetctl_agents.worker.link`. The process in a dispatched seat, beside the supervisor.

For the supervisor it is the agent: it reads its commands and tells its events. The agent itself is a job on whichever
worker takes it. A dispatch's own state says only that a worker once said yes, so the job counts from its first word
in the room on, and is lost when it falls silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time

from livekit import api, rtc
from pydantic import ValidationError

from meetctl.errors import LiveKitError, MeetctlError
from meetctl.protocol import MAX_LINE_BYTES, BadLine, Failed, Recovered, Stop, Warn, encode_line, parse_event
from meetctl.protocol.commands import Command
from meetctl.protocol.dispatch import (
    HEARTBEAT_S,
    NEWS,
    ORDERS,
    SILENT_S,
    DispatchOrder,
    Job,
    JobOver,
    worker_name,
)
from meetctl.protocol.lines import parse_command
from meetctl.protocol.seating import job_of

from ..process.masking import masker_of
from ..process.shell import Shell, run_in_shell
from ..process.tasks import Tasks
from ..room.joining import CONNECT_S, SPEAKING, leave
from ..room.seating import seat_of
from ..runtime import failure_of

ORDER_S = 60.0
TAKEN_S = 5.5
"""Until a dispatch is known to be taken: the server asks workers for three seconds and may say so five seconds late."""
JOINING_S = 25.0
"""For a job that was taken: half a second where a process waits for it, and many times that where one has to load."""
AGAIN_S = 1.0
"""Between two dispatches that nobody took."""
LEAVING_S = 5.0
"""For a job that is told to leave."""
LOOK_S = 0.25
LATE_S = 1.0
"""A look that comes so much later than that shows that we stood still ourselves: the news waits to be read."""
GONE_S = 2.0
REQUEST_S = 5.0

logger = logging.getLogger(__name__)


async def control(shell: Shell) -> int:
    """Fills the seat once; returns the exit code: 0 when told to leave, 1 when the job is lost or failed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), shell.commands)
    try:
        async with asyncio.timeout(ORDER_S):
            order = DispatchOrder.model_validate_json(await reader.readline())
    except (ValidationError, TimeoutError, ValueError):
        shell.report(Failed(code="no_order", message="the first line on stdin is no dispatch order", permanent=True))
        return 1
    mask = masker_of(order)
    shell.hide(mask)
    leaving = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, leaving.set)
    link = Link(order, shell, leaving)
    following = asyncio.create_task(link.follow(reader))
    try:
        return await link.run()
    except Exception as error:
        logger.exception("the link broke")
        shell.report(failure_of(error, mask))
        return 1
    finally:
        following.cancel()


class LostError(MeetctlError):
    """The job is gone without a word."""

    code = "worker_lost"


class Link:
    """One life in a dispatched seat."""

    def __init__(self, order: DispatchOrder, shell: Shell, leaving: asyncio.Event) -> None:
        self._order = order
        self._shell = shell
        self._leaving = leaving
        self._room = rtc.Room()
        self._name = worker_name(order.label)
        self._job: Job | None = None
        self._news: asyncio.Queue[rtc.TextStreamReader] = asyncio.Queue()
        self._heard_at: float | None = None
        self._over: JobOver | None = None
        self._gone = asyncio.Event()
        self._removing = Tasks()

    async def run(self) -> int:
        """Returns the exit code.

        Raises:
            MeetctlError: the room cannot be joined, or the server refuses us.
        """
        order = self._order
        async with _api(order) as server:
            self._server = server
            await self._join()
            reading = asyncio.create_task(self._read())
            try:
                await self._clear()
                await self._fill()
                code = await self._watch()
            finally:
                reading.cancel()
                await self._removing.aclose()
                try:
                    async with asyncio.timeout(REQUEST_S):
                        await self._clear()
                except Exception:
                    logger.warning("what is left of the seat was not taken away", exc_info=True)
                await leave(self._room)
            return code

    async def follow(self, commands: asyncio.StreamReader) -> None:
        """Hands on what the supervisor orders; its `Stop`, or its end, ends the job."""
        while line := await commands.readline():
            match parse_command(line):
                case BadLine(why=why):
                    logger.warning("not a command: %s", why)
                case Stop(reason=reason):
                    logger.info("told to stop: %s", reason)
                    break
                case command:
                    await self._tell(command)
        self._leaving.set()

    # --- the room ---

    async def _join(self) -> None:
        order = self._order
        self._room.register_text_stream_handler(NEWS, self._on_news)
        self._room.on("participant_connected", self._on_came)
        self._room.on("participant_disconnected", self._on_left)
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._room.connect(order.url, order.token.get_secret_value(), SPEAKING)
        except (rtc.ConnectError, TimeoutError) as error:
            why = error.message if isinstance(error, rtc.ConnectError) else f"no answer within {CONNECT_S:.0f} s"
            raise LiveKitError(
                f"could not join room {order.room!r} at {order.url}: {why}", hint="is the LiveKit server running?"
            ) from None

    def _on_news(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if self._job is not None and identity == self._job.identity:
            self._news.put_nowait(reader)

    def _on_came(self, participant: rtc.RemoteParticipant) -> None:
        if seat_of(participant) != self._order.seat or self._is_ours(participant.identity):
            return
        # An earlier job that a network had cut off: two of one name are never heard.
        logger.warning("%s came back and is put out", participant.identity)
        self._removing.own(self._remove(participant.identity), f"remove-{participant.identity}")

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if self._is_ours(participant.identity):
            self._gone.set()

    def _is_ours(self, identity: str) -> bool:
        return self._job is not None and identity == self._job.identity

    async def _read(self) -> None:
        while True:
            reader = await self._news.get()
            try:
                text = await reader.read_all()
            except Exception:
                logger.warning("news were cut short", exc_info=True)
                continue
            self._heard_at = time.monotonic()
            for line in text.encode().splitlines():
                self._hand_on(line)

    def _hand_on(self, line: bytes) -> None:
        if not line.strip():
            return
        if b'"job_over"' in line:
            with contextlib.suppress(ValidationError):
                self._over = JobOver.model_validate_json(line)
                return
        match parse_event(line):
            case BadLine(why=why):
                logger.warning("not an event: %s", why)
            case event:
                self._shell.report(event)

    # --- the job ---

    async def _fill(self) -> None:
        """Dispatches until a worker has taken the seat and its job speaks, or until told to leave."""
        order = self._order
        waiting = f"waiting for a worker that serves {self._name}"
        tries = 0
        last = max((job_of(one.identity) for one in self._room.remote_participants.values()), default=0)
        while not self._leaving.is_set():
            last = max(int(time.time()), last + 1)
            self._job = Job(
                seat=order.seat,
                name=order.name,
                number=last,
                program=order.program,
                keys=order.keys,
                variables=order.variables,
                assignment=order.assignment,
            )
            self._heard_at = None
            self._gone.clear()
            dispatch = await self._server.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(
                    agent_name=self._name, room=order.room, metadata=encode_line(self._job).decode()
                )
            )
            if await self._is_heard(dispatch.id):
                if tries:
                    self._shell.report(Recovered(about=waiting))
                return
            tries += 1
            if tries == 1:
                hint = "start one with `meetctl worker`; one that is full, refuses or has another label looks the same"
                self._shell.report(Warn(message=waiting, hint=hint, about=waiting))
            await self._clear()
            await self._wait(AGAIN_S)

    async def _is_heard(self, dispatch: str) -> bool:
        """Waits for the job's first word; not for long where no worker has taken it."""
        began = time.monotonic()
        taken = False
        while self._heard_at is None and not self._leaving.is_set() and not self._gone.is_set():
            passed = time.monotonic() - began
            if passed > (JOINING_S if taken else TAKEN_S):
                return False
            if passed > 1 and not taken:
                taken = await self._is_taken(dispatch)
            await self._wait(LOOK_S)
        return self._heard_at is not None

    async def _is_taken(self, dispatch: str) -> bool:
        try:
            listed = await self._server.agent_dispatch.list_dispatch(self._order.room)
        except api.ServerError as error:
            logger.info("the dispatches cannot be listed: %s", error.message)
            return False
        return any(one.id == dispatch and one.state.jobs for one in listed)

    async def _watch(self) -> int:
        """Watches the job until it is over; returns how it ended."""
        looked_at = said_at = time.monotonic()
        told_at: float | None = None
        while self._over is None:
            now = time.monotonic()
            if now - looked_at > LOOK_S + LATE_S and self._heard_at is not None:
                self._heard_at = now  # we stood still: it may have spoken all the time
            looked_at = now
            if self._leaving.is_set() and told_at is None:
                if self._heard_at is None:
                    return 0
                told_at = now
                await self._tell(Stop())
            if told_at is not None and (self._gone.is_set() or now - told_at > LEAVING_S):
                return 0
            why = self._ailment(now)
            if why is not None:
                self._shell.report(Failed(code=LostError.code, message=why, hint="its worker's log may tell why"))
                return 1
            if now - said_at > 10 * HEARTBEAT_S:
                said_at = now
                await self._tell(None)
            await asyncio.sleep(LOOK_S)
        logger.info("the job is over: %s", self._over.why)
        return self._over.code

    def _ailment(self, now: float) -> str | None:
        assert self._job is not None
        if self._gone.is_set() and self._news.empty() and self._over is None:
            return f"{self._job.identity} left the room"
        if self._heard_at is not None and now - self._heard_at > SILENT_S:
            return f"nothing was heard of {self._job.identity} for {SILENT_S:.0f} s: its worker or its network is gone"
        return None

    async def _tell(self, command: Command | None) -> None:
        """Sends the job an order; None = only that we are there."""
        if self._job is None:
            return
        request = api.SendDataRequest(
            room=self._order.room,
            data=encode_line(command) if command is not None else b"\n",
            kind=api.DataPacket.Kind.RELIABLE,
            destination_identities=[self._job.identity],
            topic=ORDERS,
        )
        try:
            await self._server.room.send_data(request)
        except Exception as error:
            logger.warning("an order did not reach %s: %r", self._job.identity, error)

    async def _clear(self) -> None:
        """Takes away whatever is left of this seat: who is in it, and what was dispatched for it; returns when gone.

        In this order: the end of a dispatch ends whoever stands in its job's identity.
        """
        room = self._order.room
        for identity in await self._in_the_seat():
            await self._remove(identity)
        for dispatch in await self._server.agent_dispatch.list_dispatch(room):
            if _seat_of_dispatch(dispatch.metadata) == self._order.seat:
                with contextlib.suppress(api.ServerError):
                    await self._server.agent_dispatch.delete_dispatch(dispatch.id, room)
        end = time.monotonic() + GONE_S
        while left := await self._in_the_seat():
            if time.monotonic() > end:
                logger.error("still in the seat: %s", ", ".join(left))
                return
            await asyncio.sleep(LOOK_S)

    async def _in_the_seat(self) -> list[str]:
        listed = await self._server.room.list_participants(api.ListParticipantsRequest(room=self._order.room))
        prefix = f"{self._order.seat}~"
        there = (one.identity for one in listed.participants if one.identity.startswith(prefix))
        return [identity for identity in there if job_of(identity)]

    async def _remove(self, identity: str) -> None:
        with contextlib.suppress(api.ServerError):
            await self._server.room.remove_participant(
                api.RoomParticipantIdentity(room=self._order.room, identity=identity)
            )

    async def _wait(self, seconds: float) -> None:
        """Waits, but not for long once told to leave."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._leaving.wait()


def _api(order: DispatchOrder) -> api.LiveKitAPI:
    return api.LiveKitAPI.with_token(order.admin.get_secret_value(), order.url)


def _seat_of_dispatch(metadata: str) -> str | None:
    try:
        return Job.model_validate_json(metadata).seat
    except ValidationError:
        return None


def main() -> None:
    """Controls one seat as this process's only work."""
    run_in_shell(control)


if __name__ == "__main__":
    main()
