"""One job of a worker: the body of an agent program, in the room that LiveKit sent it to, in a process of its own."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import logging
import os
import socket
import time
from typing import Any

from livekit import rtc
from livekit.agents import JobContext
from pydantic import SecretStr

from meetctl.errors import MeetctlError
from meetctl.protocol import Assignment, Command, Endpoint, Stop
from meetctl.protocol.dispatch import ORPHANED_S, STAND_INS_URL, Job, JobOver

from ..process.masking import masker_of
from ..room.joining import join, leave, why_disconnected
from ..runtime import LEAVE_BODY_S, Body, Inbox, failure_of
from .news import News

LAST_WORDS_S = 1.0
"""For the last lines to be sent; they take milliseconds."""
LOOK_S = 1.0
MODELS_VARIABLE = "MEETCTL_WORKER_MODELS"
"""Where the worker's own local models are, for its jobs."""
SECRETS = ("LIVEKIT_API_SECRET", "LIVEKIT_API_KEY", "LIVEKIT_WORKER_TOKEN")
"""What LiveKit's worker hands to its processes, and nothing that runs for a user may see."""

logger = logging.getLogger(__name__)
_running: list[JobRun] = []
"""The job of this process, which never has another."""


def prepare(_: Any) -> None:
    """Makes a process ready for a job that is still to come."""
    for name in SECRETS:
        os.environ.pop(name, None)
    for program in ("audio", "simli"):
        importlib.import_module(f"meetctl_agents.{program}")


async def attend(context: JobContext) -> None:
    """Begins the job; returns once it runs, for a slot is kept for as long as an entry point does not return."""
    job = Job.model_validate_json(context.job.metadata)
    run = JobRun(context, job)
    _running.append(run)
    await run.begin()


async def goodbye(context: JobContext) -> None:
    """Ends it in good order while its room is still there."""
    for run in _running:
        await run.end()


class JobRun:
    """An agent's body, between the room and its controller."""

    def __init__(self, context: JobContext, job: Job) -> None:
        self._context = context
        self._job = job
        self._room = context.room
        self._assignment = _with_ways_of_this_worker(job, context)
        self._mask = masker_of(self._assignment)
        self._inbox: Inbox = asyncio.Queue()
        self._leave = asyncio.Event()
        self._over = JobOver(code=1, why="its worker ends")
        self._news = News(self._room, job.seat, self._on_order)
        self._working: asyncio.Task[None] | None = None
        self._lost: str | None = None

    async def begin(self) -> None:
        """Joins, and begins the work.

        Raises:
            LiveKitError: the room cannot be joined.
        """

        def masked(record: logging.LogRecord) -> bool:
            record.msg, record.args = self._mask(record.getMessage()), ()
            return True

        for handler in logging.getLogger().handlers:  # LiveKit's, which hands the record to the worker's process
            handler.addFilter(masked)

        @self._room.on("disconnected")
        def on_disconnected(reason: rtc.DisconnectReason.ValueType) -> None:
            if not self._leave.is_set():
                self._lost = why_disconnected(reason, self._assignment).message
                self._leave.set()

        await join(self._room, self._assignment)
        self._context._on_connect()  # or it would be logged that nobody joined
        self._news.open()
        body: Body = importlib.import_module(f"meetctl_agents.{self._job.program}").run_agent
        # In a context of its own: in that of a job, LiveKit's session would join the room once more, record it and end
        # with the job, where it is to be what it is in a process of the supervisor's.
        self._working = asyncio.create_task(self._attend(body), name="attendance", context=contextvars.Context())

    async def end(self) -> None:
        """Has it leave; returns when it has."""
        self._leave.set()
        if self._working is not None:
            await asyncio.wait({self._working})

    async def _attend(self, body: Body) -> None:
        working = asyncio.create_task(self._work(body), name="body")
        leaving = asyncio.create_task(self._leave.wait(), name="leaving")
        looking = asyncio.create_task(self._look(), name="controller")
        await asyncio.wait({working, leaving, looking}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, leaving, looking):
            task.cancel()
        await asyncio.wait({working}, timeout=LEAVE_BODY_S)
        if not working.done():
            logger.error("the body did not end within %.0f s of being cancelled", LEAVE_BODY_S)
        if self._lost is None:
            self._news.report(self._over)
            await self._news.aclose(LAST_WORDS_S)
            await leave(self._room)
        logger.info("%s is over: %s", self._job.identity, self._lost or self._over.why)
        self._context.shutdown(self._over.why)

    async def _work(self, body: Body) -> None:
        try:
            _check(self._job)
            await body(self._room, self._assignment, self._news.report, self._inbox)
            self._over = JobOver(code=0, why="it ended")
        except Exception as error:
            logger.exception("failed")
            self._news.report(failure_of(error, self._mask))
            self._over = JobOver(code=1, why="it failed")

    async def _look(self) -> None:
        while time.monotonic() - self._news.heard_at < ORPHANED_S:
            await asyncio.sleep(LOOK_S)
        self._over = JobOver(code=1, why=f"nothing was heard of its controller for {ORPHANED_S:.0f} s")

    def _on_order(self, command: Command) -> None:
        match command:
            case Stop(reason=reason):
                self._over = JobOver(code=0, why=f"told to stop: {reason}")
                self._leave.set()
            case Assignment():
                logger.warning("a second assignment is ignored")
            case other:
                self._inbox.put_nowait(other)


class LackingError(MeetctlError):
    """The worker has not what its agent needs; another one may."""

    code = "worker_lacks"


def _check(job: Job) -> None:
    """Checks that this worker has what the agent needs.

    Raises:
        LackingError: naming what it lacks.
    """
    here = f"the worker on {socket.gethostname()}"
    missing = [name for name in (*job.keys.values(), *job.variables) if not os.environ.get(name)]
    if missing:
        exports = " ".join(f"{name}=…" for name in missing)
        raise LackingError(
            f"{here} has no {' and no '.join(missing)}, which {job.name} needs",
            hint=f"export {exports} where that `meetctl worker` is started",
        )
    if STAND_INS_URL in job.assignment.model_dump_json() and not os.environ.get(MODELS_VARIABLE):
        raise LackingError(
            f"{here} has no local models, which {job.name} needs", hint="run `meetctl setup` there, and start it again"
        )


def _with_ways_of_this_worker(job: Job, context: JobContext) -> Assignment:
    """Returns the assignment with this worker's way to LiveKit, the job's own token, and keys and local models here."""
    text = job.assignment.model_dump_json()
    models = os.environ.get(MODELS_VARIABLE)
    here = Assignment.model_validate_json(text if models is None else text.replace(STAND_INS_URL, models))
    keys = {provider: os.environ.get(name, "") for provider, name in job.keys.items()}

    def keyed(endpoint: Endpoint | None) -> Endpoint | None:
        if endpoint is None or endpoint.api_key.get_secret_value():
            return endpoint
        key = SecretStr(keys.get(endpoint.provider, "") if endpoint.base_url is None else "")
        return endpoint.model_copy(update={"api_key": key, "fallbacks": tuple(map(keyed, endpoint.fallbacks))})

    face = here.face
    if face is not None:
        face = face.model_copy(update={"api_key": SecretStr(keys.get("simli", ""))})
    tools = here.tools
    if tools is not None:
        inherited = {name: os.environ[name] for name in tools.environment if name in os.environ}
        hidden = tuple(SecretStr(key) for key in keys.values())
        tools = tools.model_copy(update={"environment": inherited, "secrets": hidden})
    here = here.model_copy(update={"llm": keyed(here.llm), "tts": keyed(here.tts), "face": face, "tools": tools})
    info = context._info  # there is no other way to them than through `connect`, which joins as LiveKit would
    return here.model_copy(update={"url": info.url, "token": SecretStr(info.token)})
