"""Which models an agent speaks by: a language model and a voice, or one that does both. All are closed at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from livekit.agents import APIConnectOptions, llm, tts, utils

from meetctl.protocol import Assignment

from ..models.errors import ModelError
from ..models.fallbacks import watch_fallbacks
from ..models.novelty import Novelty
from ..models.providers import close_model, llm_from_endpoint, reader_from_endpoint, tts_from_endpoint
from ..models.speech_faults import LANGUAGE, SpeechFaults
from ..models.usage import UsageMeter
from ..process.tasks import begin
from ..realtime.model import realtime_from_endpoint
from ..text.clauses import ClauseTokenizer
from .answers import Answering, Answers
from .own_class import NodeModel, NodeVoice, overrides
from .realtime_answers import RealtimeAnswers
from .tool_turn import ToolUse

MODEL_TIMEOUT_S = 10.0
"""For a model's first answer: a cold local model on a busy machine takes a few seconds."""
PATIENCE = APIConnectOptions(max_retry=1, retry_interval=0.5, timeout=MODEL_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Made:
    """What makes an agent's words, and what an agent session is to know of."""

    answers: Answering
    model: llm.LLM[Any]
    voice: tts.TTS[Any] | None


async def answers_from_assignment(
    assignment: Assignment,
    stack: AsyncExitStack,
    own: Any,
    tools: ToolUse | None,
    faults: SpeechFaults,
    count: Callable[[Novelty], None],
    usage: UsageMeter,
) -> Made:
    """Returns the agent's answers.

    Args:
        stack: ends what is begun here.
        own: the agent that a class of somebody's own makes; None = there is none.

    Raises:
        MissingModelError: if there is no model.
        ModelError: if one cannot be made, or used here.
    """
    if assignment.llm is not None and assignment.llm.realtime:
        made = _by_one_model(assignment, own, tools, faults, usage)
        stack.push_async_callback(made.answers.aclose)
        return made
    return _by_two_models(assignment, stack, own, tools, faults, count)


def _by_two_models(
    assignment: Assignment,
    stack: AsyncExitStack,
    own: Any,
    tools: ToolUse | None,
    faults: SpeechFaults,
    count: Callable[[Novelty], None],
) -> Made:
    model = llm_from_endpoint(assignment.llm)
    voice = tts_from_endpoint(assignment.tts, assignment.voice, ClauseTokenizer())
    reader = reader_from_endpoint(assignment.llm)
    watch_fallbacks(model, "language model", faults)
    watch_fallbacks(voice, "speech model", faults)
    stack.push_async_callback(close_model, model)
    stack.push_async_callback(close_model, voice)
    if reader is not None:
        stack.push_async_callback(close_model, reader)
    asked: Any = NodeModel(model, own) if own is not None and overrides(own, "llm_node") else model
    spoken: Any = NodeVoice(voice, own) if own is not None and overrides(own, "tts_node") else voice
    answers = Answers(assignment, asked, spoken, PATIENCE, reader, faults.warn, count, tools)
    if not answers.warming.is_loaded:
        warming = answers.warming.warm_up(model, faults.warn, faults.works, LANGUAGE)
        stack.push_async_callback(utils.aio.cancel_and_wait, begin(warming, "warm-up"))
    return Made(answers, model, voice)


def _by_one_model(
    assignment: Assignment, own: Any, tools: ToolUse | None, faults: SpeechFaults, usage: UsageMeter
) -> Made:
    for node in ("llm_node", "tts_node"):
        if own is not None and overrides(own, node):
            message = f"the class has a {node} of its own, and a realtime model makes its words and sound itself"
            raise ModelError(message, hint=f"remove {node}, or realtime")
    choice = realtime_from_endpoint(assignment.llm, assignment.voice)
    answers = RealtimeAnswers(assignment, choice, faults.warn, faults.works, usage, tools)
    return Made(answers, _Replayed(), None)


class _Replayed(llm.LLM[Any]):
    """Stands in the session for a model that is not asked by it: without one, it says nothing."""

    def chat(self, **_: Any) -> llm.LLMStream:
        raise NotImplementedError("what is said was made before")
