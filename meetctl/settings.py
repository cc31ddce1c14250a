"""The world outside the roster: environment variables and the user's directories. Nothing else reads the environment.

Precedence of a credential: the roster's own value, then the environment. A secret is held as `SecretStr` from here on.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from meetctl.errors import SettingsError

PASSED_ON = frozenset(
    {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
    | {"XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT"}
)
"""What a child inherits; everything else it is given by name, so that one agent never sees another's key."""

SOCKET_PATH_LIMIT = 100
"""Bytes; the kernel's limit on a unix socket path is 108 on Linux and 104 on macOS."""


@dataclass(frozen=True, slots=True)
class LiveKitCredentials:
    """A LiveKit server and the key pair that rules it."""

    url: str
    api_key: str
    api_secret: SecretStr


def environment() -> Mapping[str, str]:
    """Returns the process's environment; the one place that looks at it."""
    return os.environ


def livekit_from_environment() -> LiveKitCredentials:
    """Returns the server of `LIVEKIT_URL`, `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`.

    Raises:
        SettingsError: naming every variable that is not set.
    """
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    found = {name: environment().get(name, "") for name in names}
    missing = [name for name in names if not found[name]]
    if missing:
        raise SettingsError(
            f"not set: {', '.join(missing)}",
            hint="export " + " ".join(f"{name}=…" for name in missing),
        )
    return LiveKitCredentials(found["LIVEKIT_URL"], found["LIVEKIT_API_KEY"], SecretStr(found["LIVEKIT_API_SECRET"]))


def inherited_environment() -> dict[str, str]:
    """Returns the variables that every child may see."""
    return {name: value for name, value in environment().items() if name in PASSED_ON}


def cache_dir() -> Path:
    """Returns where fetched servers and models live; safe to delete."""
    return _xdg("XDG_CACHE_HOME", Path.home() / ".cache") / "meetctl"


def state_dir() -> Path:
    """Returns where logs and transcripts live; they outlive a meeting."""
    return _private(_xdg("XDG_STATE_HOME", Path.home() / ".local" / "state") / "meetctl")


def runtime_dir() -> Path:
    """Returns where locks and control sockets of running meetings live.

    Raises:
        SettingsError: if the directory belongs to another user or others can enter it.
    """
    runtime = environment().get("XDG_RUNTIME_DIR")
    path = Path(runtime) / "meetctl" if runtime else Path(tempfile.gettempdir()) / f"meetctl-{os.getuid()}"
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT - 24:
        path = Path("/tmp") / f"meetctl-{os.getuid()}"
    return _private(path)


def slug(name: str) -> str:
    """Returns an ASCII identifier made of the name: `Zoë K.` becomes `zoe-k`."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _xdg(variable: str, default: Path) -> Path:
    value = environment().get(variable, "")
    return Path(value) if value.startswith("/") else default


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid():
        raise SettingsError(
            f"{path} belongs to another user (uid {status.st_uid})",
            hint="set XDG_RUNTIME_DIR and XDG_STATE_HOME to directories of your own",
        )
    if status.st_mode & 0o077:
        path.chmod(0o700)
    return path
