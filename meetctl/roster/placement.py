"""What keeps an agent from running on another machine. Notes faults, raises none.

What a dispatch holds stands in LiveKit's store in the clear, so no key goes that way: a worker has its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from meetctl.roster.faults import KeyPath
from meetctl.roster.providers import need_of
from meetctl.roster.reading import Reading
from meetctl.roster.schema import AgentEntry, Program
from meetctl.roster.written import AgentWritten, DefaultsWritten, ModelWritten
from meetctl.settings import LiveKitCredentials

HERE = "write on: local"


def note_placement(
    reading: Reading, written: AgentWritten, defaults: DefaultsWritten, program: Program, path: KeyPath
) -> None:
    """Notes what of an entry cannot go to a worker, and what the worker needs instead."""
    where = (*path, "on")
    if program is Program.COMMAND:
        reading.note(where, "a command runs on this machine: a worker runs agents of ours", HERE)
        return
    for key in ("env", "env_file"):
        if getattr(written, key) is not None:
            message = "holds variables of this machine, and none goes to a worker"
            reading.note((*path, key), message, f"set them where `meetctl worker` is started, and remove {key}")
    for part in ("llm", "tts"):
        own: ModelWritten | None = getattr(written, part)
        model = own or getattr(defaults, part)
        for one in [model, *(model.fallbacks or ())] if model is not None else []:
            _note_key(reading, one, part, (*path, part) if own else ("defaults", part))
    if written.face is not None and not written.face.local:
        if written.face.api_key is not None:
            reading.note((*path, "face", "api_key"), *_instead("SIMLI_API_KEY"))
        if written.face.transport in ("direct", "auto"):
            message = "a face that joins by itself is bound to the machine that meetctl runs on"
            reading.note((*path, "face", "transport"), message, "write transport: bridge, or on: local")
    elif program is Program.SIMLI:
        message = "a local face is drawn on the machine that meetctl runs on"
        reading.note(where, message, "write agent: audio or a face with face_id, or on: local")
    tools = path if written.tools is not None else ("defaults",)
    for index, tool in enumerate((written if written.tools is not None else defaults).tools or ()):
        for key in ("headers", "env"):
            if getattr(tool, key, None):
                message = "may hold a key, and none goes to a worker"
                reading.note((*tools, "tools", index, key), message, f"remove {key}, or write on: local", around=True)


def note_reach_of_workers(
    reading: Reading, entries: Mapping[int, AgentEntry], livekit: LiveKitCredentials | None
) -> None:
    """Notes agents that are to run on workers where the meeting has a LiveKit server that no worker knows."""
    if livekit is None:
        for index, entry in entries.items():
            if entry.dispatched:
                message = "the meeting's own LiveKit server has a key pair that no worker knows"
                hint = "add livekit: {url: …}, the server at which your workers are registered"
                reading.note(("agents", index, "on"), message, hint, around=True)


def _note_key(reading: Reading, model: ModelWritten, part: str, where: KeyPath) -> None:
    if model.api_key is not None and model.api_key.get_secret_value():
        variable = need_of(model.provider, part).key or "its key"
        if model.base_url is not None:
            message = "a key for a server of your own cannot go to a worker"
            reading.note((*where, "api_key"), message, "remove api_key, or write on: local", around=True)
        else:
            reading.note((*where, "api_key"), *_instead(variable), around=True)


def _instead(variable: str) -> tuple[str, str]:
    return "no key goes to a worker", f"export {variable}=… where `meetctl worker` is started, and remove api_key"
