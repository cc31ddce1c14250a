"""A livekit-server of a part's own, with one room in it, for as long as the part measures; and who attends there."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from meetctl.local.livekit import LiveKitConfig, new_server_config, server_argv, wait_until_serving, write_config
from meetctl.local.livekit_binary import ensure_server
from meetctl.protocol import Endpoint, MediaReceived, Ready
from meetctl.rooms import Rooms, agent_token, chair_token, guest_token
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.human import Human
from testing.agents.staging import CHAIR, assignment


@asynccontextmanager
async def served_room(room: str) -> AsyncIterator[LiveKitConfig]:
    """Yields where the server answers once the room is there; ends the server."""
    config = new_server_config()
    binary = (await ensure_server()).path
    with tempfile.TemporaryDirectory(prefix="meetctl-bench-") as directory:
        path = Path(directory) / "livekit.yaml"
        write_config(config, path)
        quiet = asyncio.subprocess.DEVNULL
        server = await asyncio.create_subprocess_exec(*server_argv(binary, path), stdout=quiet, stderr=quiet)
        try:
            await wait_until_serving(config.url)
            async with Rooms(config.credentials) as rooms:
                await rooms.create(room)
            yield config
        finally:
            server.kill()
            await server.wait()


@asynccontextmanager
async def attending(
    credentials: LiveKitCredentials,
    room: str,
    agents: Sequence[str],
    models_url: str,
    *,
    chair: str = "meetctl_agents.chair",
    llm: Endpoint | None = None,
) -> AsyncIterator[Child]:
    """Yields the chair of a meeting in which all agents are heard.

    Args:
        agents: their identities.
        chair: the module that is the chair's program.
        llm: what everybody's answers come from; None = the model server at `models_url`.
    """
    async with AsyncExitStack() as stack:
        children = []
        for identity in (CHAIR, *agents):
            program, mint = (chair, chair_token) if identity == CHAIR else ("meetctl_agents.audio", agent_token)
            token = mint(credentials, room=room, identity=identity, name=identity.title())
            given = assignment(credentials, room, token, identity, models_url=models_url)
            if llm is not None:
                given = given.model_copy(update={"llm": llm})
            children.append(await stack.enter_async_context(Child(program, given)))
        for child in children:
            await child.wait_said(Ready)
        for agent in agents:
            await children[0].wait_said(MediaReceived, lambda event, agent=agent: event.identity == agent)  # type: ignore[misc]
        yield children[0]


def guest(credentials: LiveKitCredentials, room: str, identity: str) -> Human:
    """Returns somebody who is in the room once entered."""
    token = guest_token(credentials, room=room, identity=identity, name=identity.title())
    return Human(credentials.url, token.get_secret_value())
