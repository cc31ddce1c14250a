"""`meetctl worker`: this machine takes agents of meetings that are controlled from elsewhere."""

from __future__ import annotations

import asyncio
import re
import secrets

from meetctl.catalogue import BETTER
from meetctl.commands._signals import CODES, ending_signals
from meetctl.display import console
from meetctl.errors import ExitCode, MeetctlError, StandInError, UsageError
from meetctl.local.data import locate
from meetctl.local.ports import free_tcp_port
from meetctl.meeting.seats import MODELS_SEAT, StandInSeat
from meetctl.protocol import Serving, Warn
from meetctl.protocol.dispatch import LABEL, WorkerOrder, worker_name
from meetctl.protocol.secrets import Masker
from meetctl.settings import livekit_from_environment, new_log_dir
from meetctl.supervisor.descendants import adopt_orphans
from meetctl.supervisor.events import BackingOff, ChildMessage, GaveUp, SeatEvent, Unhealthy
from meetctl.supervisor.supervisor import Supervisor
from meetctl.supervisor.sweep import MEETING_VARIABLE
from meetctl.workers.serving import WORKER_SEAT, WorkerSeat

LOGS = "~workers"
"""Where they are among those of meetings; no room can be called so."""
STOP_S = 12.0
"""For the agents to leave their rooms in good order, one beside the other."""


def worker(*, max_agents: int, label: str | None, host: str, port: int, local_models: bool) -> ExitCode:
    """Serves until a signal ends it; returns the code for the shell.

    Raises:
        UsageError: the label cannot be one.
        SettingsError: no server is named.
        StandInError: the server refuses the key, or the worker cannot run.
    """
    if label is not None and not re.fullmatch(LABEL, label):
        raise UsageError(f"{label!r} cannot label a worker", hint="use 1 to 32 of a-z 0-9 and -, as in --label gpu")
    server = livekit_from_environment()
    models_url = f"http://127.0.0.1:{free_tcp_port()}" if local_models and _has_models() else None
    order = WorkerOrder(
        url=server.url,
        api_key=server.api_key,
        api_secret=server.api_secret,
        max_agents=max_agents,
        label=label,
        host=host,
        port=port,
        models_url=models_url,
    )
    adopt_orphans()
    return asyncio.run(_run(order))


async def _run(order: WorkerOrder) -> ExitCode:
    meeting = f"worker-{secrets.token_hex(4)}"
    log_dir = new_log_dir(LOGS)
    log_dir.mkdir(mode=0o700, parents=True)
    mark = {MEETING_VARIABLE: meeting}
    told: asyncio.Future[ExitCode | MeetctlError] = asyncio.get_running_loop().create_future()

    def tell(outcome: ExitCode | MeetctlError) -> None:
        if not told.done():
            told.set_result(outcome)

    def observe(event: SeatEvent) -> None:
        match event:
            case GaveUp(seat=seat, message=message, hint=hint) if seat == WORKER_SEAT:
                tell(StandInError(message, hint=hint))
            case GaveUp(message=message):
                console.talk(f"no local models here: {message}")
            case ChildMessage(seat=seat, event=Serving(url=url)) if seat == WORKER_SEAT:
                name = worker_name(order.label)
                console.talk(f"{name}: takes up to {order.max_agents} agents from {order.url}; health at {url}")
            case ChildMessage(event=Warn(message=message)):
                console.talk(f"warning: {message}")
            case Unhealthy(why=why):
                console.talk(why)
            case BackingOff(seat=seat, delay_s=delay_s):
                console.talk(f"{seat} is started again in {delay_s:.1f} s")
            case _:
                pass

    async def first_line() -> WorkerOrder:
        return order

    loop = asyncio.get_running_loop()
    for number in ending_signals():
        loop.add_signal_handler(number, tell, CODES[number])
    mask = Masker((order.api_secret.get_secret_value(),))
    async with Supervisor(
        meeting=meeting, room=WORKER_SEAT, log_dir=log_dir, mask=mask, stop_timeout_s=STOP_S
    ) as supervisor:
        supervisor.listen(observe)
        console.talk(f"logs in {log_dir}")
        if order.models_url is not None:
            supervisor.add(_models(order.models_url, order.max_agents, mark))
        supervisor.add(WorkerSeat(first_line, mark))
        outcome = await told
    if isinstance(outcome, MeetctlError):
        raise outcome
    return outcome


def _models(url: str, max_agents: int, mark: dict[str, str]) -> StandInSeat:
    # Of the catalogue it loads whatever is asked for, when it is.
    arguments = ("--port", url.rpartition(":")[2], f"--slots={max_agents}", f"--serve=tts={BETTER['tts']}")
    return StandInSeat(MODELS_SEAT, "meetctl.local.models", (*arguments, "--watch-stdin"), url, mark)


def _has_models() -> bool:
    try:
        locate("tts", BETTER["tts"])
    except MeetctlError:
        return False
    return True
