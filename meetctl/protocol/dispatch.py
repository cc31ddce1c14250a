"""What a controller and the workers say to each other, through LiveKit's dispatch and inside the room. Values only.

    controller ── metadata of a dispatch: `Job` ──────────────► worker, whose job joins as `ada~7`
    controller ── data packets of the server, ORDERS ─────────► job: one command a packet
    controller ◄─ text streams, NEWS ────────────────────────── job: lines of the wire, or an empty one

Data packets of the server can be sent by nobody but a holder of the API key, so they need no other proof; what a job
says is believed by its identity, which the server vouches for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, field_serializer

from meetctl.protocol.commands import SCHEMA_VERSION, Assignment
from meetctl.protocol.seating import JOB_SEPARATOR, job_identity
from meetctl.protocol.values import Model

ORDERS = "mc.orders"
NEWS = "mc.news"
"""Topics."""
HEARTBEAT_S = 0.5
"""A job says something at least so often; so does its controller, ten times as rarely."""
SILENT_S = 3.0
"""A job that was not heard for so long is lost: its process, its machine or its network."""
ORPHANED_S = 30.0
"""A job that heard nothing of its controller for so long leaves: nobody would ever end it."""
STAND_INS_URL = "http://stand-ins.invalid"
"""In an assignment for whichever worker takes it: that worker's own local servers."""
LABEL = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
"""What a worker can be labelled with."""


def worker_name(label: str | None) -> str:
    """Returns the agent name by which workers of this wire and this label are known to LiveKit."""
    name = f"meetctl.v{SCHEMA_VERSION}"
    return name if label is None else f"{name}.{label}"


def link_identity(seat: str) -> str:
    """Returns the identity of whoever controls a dispatched seat: one at a time, a later one takes over."""
    return f"{JOB_SEPARATOR}control{JOB_SEPARATOR}{seat}"


class Job(Model):
    """The metadata of a dispatch: one life in a seat. It holds no secret; it stands in LiveKit's store in the clear."""

    seat: str
    name: str
    number: int = Field(ge=1)
    program: Literal["audio", "simli"]
    keys: Mapping[str, str] = Field(default_factory=dict)
    """The variable that holds the key of each provider, on the worker."""
    variables: tuple[str, ...] = ()
    """What else has to be set there."""
    assignment: Assignment
    """With neither address nor token: the worker has its own of both."""

    @property
    def identity(self) -> str:
        return job_identity(self.seat, self.number)


class JobOver(Model):
    """The last line of a job: it left the room for this reason."""

    type: Literal["job_over"] = "job_over"
    code: int
    """As a process would exit: 0 = it was told to leave."""
    why: str


class DispatchOrder(Model):
    """The first line of the link, the process in a dispatched seat."""

    type: Literal["dispatch_order"] = "dispatch_order"
    url: str
    admin: SecretStr
    """A token that administers the room."""
    token: SecretStr
    """One that joins it, unseen."""
    room: str
    seat: str
    name: str
    program: Literal["audio", "simli"]
    label: str | None = None
    keys: Mapping[str, str] = Field(default_factory=dict)
    variables: tuple[str, ...] = ()
    assignment: Assignment

    @field_serializer("admin", "token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()


class WorkerOrder(Model):
    """The first line of a worker's process."""

    type: Literal["worker_order"] = "worker_order"
    url: str
    api_key: str
    api_secret: SecretStr
    max_agents: int = Field(ge=1)
    label: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    """Where its health is asked for; 0 = a free one."""
    models_url: str | None = None
    """Its local model server; None = it has none."""

    @field_serializer("api_secret", when_used="json")
    def _reveal(self, secret: SecretStr) -> str:
        return secret.get_secret_value()
