"""What each request over the control socket must say: values, checked where they come in. No I/O.

A request may come from another version of meetctl, or from a script: what it says wrongly is told by name.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from meetctl.errors import UsageError
from meetctl.meeting.drill import DrillFault
from meetctl.roster import AgentEntry, Roster
from meetctl.supervisor.control import Request
from meetctl.web.direction import Directive
from meetctl.web.invites import Role
from meetctl.web.people import Manage

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class Asked(BaseModel):
    """One request; what it says beyond this is somebody else's to read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LinkAsked(Asked):
    host: bool = False
    name: str | None = None
    """Whom a token is for; None = the link alone."""
    role: Role | None = None
    lasting: bool = False
    """The token is for a link of its own, which somebody opens later."""
    personal: str | None = None
    """Whom a link is for that fixes the name."""
    expires_s: Seconds | None = None
    once: bool = False
    revoke: str | None = None
    """Whose links are taken back, or `all`."""


class DownAsked(Asked):
    timeout_s: Seconds | None = None


class JoinAsked(Asked):
    entry: AgentEntry | None = None
    name: str | None = None
    """An entry of the roster's file, where none is given."""
    default_models: bool = False

    @model_validator(mode="after")
    def _says_whom(self) -> JoinAsked:
        if self.entry is None and self.name is None:
            raise ValueError("entry or name is needed")
        return self


class AgentAsked(Asked):
    agent: str


class DecideAsked(Asked):
    id: str = ""
    """Of a request; empty = the only one."""
    allowed: bool
    by: str = "the host"
    kind: str | None = None
    """Of these requests alone; None = of all."""


class ReconcileAsked(Asked):
    roster: Roster
    dry_run: bool = False


class DirectAsked(Asked):
    directive: Directive
    agent: str = ""
    text: str = ""


class ManageAsked(Asked):
    action: Manage
    person: str = ""


class WaitAsked(Asked):
    timeout_s: Seconds
    seats: list[str] | None = None


class DrillAsked(Asked):
    fault: DrillFault
    stall_s: Seconds
    bound_s: Seconds
    agent: str | None = None


_Asked = TypeVar("_Asked", bound=Asked)


def asked(model: type[_Asked], request: Request) -> _Asked:
    """Returns the request as that model.

    Raises:
        UsageError: naming everything that is missing or wrong; never what stands there, it may be secret.
    """
    try:
        return model.model_validate(request)
    except ValidationError as error:
        wrong = "; ".join(_words(fault) for fault in error.errors(include_input=False, include_url=False))
        raise UsageError(f"`{request.get('do')}` cannot be understood: {wrong}") from None


def _words(fault: Any) -> str:
    where = ".".join(map(str, fault["loc"]))
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])
