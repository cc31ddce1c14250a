"""A whole conversation, all of it real: server, models, chair, two agents, and a person with a microphone."""

from __future__ import annotations

from meetctl.protocol import FloorChanged, MediaReceived, Ready, Stop, TurnLatency, Utterance, UtteranceKind
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.human import Human, synthesised
from testing.agents.staging import assignment
from testing.fixtures.livekit import MintToken


async def test_the_agent_that_is_named_answers_aloud_and_the_other_stays_silent(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    def given(identity: str, role: str) -> Child:
        program = "chair" if role == "chair" else "audio"
        token = mint_token(identity, role=role)
        return Child(
            f"meetctl_agents.{program}",
            assignment(livekit_server, room_name, token, identity, models_url=model_server),
        )

    question = await synthesised(model_server, "Max, what should we do before the launch on Friday?")
    async with given("chair", "chair") as chair, given("ada", "agent") as ada, given("max", "agent") as max_:
        for child in (chair, ada, max_):
            await child.wait_said(Ready)
        await chair.wait_said(MediaReceived, lambda event: event.identity == "ada")
        await chair.wait_said(MediaReceived, lambda event: event.identity == "max")

        async with Human(livekit_server.url, mint_token("sam", name="Sam").get_secret_value()) as sam:
            await sam.wait_listened_to()
            ended = await sam.say(question)
            await sam.wait_until(lambda: len(sam.heard("max", ended)) > 20)
            await chair.wait_said(FloorChanged, lambda event: event.holder is None, within=60)
            answer = await chair.wait_said(Utterance, lambda event: event.line.identity == "max")
            await sam.wait_until(lambda: bool(sam.read("max")))

            joined, asked = (event.line for event in chair.said(Utterance)[:2])
            assert (joined.kind, joined.text) == (UtteranceKind.FACT, "Sam joined the meeting.")
            assert (asked.speaker, asked.identity) == ("Sam", "sam")
            assert "launch" in asked.text.lower()
            assert not answer.line.interrupted
            assert answer.line.text.split()[0] in sam.read("max")
            assert not sam.heard("ada")
            captions = [caption for caption in sam.captions if caption.identity == "sam"]
            [caption] = [caption for caption in captions if caption.attributes["lk.transcription_final"] == "true"]
            assert len({caption.attributes["lk.segment_id"] for caption in captions}) == 1
            assert caption.attributes["mc.source"] == "chair"
            assert caption.attributes["lk.transcribed_track_id"] == sam.publication.sid
            latency = chair.said(TurnLatency)[-1]
            assert latency.identity == "max"
            assert 0 < latency.stages_ms["total"] < 15_000

        for child in (max_, ada, chair):
            child.send(Stop())
        for child in (max_, ada, chair):
            assert await child.wait_exit() == 0
            assert not child.bad_lines
