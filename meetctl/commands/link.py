"""`meetctl link`: a join link for a person, and for scripts the connection details behind it."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import SecretStr, TypeAdapter, ValidationError

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.errors import UsageError
from meetctl.rooms import meet_link
from meetctl.roster.kinds import Seconds
from meetctl.supervisor.control import ask


def link(
    room: str | None,
    *,
    name: str | None,
    role: str,
    expires: str | None,
    once: bool,
    revoke: str | None,
    qr: bool,
    meet: str | None,
    as_json: bool,
) -> None:
    """Prints a join link, a LiveKit Meet link, or with `as_json` the token too; or takes links back."""
    expires_s = _seconds(expires)
    if (once or expires_s is not None) and (name is None or meet is not None):
        raise UsageError("--expires and --once belong to a personal link", hint="--name Bob --once")
    note, files = find_meeting(room)
    if revoke is not None:
        _revoke(note.room, asyncio.run(ask(files.socket, {"do": "link", "revoke": revoke})), as_json)
        return
    wants_token = as_json or meet is not None
    request: dict[str, Any] = {"do": "link", "role": role, "lasting": meet is not None}
    if name is not None and (not wants_token or once or expires_s is not None):
        request |= {"personal": name, "expires_s": expires_s, "once": once}
    if wants_token:
        request["name"] = name or "Guest"
    answer = asyncio.run(ask(files.socket, request))
    if meet is not None:
        answer["meet_link"] = meet_link(meet, answer["livekit_url"], SecretStr(answer["token"]))
    shown = answer["meet_link"] if meet is not None else answer["join_link"]
    if as_json:
        console.print_json(answer)
    else:
        console.print_data(shown)
    if qr:
        console.show_qr_code(shown)


def _revoke(room: str, answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        console.print_json(answer)
    elif answer["join_link"] is None:
        console.print_data(f"{room}: the links of {answer['revoked']} let nobody in any more")
    else:
        console.talk(f"{room}: every link was taken back; the guests' new one:")
        console.print_data(answer["join_link"])


def _seconds(written: str | None) -> int | None:
    if written is None:
        return None
    try:
        return TypeAdapter(Seconds).validate_python(written)
    except ValidationError:
        raise UsageError(f"--expires {written!r} is no duration", hint="--expires 2h, as 90s, 5m or 1h30m") from None
