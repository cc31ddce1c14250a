"""What the page's server hands to anybody: the built page, its assets, and the certificate of the local authority.

Nothing of the meeting is in it.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from meetctl.errors import StandInError
from meetctl.reach.words import AUTHORITY_PATH, TEST_PATH

_FOREVER = "public, max-age=31536000, immutable"  # the names of built assets carry a hash of their content


class BuiltPage:
    """Hands out files.

    Args:
        static: the folder of the built page.
        room: its page's path; every other path is a meeting that is over.
        authority: the certificate of the local authority, PEM; None = there is none.
        has_trial: whether visitors may test their connection.
    """

    def __init__(self, static: Path, room: str, *, authority: bytes | None, has_trial: bool) -> None:
        self._static = static
        self._room = room
        self._certificate = authority
        self._has_trial = has_trial
        self._assets: dict[str, Path] = {}

    @property
    def routes(self) -> list[web.RouteDef]:
        """Returns all but the pages of rooms, whose paths could be any."""
        return [
            web.get("/favicon.ico", self._favicon),
            web.get("/assets/{name}", self._asset),
            web.get("/", self._page),
            web.get(TEST_PATH, self._trial_page),
            web.get(AUTHORITY_PATH, self._authority),
        ]

    @property
    def rooms(self) -> web.RouteDef:
        """Returns the route of everything that is no other's."""
        return web.get("/{room}", self._page)

    def read(self) -> None:
        """Lists what there is to hand out.

        Raises:
            StandInError: if the page is not built.
        """
        if not (self._static / "index.html").is_file():
            raise StandInError(f"the join page is not built: {self._static}/index.html is missing", hint="make page")
        self._assets = {file.name: file for file in (self._static / "assets").glob("*") if file.is_file()}

    async def _page(self, request: web.Request) -> web.StreamResponse:
        # The tab of an earlier meeting gets the page too: it finds out by its invite, and says so.
        is_here = request.match_info.get("room", self._room) == self._room
        status = HTTPStatus.OK if is_here else HTTPStatus.NOT_FOUND
        return web.FileResponse(self._static / "index.html", status=status, headers={"Cache-Control": "no-cache"})

    async def _trial_page(self, request: web.Request) -> web.StreamResponse:
        if not self._has_trial:
            raise web.HTTPNotFound
        return web.FileResponse(self._static / "index.html", headers={"Cache-Control": "no-cache"})

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        # Only names listed at the start: no path is ever made of what a request says.
        file = self._assets.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return web.FileResponse(file, headers={"Cache-Control": _FOREVER})

    async def _authority(self, request: web.Request) -> web.StreamResponse:
        if self._certificate is None:
            raise web.HTTPNotFound
        headers = {"Content-Disposition": 'attachment; filename="meetctl-authority.crt"'}
        return web.Response(body=self._certificate, content_type="application/x-x509-ca-cert", headers=headers)

    async def _favicon(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=HTTPStatus.NO_CONTENT)
