"""Who may ask the page's server for what: an invite makes a role, and some are let in no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from meetctl.web.invites import Invites, Role

_Asked = TypeVar("_Asked", bound=BaseModel)


class Gate:
    """Judges invites.

    Args:
        keeps_out: whether whoever uses the browser with this secret was removed.
    """

    def __init__(self, invites: Invites, keeps_out: Callable[[str | None], bool] = lambda device: False) -> None:
        self.revoked = False
        """Nobody is let in any more."""
        self.closing = False
        """The meeting is over."""
        self._invites = invites
        self._keeps_out = keeps_out

    def let_in(self, invite: str, device: str | None = None) -> Role | web.Response:
        """Returns the role that the invite gives, or what whoever has it is told."""
        role = self._invites.role_of(invite)
        if role is None or (self.revoked and not self.closing):
            return refuse(HTTPStatus.FORBIDDEN, "wrong_invite", "This invite is wrong, or no longer valid.")
        if self.closing:
            return refuse(HTTPStatus.GONE, "meeting_closed", "This meeting is over.")
        if self._keeps_out(device):
            return refuse(HTTPStatus.FORBIDDEN, "removed", "You were removed from this meeting.")
        return role

    def let_host_in(self, invite: str) -> Role | web.Response:
        """Returns the role if it is a host's, or what whoever has the invite is told."""
        role = self.let_in(invite)
        if isinstance(role, web.Response) or role is Role.HOST:
            return role
        return refuse(HTTPStatus.FORBIDDEN, "not_host", "This invite does not let you direct the meeting.")


async def parse(request: web.Request, model: type[_Asked]) -> _Asked:
    """Returns the body as that model; raises what aiohttp answers a bad request with."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        return model.model_validate_json(await request.read())
    except ValidationError:
        raise web.HTTPBadRequest from None  # the error's own text would repeat what was sent


def refuse(
    status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """Returns an answer that says no, with a code for the page and a sentence for a person."""
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)
