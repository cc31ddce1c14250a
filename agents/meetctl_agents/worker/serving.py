"""The worker: `python -m meetctl_agents.worker.serving`. Takes seats that LiveKit offers, and runs each in a process.

It reads a `WorkerOrder` on stdin. Told to leave, it takes no more seats and ends those it has in good order: whoever
controls them fills them again elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing.forkserver
import os
import signal
from collections.abc import Sequence

from livekit import api
from livekit.agents import AgentServer, JobRequest
from pydantic import ValidationError

from meetctl.errors import LiveKitError, MeetctlError
from meetctl.protocol import ROLE_ATTRIBUTE, Failed, Serving
from meetctl.protocol.dispatch import Job, WorkerOrder, worker_name
from meetctl.protocol.seating import JOB_ATTRIBUTE, SEAT_ATTRIBUTE

from ..process.masking import masker_of
from ..process.shell import Shell, run_in_shell
from . import job as jobs

ORDER_S = 60.0
FULL = 0.69
"""The load of a worker that has no seat left: a server that nobody configured offers nothing from 0.7 on, and a draw
weighted by what is free spreads the seats."""
MOST_IDLE = 4
"""Processes that wait for a job: as many seats as a meeting may send at once are taken in one go."""
GOODBYE_S = 6.0
"""For a job to leave its room in good order; the body has four of these seconds, the last lines one."""
DRAIN_S = 1
"""LiveKit's own way, which only waits for jobs to end by themselves: enough to say that no more are taken."""
PRELOADED = ("meetctl_agents.audio", "meetctl_agents.simli", "meetctl_agents.worker.job")

logger = logging.getLogger(__name__)


async def serve(shell: Shell) -> int:
    """Serves until told to leave; returns the exit code."""
    try:
        order = await _order(shell)
        shell.hide(masker_of(order))
        await _ask_the_server(order)
        await _Worker(order, shell).run()
    except MeetctlError as error:
        permanent = not isinstance(error, WorkerLostError)
        shell.report(Failed(code=error.code, message=error.message, hint=error.hint, permanent=permanent))
        return 1
    return 0


class WorkerError(MeetctlError):
    """The worker cannot serve."""

    code = "worker"


class WorkerLostError(WorkerError):
    """LiveKit's server is lost; it may come back."""


class _Worker:
    def __init__(self, order: WorkerOrder, shell: Shell) -> None:
        self._order = order
        self._shell = shell
        self._server = _server(order)
        self._leave = asyncio.Event()

    async def run(self) -> None:
        """Serves until told to leave.

        Raises:
            WorkerLostError: LiveKit does not answer any more.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._leave.set)
        loop.add_reader(self._shell.commands.fileno(), self._on_stdin)
        self._server.on("worker_registered", self._on_registered)
        serving = asyncio.create_task(self._server.run(devmode=False))
        leaving = asyncio.create_task(self._leave.wait())
        await asyncio.wait({serving, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            leaving.cancel()
            if (error := serving.exception()) is not None:
                raise WorkerLostError(f"{self._order.url} is lost: {error}", hint="is the LiveKit server running?")
            return
        self._shell.end_for_certain()
        draining = asyncio.create_task(self._server.drain(timeout=DRAIN_S))  # from here on it is offered nothing
        await asyncio.sleep(0)
        await asyncio.gather(*(self._end(process) for process in self._server._proc_pool.processes))
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        await self._server.aclose()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    async def _end(self, process: object) -> None:
        """Has a process end its job in good order; LiveKit's server has no word of its own for that."""
        if getattr(process, "running_job", None) is not None:
            await process.aclose()  # type: ignore[attr-defined]

    def _on_registered(self, worker: str, _: object) -> None:
        logger.info("registered as %s, %s", worker_name(self._order.label), worker)
        self._shell.report(Serving(url=f"http://{self._order.host}:{self._server._http_server.port}"))  # type: ignore[union-attr]

    def _on_stdin(self) -> None:
        # A `Stop`, or the end: whichever it is, whoever started us wants us gone.
        asyncio.get_running_loop().remove_reader(self._shell.commands.fileno())
        self._leave.set()


def _server(order: WorkerOrder) -> AgentServer:
    if order.models_url is not None:
        os.environ[jobs.MODELS_VARIABLE] = order.models_url
    # Started before LiveKit's worker writes the secret into our environment: what is forked from it never has it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED, "livekit.agents.ipc._preload", "livekit.agents.ipc._preload_freeze"])
    multiprocessing.forkserver.ensure_running()
    server = AgentServer(
        ws_url=order.url,
        api_key=order.api_key,
        api_secret=order.api_secret.get_secret_value(),
        num_idle_processes=min(order.max_agents, MOST_IDLE),
        load_threshold=0.999,
        host=order.host,
        port=order.port,
        session_end_timeout=GOODBYE_S,
        setup_fnc=jobs.prepare,
        multiprocessing_context="forkserver",
    )
    server.load_fnc = lambda serving: FULL * min(len(serving.active_jobs) / order.max_agents, 1.0)
    # LiveKit's worker would take names of its own from the environment: its settings for hosted agents.
    for name in ("LIVEKIT_AGENT_NAME", "LIVEKIT_AGENT_NAME_OVERRIDE", "LIVEKIT_AGENT_DEPLOYMENT"):
        os.environ.pop(name, None)

    async def on_request(request: JobRequest) -> None:
        await _answer(request, server, order.max_agents)

    server.rtc_session(
        jobs.attend, agent_name=worker_name(order.label), on_request=on_request, on_session_end=jobs.goodbye
    )
    return server


async def _answer(request: JobRequest, server: AgentServer, max_agents: int) -> None:
    """Decides by the metadata alone: the server waits three seconds for all workers together."""
    try:
        job = Job.model_validate_json(request.job.metadata)
    except ValidationError as error:
        logger.error("refused: the metadata of dispatch %s is no job: %s", request.job.dispatch_id, _shape(error))
        await request.reject(terminate=False)
        return
    if len(server.active_jobs) >= max_agents:
        logger.warning("refused: %s, all %d seats are taken", job.identity, max_agents)
        await request.reject(terminate=False)
        return
    logger.info("takes %s in room %s", job.identity, request.room.name)
    await request.accept(
        identity=job.identity,
        name=job.name,
        attributes={ROLE_ATTRIBUTE: "agent", SEAT_ATTRIBUTE: job.seat, JOB_ATTRIBUTE: str(job.number)},
    )


def _shape(error: ValidationError) -> str:
    faults: Sequence[object] = [(detail["loc"], detail["msg"]) for detail in error.errors(include_input=False)[:3]]
    return str(faults)


async def _ask_the_server(order: WorkerOrder) -> None:
    """Asks one question with this key: LiveKit's worker would try a wrong one for minutes without a word.

    Raises:
        LiveKitError: the key is refused. A server that is not there yet is waited for.
    """
    try:
        async with api.LiveKitAPI(order.url, order.api_key, order.api_secret.get_secret_value()) as asked:
            await asked.room.list_rooms(api.ListRoomsRequest(names=["none"]))
    except api.ServerError as error:
        if error.status in (401, 403):
            raise LiveKitError(
                f"{order.url} refuses the key {order.api_key!r}: wrong key or secret",
                hint="set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair that this server knows",
            ) from None
        logger.warning("%s answers HTTP %d: %s", order.url, error.status, error.message)
    except Exception as error:
        logger.warning("%s does not answer yet: %r", order.url, error)


async def _order(shell: Shell) -> WorkerOrder:
    try:
        async with asyncio.timeout(ORDER_S):
            line = await asyncio.to_thread(shell.commands.readline)
        return WorkerOrder.model_validate_json(line)
    except (ValidationError, TimeoutError):
        raise WorkerError(
            "the first line on stdin is no worker order", hint="workers are started by `meetctl worker`"
        ) from None


def main() -> None:
    """Serves as this process's only work."""
    run_in_shell(serve)


if __name__ == "__main__":
    main()
