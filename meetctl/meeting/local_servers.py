"""The local servers of one meeting: livekit-server and the stand-ins, each in a seat, started where it is needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from meetctl.catalogue import BETTER, local_model
from meetctl.errors import ConflictError, StandInError, TimedOutError
from meetctl.local import livekit
from meetctl.local.carrying import Machine, cores
from meetctl.local.ports import free_tcp_port
from meetctl.meeting.seats import LIVEKIT_SEAT, MODELS_SEAT, SIMLI_SEAT, LiveKitSeat, StandInSeat
from meetctl.programs.room_access import StandIns
from meetctl.protocol import PictureCost
from meetctl.protocol.secrets import Masker
from meetctl.roster import Roster
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.events import ChildMessage, SeatEvent, SeatKind
from meetctl.supervisor.state import ProcessState, SeatState
from meetctl.supervisor.supervisor import Supervisor

SERVER_READY_S = 20.0
"""livekit-server answers in 0.3 s on an idle machine; a loaded one may take many times that."""
STAND_IN_READY_S = 120.0
"""The model server loads 650 MB of models and warms them up: 3 s idle, much more on a cold disk under load."""
OTHERS_FIRST_S = 20.0
"""Nobody asks a model anything before somebody is there to ask. A start that takes 3 s on idle cores takes this long on
busy ones, and models that load meanwhile take one of two cores away from it."""
MEASURED_S = 6.0
"""From the start of the local Simli server until it knows what a picture costs: 1 s on idle cores, beside what else
loads. A machine that takes longer is a slow one."""
SPARE_SLOTS = 2
"""Conversations the model server can keep beyond the roster's agents, for those that join later."""


class LocalServers:
    """Starts each server once and knows where it answers; the supervisor keeps them running."""

    def __init__(
        self,
        supervisor: Supervisor,
        mark: Mapping[str, str],
        log_dir: Path,
        mask: Masker,
        *,
        tells_steps: bool = False,
    ) -> None:
        self.stand_ins = StandIns(None, None)
        self._supervisor = supervisor
        self._mark = mark
        self._log_dir = log_dir
        self._mask = mask
        self._told = ("--tell-steps",) if tells_steps else ()
        self._own_livekit = False
        self._files: frozenset[str] = frozenset()
        self.loopback_only = False
        """Whether livekit-server was started here and serves media at a loopback address alone."""
        self.machine: Machine | None = None
        """What is known of it, from the local Simli server."""
        self.seated = asyncio.Event()
        """The meeting's first agents have their seats."""

    def start_stand_ins(self, roster: Roster) -> None:
        """Starts what this roster needs and does not run yet; returns before they serve.

        Raises:
            ConflictError: if the model server runs already, without a file that this roster names.
        """
        self._start_models(roster.local_models, len(roster.agents))
        if roster.needs_local_simli and self.stand_ins.simli_url is None:
            port = free_tcp_port()
            faces = (f"--prepare={face}" for face in roster.local_faces)
            self._seat(SIMLI_SEAT, "meetctl.local.simli", port, "--give-way", "--tell-cost", *faces)
            self.stand_ins = StandIns(self.stand_ins.models_url, f"http://127.0.0.1:{port}")

    def start_voice(self) -> None:
        """Starts the model server, if it does not run yet, for its voice alone; returns before it serves."""
        self._start_models((("tts", BETTER["tts"]),), 0)

    def _start_models(self, wanted: Sequence[tuple[str, str]], agents: int) -> None:
        if self.stand_ins.models_url is None and wanted:
            port = free_tcp_port()
            arguments = [f"--slots={agents + SPARE_SLOTS}", *(f"--serve={part}={model}" for part, model in wanted)]
            self._seat(MODELS_SEAT, "meetctl.local.models", port, *arguments, after=self._others_first)
            self.stand_ins = StandIns(f"http://127.0.0.1:{port}", self.stand_ins.simli_url)
            self._files = frozenset(model for part, model in wanted if local_model(part, model) is None)
        # What the catalogue has is loaded when it is asked for; a file is served only if it was named at the start.
        new = [model for part, model in wanted if local_model(part, model) is None and model not in self._files]
        if new:
            message = f"the model server was started without {', '.join(new)}"
            raise ConflictError(message, hint="meetctl down, then meetctl up")

    async def start_livekit(
        self, binary: Path, config_path: Path, reach: livekit.OuterMedia | None
    ) -> LiveKitCredentials:
        """Starts livekit-server with a key pair of its own; returns when it answers."""
        config = livekit.new_server_config(reach)
        self._mask.add(config.api_secret.get_secret_value())
        livekit.write_config(config, config_path)
        self.loopback_only = config.outer is None
        log = self._log_dir / f"{LIVEKIT_SEAT}.log"
        self._own_livekit = True
        self._supervisor.add(LiveKitSeat(binary, config_path, config.url, log, self._mark))
        await self._wait_ready(LIVEKIT_SEAT, SERVER_READY_S)
        return config.credentials

    def observe(self, event: SeatEvent) -> None:
        """Learns what a picture costs here."""
        if isinstance(event, ChildMessage) and isinstance(event.event, PictureCost) and event.seat == SIMLI_SEAT:
            self.machine = Machine(cores(), event.event.ms)

    async def wait_for_machine(self) -> None:
        """Waits, for a while, until it is known what a picture costs here, where the local Simli server runs."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MEASURED_S):
                await self._supervisor.wait_until(lambda _: self.machine is not None)

    async def wait_for_stand_ins(self) -> StandIns:
        """Waits until those that were started serve; returns where.

        Raises:
            StandInError: if one is fatal, with its own last words.
            TimedOutError: naming the one that does not answer, and its log.
        """
        for seat in self.stand_in_seats():
            await self._wait_ready(seat, STAND_IN_READY_S)
        return self.stand_ins

    async def wait_for_simli(self) -> None:
        """Waits until the local Simli server serves, where there is one; raises as `wait_for_stand_ins` does."""
        if self.stand_ins.simli_url is not None:
            await self._wait_ready(SIMLI_SEAT, STAND_IN_READY_S)

    def stand_in_seats(self) -> list[str]:
        """Returns the seats of the stand-ins that were started."""
        seats = {MODELS_SEAT: self.stand_ins.models_url, SIMLI_SEAT: self.stand_ins.simli_url}
        return [seat for seat, url in seats.items() if url is not None]

    @property
    def livekit_seat(self) -> str | None:
        """The LiveKit server's seat, where the server is ours."""
        return LIVEKIT_SEAT if self._own_livekit else None

    async def wait_for_livekit(self) -> None:
        """Waits until the LiveKit server answers, if it is ours; raises as `wait_for_stand_ins` does."""
        if self._own_livekit:
            await self._wait_ready(LIVEKIT_SEAT, SERVER_READY_S)

    def _seat(
        self, key: str, module: str, port: int, *arguments: str, after: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        argv = ("--port", str(port), *arguments, *self._told, "--watch-stdin")
        self._supervisor.add(StandInSeat(key, module, argv, f"http://127.0.0.1:{port}", self._mark, after=after))

    async def _others_first(self) -> None:
        """Waits, for a while, until the agents are there: on few cores models that load keep everybody waiting."""

        def coming(seat: SeatState) -> bool:
            return seat.kind is SeatKind.AGENT and seat.state in (ProcessState.WAITING, ProcessState.STARTING)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OTHERS_FIRST_S):
                await self.seated.wait()
                await self._supervisor.wait_until(lambda state: not any(map(coming, state.seats.values())))

    async def _wait_ready(self, key: str, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                state = await self._supervisor.wait_until(lambda state: _settled(state.seats[key]))
        except TimeoutError:
            raise TimedOutError(
                f"{key} was not ready within {timeout_s:.0f} s", hint=f"read {self._log_dir / key}.log"
            ) from None
        seat = state.seats[key]
        if not seat.ready:
            raise StandInError(f"{key} did not start: {seat.last_error}", hint=seat.hint)


def _settled(seat: SeatState) -> bool:
    return seat.ready or seat.state in (ProcessState.FATAL, ProcessState.EXITED)
