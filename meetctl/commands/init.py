"""`meetctl init`: writes a roster to begin with. It needs no key and no account."""

from __future__ import annotations

import contextlib
from pathlib import Path

from meetctl.display import console
from meetctl.errors import MeetctlError, UsageError

STARTER = """\
# A meeting that needs no key and no account: everything runs on this machine.
#   meetctl up {path}
room: standup
meeting:
  topic: What we build next
agents:
  - name: Ada                # people address her by this name
    agent: simli             # an avatar: a voice and a face
    face: local              # with a key: {{face_id: …, api_key: "${{SIMLI_API_KEY}}"}}
    persona: You build backends. You like simple, reliable systems and say so in one or two short sentences.
  - name: Max
    agent: audio             # a voice only
    persona: You are the product manager. You care about what users feel, and answer in one or two short sentences.
# defaults:                  # who thinks and speaks; local unless said otherwise
#   llm: openai/gpt-4o-mini  # needs OPENAI_API_KEY
"""


def init(path: Path, *, force: bool) -> None:
    """Writes the starter.

    Raises:
        UsageError: if there is something at the path already.
        MeetctlError: if it cannot be written.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(STARTER.format(path=path))
    except FileExistsError:
        raise UsageError(f"{path} exists", hint=f"meetctl init another.yaml, or meetctl init {path} --force") from None
    except OSError as error:
        raise MeetctlError(f"{path} cannot be written: {error.strerror}", hint="name another path") from error
    console.print_data(str(path))
    with contextlib.suppress(BrokenPipeError):
        console.talk(f"next: meetctl up {path}")
