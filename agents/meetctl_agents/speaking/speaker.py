"""An agent's voice behind the floor: it listens to the chair's `mc.*` messages and speaks when it is granted the floor.

An AgentSession does the speaking (language model, speech model, playout, interruption, captions, `lk.agent.state`);
what it answers comes from the agent's own memory, never from `lk.transcription`, which any guest can forge. Every
grant ends in exactly one release, with what was really said, whatever goes wrong on the way, and the agent leaves only
when the chair took it. What the agent will say comes from `answers.py`, which may have made it before the grant.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from livekit import rtc
from livekit.agents import NOT_GIVEN, AgentSession, RunContext, llm, room_io, utils
from livekit.agents.voice import events, io
from livekit.agents.voice.agent_session import SessionConnectOptions

from meetctl.protocol import (
    GRANT,
    HEAR,
    PREPARE,
    STILL_LOADING,
    STOP,
    AgentSpeech,
    Assignment,
    Command,
    Decided,
    Grant,
    Hear,
    LastWords,
    Prepare,
    Release,
    Repeats,
    SpeechState,
    StopSpeaking,
    Unsaid,
)
from meetctl.protocol.steps import STEPS

from ..models.novelty import Novelty
from ..models.plugin_http import plugin_http
from ..models.prompt import instructions_from_assignment
from ..models.speech_faults import LANGUAGE, SPEECH, TURN, SpeechFaults
from ..models.unsaid import unsaid_from
from ..models.usage import UsageMeter
from ..models.warming import FIRST_ANSWER_S
from ..process.masking import masker_of
from ..process.tasks import Tasks
from ..process.wire import Report
from ..room.methods import serve
from ..tools.activity import Activity
from ..tools.calls import Calls
from ..tools.chat import chat_tools
from ..tools.hand_over import hand_over_tool
from ..tools.toolbox import Toolbox
from .chair_calls import ChairCalls
from .delivery import Deliveries
from .making import PATIENCE, answers_from_assignment
from .own_class import Outside, TurnContext, leave_out, made_from_class, tools_of_class
from .registration import keep_registered
from .replay_agent import ReplayAgent, forget
from .speech import Speech
from .tool_turn import ToolUse
from .turn import Turn, line_of

TURN_S = 60.0
"""No turn is this long: an answer is cut after some 25 s of speech. Runs out where a model or playout hangs."""
NEVER = 1_000_000
"""Errors in a row before the session would close itself: a model that is away for a while must not end the agent."""
STOP_S = 1.0
"""From the order to leave until what was being said is known to have ended; measured 4 to 20 ms."""
HAND_OVER_S = 1.0
"""And until a chair took it: a living one takes 10 ms; without one the supervisor is told. An avatar is waiting to be
closed, which costs money."""
CLOSE_S = 2.0
TOO_SLOW = "an answer took too long and was cut off"
CUT_OFF = "its model or its voice is too slow for this machine, or its server hangs: see `meetctl logs`"
LEFT_OUT = "a class brings tools, words and sound; models, servers and sets of tools are named in the roster"

logger = logging.getLogger(__name__)


class Speaker:
    """Speaks through `output` when the chair grants the floor; async context manager around the agent session."""

    def __init__(
        self,
        room: rtc.Room,
        assignment: Assignment,
        report: Report,
        output: io.AudioOutput,
        usage: UsageMeter | None = None,
    ) -> None:
        self._room = room
        self._assignment = assignment
        self._report = report
        self._output = output
        self._chair = ChairCalls(room, assignment)
        self._faults = SpeechFaults(report)
        self._turn: Turn | None = None
        self._playing: Turn | None = None
        """Whose sound it is: the next turn may be granted while this one still ends."""
        self._turns = Tasks()
        self._drafts = Tasks()
        self._deliveries = Deliveries(room, assignment.chair_identity, self._tell_supervisor)
        self._usage = usage or UsageMeter(report)
        self._repeats = Repeats()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(plugin_http())
            with STEPS.step("make the voice"):
                self._session = await self._start(stack)
            self._serve()
            if self._assignment.register_with_chair:
                stack.push_async_callback(utils.aio.cancel_and_wait, asyncio.create_task(self._register()))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for method in (HEAR, PREPARE, GRANT, STOP):
            self._room.local_participant.unregister_rpc_method(method)
        if self._turn is not None:
            self._turn.stop()
        await self._turns.wait(STOP_S)
        await self._turns.aclose()
        await self._drafts.aclose()
        await self._deliveries.aclose(HAND_OVER_S)
        await self._answers.aclose()
        await self._stack.aclose()

    async def follow(self, inbox: asyncio.Queue[Command]) -> None:
        """Does what the supervisor tells it, until it is cancelled: people decide about tools."""
        while True:
            match await inbox.get():
                case Decided() as decided if self._tool_use is not None:
                    self._tool_use.decide(decided)
                case _:
                    pass

    async def wait_closed(self) -> None:
        """Waits until the agent session has ended by itself, which it does only by a fault.

        Raises:
            RuntimeError: naming the fault.
        """
        await asyncio.shield(self._closed)

    async def _start(self, stack: AsyncExitStack) -> AgentSession[None]:
        own = await self._own_class()
        if own is not None:
            persona = "\n".join(filter(None, [self._assignment.persona, str(own.instructions)]))
            self._assignment = self._assignment.model_copy(update={"persona": persona})
            for unused in leave_out(own):
                self._faults.warn(f"{unused} left out", LEFT_OUT)
        self._tool_use = await self._tools(stack, own)
        made = await answers_from_assignment(
            self._assignment, stack, own, self._tool_use, self._faults, self._count, self._usage
        )
        self._answers = made.answers
        session: AgentSession[None] = AgentSession(
            llm=made.model,
            tts=made.voice or NOT_GIVEN,
            vad=None,  # the chair hears
            turn_handling={"turn_detection": "manual", "interruption": {"resume_false_interruption": False}},
            user_away_timeout=None,
            aec_warmup_duration=None,
            conn_options=SessionConnectOptions(
                llm_conn_options=PATIENCE, tts_conn_options=PATIENCE, max_unrecoverable_errors=NEVER
            ),
        )
        session.on("agent_state_changed", self._on_state)
        session.on("session_usage_updated", self._on_usage)
        session.on("error", self._faults.on_error)
        session.on("close", self._on_close)
        self._output.on("playback_started", self._on_sound)
        self._output.on("playback_finished", self._on_sound_end)
        session.output.audio = self._output
        self._replay_agent = own or ReplayAgent(instructions_from_assignment(self._assignment))
        await session.start(
            self._replay_agent,
            room=self._room,
            session_host=False,  # on by default, it lets any participant read the prompt and drive the agent
            room_options=room_io.RoomOptions(
                text_input=False, audio_input=False, audio_output=False, close_on_disconnect=False
            ),
        )
        stack.push_async_callback(self._close, session)
        self._answers.read_ahead()
        return session

    async def _own_class(self) -> Any:
        """Returns the agent that a class of somebody's own makes, None where the roster names none."""
        sources = self._assignment.tools.sources if self._assignment.tools is not None else ()
        source = next((one for one in sources if one.agent_class is not None), None)
        if source is None or source.python is None or source.agent_class is None:
            return None
        return await made_from_class(source.python, source.agent_class, self._want_to_say)

    def _want_to_say(self, text: str, is_wish: bool) -> None:
        """Has the agent say this, or speak about it, as soon as it is granted the floor."""
        line_id = self._answers.will_say(text, is_wish=is_wish)
        self._drafts.own(self._chair.want_floor(line_id), line_id)

    async def _tools(self, stack: AsyncExitStack, own: Any = None) -> ToolUse | None:
        rules = self._assignment.tools
        if rules is None or not rules.sources:
            return None
        activity = Activity(self._room)
        stack.push_async_callback(activity.aclose)
        others = [member.name for member in self._assignment.cast if member.identity != self._assignment.identity]
        builtin = {**chat_tools(self._room), **hand_over_tool(others, self._chair.hand_over)}
        faults, methods = self._faults, {} if own is None else tools_of_class(own)
        toolbox = await stack.enter_async_context(Toolbox(rules, faults.warn, faults.works, builtin, methods))
        calls = Calls(
            rules,
            identity=self._assignment.identity,
            name=self._assignment.name,
            mask=masker_of(self._assignment),
            report=self._report,
            warn=self._faults.warn,
            remember=lambda line: self._answers.remember_tool(line),
            active=activity.tell,
            contexts=self._context_of,
        )
        stack.push_async_callback(calls.aclose)
        use = ToolUse(toolbox, calls, self._chair.want_floor)
        stack.push_async_callback(use.aclose)
        return use

    def _context_of(self, call: llm.FunctionCall) -> RunContext[None] | None:
        speech = self._session.current_speech
        if speech is None:
            return None
        session: Any = Outside(self._session, self._want_to_say)
        return TurnContext(session=session, speech_handle=speech, function_call=call)

    async def _close(self, session: AgentSession[None]) -> None:
        self._closed.cancel()
        try:
            async with asyncio.timeout(CLOSE_S):
                await session.aclose()
        except TimeoutError:
            logger.warning("the agent session did not close within %.0f s", CLOSE_S)

    def _serve(self) -> None:
        serve(self._room, HEAR, Hear, self._is_chair, self._on_hear)
        serve(self._room, PREPARE, Prepare, self._is_chair, self._on_prepare)
        serve(self._room, GRANT, Grant, self._is_chair, self._on_grant)
        serve(self._room, STOP, StopSpeaking, self._is_chair, self._on_stop)

    def _is_chair(self, identity: str) -> bool:
        return self._assignment.chair_identity is not None and identity == self._assignment.chair_identity

    async def _register(self) -> None:
        if self._assignment.chair_identity is not None:
            await keep_registered(self._room, self._assignment, self._report)

    # --- what the chair says ---

    def _on_hear(self, hear: Hear, _: str) -> None:
        self._answers.hear(hear.line)

    def _on_prepare(self, prepare: Prepare, _: str) -> str:
        self._answers.prepare(prepare.line)
        return "prepared"

    def _on_grant(self, grant: Grant, _: str) -> str:
        previous = self._turn
        if previous is not None and previous.grant_id == grant.grant_id:
            return "already granted"
        for line in grant.heard:
            self._answers.hear(line)
        is_loaded = self._answers.warming.is_loaded or grant.verbatim is not None
        self._turn = Turn(self._session, grant, TURN_S if is_loaded else TURN_S + FIRST_ANSWER_S)
        self._turns.own(self._speak(self._turn, previous), f"turn-{grant.grant_id}")
        return "granted" if is_loaded else STILL_LOADING

    def _on_stop(self, stop: StopSpeaking, _: str) -> str:
        if self._turn is None or self._turn.grant_id != stop.grant_id:
            return "not speaking"
        self._turn.stop()
        return "stopped"

    # --- a turn ---

    async def _speak(self, turn: Turn, previous: Turn | None) -> None:
        said = Release(grant_id=turn.grant_id, text="", interrupted=True)
        speech: Speech | None = None
        try:
            if previous is not None:
                previous.stop()  # two replies would queue and play one after the other
                await previous.over.wait()
            speech = self._replay_agent.speech = self._answers.take(turn.grant)
            self._drafts.own(self._chair.tell_draft(turn, speech), f"draft-{turn.grant_id}")
            self._playing = turn
            said = await turn.run(speech)
            self._answers.said(turn.grant, speech, line_of(said, self._assignment), cut=turn.stopped)
            if turn.overran:
                self._faults.warn(
                    TOO_SLOW, f"{len(speech.text)} characters came in {turn.longest_s:.0f} s", hint=CUT_OFF
                )
            elif said.text:
                self._faults.works(SPEECH, *(() if turn.grant.verbatim is not None else (LANGUAGE, TURN, TOO_SLOW)))
        except Exception as error:
            said = said.model_copy(update={"unsaid": unsaid_from(error, is_loaded=self._answers.warming.is_loaded)})
            if said.unsaid is Unsaid.NOTHING_NEW:
                logger.info("nothing is said: %s", error)
            else:
                logger.exception("the turn failed")
                self._faults.warn(TURN, error)
            if speech is not None:
                self._answers.discard(speech)
        finally:
            self._deliveries.post(said)
            if self._turn is turn:
                self._turn = None
            forget(self._session, self._replay_agent)
            turn.over.set()

    def _tell_supervisor(self, release: Release) -> None:
        if release.text:
            self._report(LastWords(line=line_of(release, self._assignment)))

    def _count(self, novelty: Novelty) -> None:
        self._repeats = novelty.added_to(self._repeats)
        self._report(self._repeats)

    # --- what the session says ---

    def _on_sound(self, event: io.PlaybackStartedEvent) -> None:
        if self._playing is not None:
            self._playing.sound_began(event.created_at)

    def _on_sound_end(self, event: io.PlaybackFinishedEvent) -> None:
        if self._playing is not None:
            self._playing.sound_ended(event.playback_position)

    def _on_state(self, event: events.AgentStateChangedEvent) -> None:
        state = "listening" if event.new_state == "idle" else event.new_state
        self._report(SpeechState(state=AgentSpeech(state)))

    def _on_usage(self, event: events.SessionUsageUpdatedEvent) -> None:
        self._usage.take_session(event.usage.model_usage)

    def _on_close(self, event: events.CloseEvent) -> None:
        if not self._closed.done():
            self._closed.set_exception(
                RuntimeError(f"the agent session closed: {event.reason.value} {event.error or ''}")
            )
