"""What the local face costs to draw, and how soon an avatar that is interrupted is silent in the room."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from pydantic import SecretStr

from benchmarks.measuring import show, spread
from benchmarks.served import served_room
from meetctl.local.simli.face.renderer import renderer_for
from meetctl.local.simli.media.encoder import frame_from_rgba
from meetctl.local.simli.media.pictures import Pictures
from meetctl.local.simli.sessions.session import SimliSession
from meetctl.local.simli.sessions.tokens import SessionRequest
from meetctl.rooms import agent_token, guest_token
from testing.face.stage import simli, staged
from testing.face.viewing import Viewer, speech, viewing

ROOM = "bench"
FPS = 25
DRAWN_S = 20
INTERRUPTIONS = 15
SPOKEN_S = 1.0
"""Before somebody interrupts."""
AFTER_S = 1.0
"""Nothing is heard so long after."""
BOUND_S = 30.0


def main() -> None:
    """Prints both."""
    for what, spoken in (("idle", False), ("speaking", True)):
        show(f"the local face, {what}, drawn at 512x512, 25 fps", "% of a core", value=_drawing(spoken=spoken))
    asyncio.run(_interruptions())


def _drawing(*, spoken: bool) -> float:
    """Returns what the drawing alone takes: posing, painting and the encoder's colours, no encoder."""
    face = renderer_for("ada", 512)
    face.prepare()
    for _ in face.prepare_rest():
        pass
    session = SimliSession(SessionRequest(face_id="ada"), face, FPS)
    if spoken:
        session.playout.push(speech(DRAWN_S + 1.0).tobytes())

    async def draw() -> None:
        for frame in range(DRAWN_S * FPS):
            for _ in range(50 // FPS):
                session.next_audio()
            await pictures.at(session, frame / FPS)

    with ThreadPoolExecutor(1) as painter:
        pictures = Pictures(painter, frame_from_rgba)
        began = time.process_time()
        asyncio.run(draw())
        return 100 * (time.process_time() - began) / DRAWN_S


async def _interruptions() -> None:
    async with AsyncExitStack() as stack:
        config = await stack.enter_async_context(served_room(ROOM))
        faces = stack.enter_context(simli())

        def revealed(token: SecretStr) -> str:
            return token.get_secret_value()

        guest = guest_token(config.credentials, room=ROOM, identity="bob", name="Bob")
        agent = agent_token(config.credentials, room=ROOM, identity="ada", name="Ada")
        viewer = await stack.enter_async_context(viewing(config.url, revealed(guest)))
        stage = await stack.enter_async_context(staged(config.url, revealed(agent), faces.url))
        silences = []
        for number in range(INTERRUPTIONS):
            begun = time.monotonic()
            await stage.speak(speech(5.0))
            await viewer.wait(lambda viewer, begun=begun: _spoken(viewer, begun), BOUND_S)  # type: ignore[misc]
            cleared = time.monotonic()
            stage.bridge.output.clear_buffer()
            await stage.wait_finished(number + 1)
            await asyncio.sleep(AFTER_S)
            silences.append((viewer.loud_since(begun)[-1].at - cleared) * 1000)
    show("avatar interrupted -> silent in the room", "ms", **spread(silences))


def _spoken(viewer: Viewer, begun: float) -> bool:
    loud = viewer.loud_since(begun)
    return bool(loud) and loud[-1].at - loud[0].at > SPOKEN_S


if __name__ == "__main__":
    main()
