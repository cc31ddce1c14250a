"""A language model that has to be loaded: asked once at the start, waited for, and told of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from livekit.agents import APIConnectOptions, utils
from meetctl_agents.floor.events import AgentCame, CastSet, Directed, HumanCame, StillLoading
from meetctl_agents.floor.machine import LOADING_S, SILENT_S, next_deadline, step
from meetctl_agents.floor.state import Floor
from meetctl_agents.models import warming
from meetctl_agents.models.providers import close_model, llm_from_endpoint
from meetctl_agents.models.warming import FIRST_ANSWER_S, LOADING, Warming, may_have_to_load

from meetctl.protocol import CastMember
from testing.agents.provider_servers import Served, serving
from tests.meetctl_agents.models.test_openai_client import answering, endpoint, events, reply, said

USUAL = APIConnectOptions(max_retry=1, timeout=10)


@pytest.fixture(autouse=True)
async def http_session() -> AsyncIterator[None]:
    async with utils.http_context.open():
        yield


class Told:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.loading = asyncio.Event()

    def warn(self, what: str, error: object) -> None:
        self.said.append(f"{what}: {error}")
        self.loading.set()

    def works(self, what: str) -> None:
        self.said.append(f"works: {what}")


async def warmed(url: str, told: Told) -> Warming:
    state = Warming(is_loaded=False)
    model = llm_from_endpoint(endpoint(url))
    try:
        await state.warm_up(model, told.warn, told.works, "the language model fails")
    finally:
        await close_model(model)
    return state


async def test_a_server_that_says_it_is_loading_is_asked_until_it_answers() -> None:
    loading = reply('{"error": {"message": "Loading model"}}', status=503)
    told = Told()
    async with answering("/chat/completions", loading, events(said("Hello."))) as served:
        state = await warmed(served.url, told)
        assert len(served.asked) == 2
    assert state.is_loaded
    assert told.said == [f"works: {LOADING}"]


async def test_a_model_that_loads_for_long_is_asked_once_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "SHOWN_AFTER_S", 0.05)
    told, served = Told(), Served()
    left = False

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal left
        served.note(request, await request.json())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await asyncio.wait_for(told.loading.wait(), 20)  # it is told of while it loads
        except asyncio.CancelledError:
            left = True
            raise
        await response.prepare(request)
        chunk = {"id": "1", "choices": [{"index": 0, "delta": {"content": "Hello."}, "finish_reason": "stop"}]}
        await response.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
        return response

    async with serving(web.post("/v1/chat/completions", slow), served=served):
        state = await warmed(served.url, told)
    assert state.is_loaded and not left and len(served.asked) == 1
    assert told.said[0].startswith(f"{LOADING}: it has not answered") and told.said[-1] == f"works: {LOADING}"


async def test_a_server_that_is_not_there_is_told_of_before_anybody_asks() -> None:
    told = Told()
    async with answering("/chat/completions", reply("")) as served:
        gone = served.url
    state = await warmed(gone, told)
    assert not state.is_loaded
    assert told.said[0].startswith("the language model fails: ")


def test_a_first_answer_has_a_minute_and_the_others_as_long_as_usual() -> None:
    state = Warming(is_loaded=False)
    assert (state.options(USUAL).timeout, state.patience_s(18)) == (FIRST_ANSWER_S, FIRST_ANSWER_S)
    state.answered()
    assert (state.options(USUAL), state.patience_s(18)) == (USUAL, 18)


def test_only_somebodys_own_server_has_to_load() -> None:
    own = endpoint("http://127.0.0.1:9")
    assert may_have_to_load(own)
    assert not may_have_to_load(own.model_copy(update={"base_url": None}))
    assert not may_have_to_load(own.model_copy(update={"reads_ahead": True}))
    assert not may_have_to_load(None)


def test_the_floor_waits_longer_for_an_agent_whose_model_is_being_loaded() -> None:
    floor = Floor(run="r", cast=(CastMember(identity="ada", name="Ada"),))
    for event in (CastSet(floor.cast), AgentCame("ada"), HumanCame("sam"), Directed("ada", None, None)):
        floor, _ = step(floor, event, 0.0)
    assert floor.hold is not None and next_deadline(floor, 0.0) == SILENT_S
    floor, _ = step(floor, StillLoading("ada", "another"), 1.0)
    assert next_deadline(floor, 1.0) == SILENT_S
    assert floor.hold is not None
    floor, _ = step(floor, StillLoading("ada", floor.hold.grant_id), 1.0)
    assert next_deadline(floor, 1.0) == 1.0 + LOADING_S
