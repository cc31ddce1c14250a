"""What goes to a worker: everything that its agent needs to know, and no secret."""

from __future__ import annotations

from pydantic import SecretStr

from meetctl.programs.assignments import agent_assignment
from meetctl.programs.room_access import RoomAccess, StandIns
from meetctl.protocol.dispatch import STAND_INS_URL, Job, link_identity, worker_name
from meetctl.roster import AgentEntry, FaceChoice, ModelChoice, Program, ToolChoice, ToolSettings
from meetctl.settings import LiveKitCredentials
from meetctl.workers.orders import dispatch_order

SECRET = SecretStr("hunter22-hunter22")
CREDENTIALS = LiveKitCredentials("ws://127.0.0.1:1", "APIkey", SecretStr("s" * 40))
PLACE = RoomAccess("standup", CREDENTIALS.url, SECRET, "chair", "Friday", avatar_token=None)
OPENAI = ModelChoice(
    provider="openai", model="gpt-4o", api_key=SECRET, fallbacks=(ModelChoice(provider="groq", api_key=SECRET),)
)
ADA = AgentEntry(
    name="Ada",
    identity="ada",
    program=Program.SIMLI,
    on="workers/gpu",
    persona="You build backends.",
    llm=OPENAI,
    tts=ModelChoice(),
    face=FaceChoice(local=False, face_id="f", api_key=SECRET, url="https://simli.example"),
    tools=ToolSettings(
        choices=(
            ToolChoice(command=("clock",), env={"TOKEN": SECRET}),
            ToolChoice(url="https://tools.example", headers={"Authorization": SECRET}),
        )
    ),
    env={"OWN": SECRET},
)


def test_a_dispatch_holds_no_secret_and_says_which_variables_its_worker_needs() -> None:
    assignment = agent_assignment(
        ADA.model_copy(update={"env": {}}), PLACE, StandIns(STAND_INS_URL, None), seat_number=0, transcript=(), cast=()
    )
    order = dispatch_order(ADA, assignment, CREDENTIALS)
    job = Job(
        seat=order.seat,
        name=order.name,
        number=7,
        program=order.program,
        keys=order.keys,
        variables=order.variables,
        assignment=order.assignment,
    )
    metadata = job.model_dump_json()
    assert "hunter22" not in metadata
    assert CREDENTIALS.api_secret.get_secret_value() not in order.model_dump_json()
    assert dict(job.keys) == {"openai": "OPENAI_API_KEY", "groq": "GROQ_API_KEY", "simli": "SIMLI_API_KEY"}
    assert (job.identity, order.label) == ("ada~7", "gpu")
    read = Job.model_validate_json(metadata)
    assert read.assignment.persona == "You build backends."
    assert read.assignment.tts is not None and read.assignment.tts.base_url == f"{STAND_INS_URL}/v1"


def test_a_label_is_a_name_of_its_own_and_nobody_in_a_roster_can_be_called_like_a_link() -> None:
    assert worker_name("gpu") == f"{worker_name(None)}.gpu"
    assert "~" in link_identity("ada")
