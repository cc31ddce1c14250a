"""The world outside the roster: environment variables and the user's directories. Nothing else reads the environment.

Precedence of a credential: the roster's own value, then the environment. A secret is held as `SecretStr` from here on.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from meetctl.errors import SettingsError

PASSED_ON = frozenset(
    {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    | {"XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT"}
)
"""What a child inherits; everything else it is given by name, so that one agent never sees another's key."""

SOCKET_PATH_LIMIT = 100
"""Bytes; the kernel's limit on a unix socket path is 108 on Linux and 104 on macOS."""
TEMP_PATH_LIMIT = 60
"""Bytes; in a longer `TMPDIR` many programs cannot make their sockets: Python's multiprocessing, and with it every
livekit-agents worker, adds 32 bytes, a browser 45."""
SOCKET_NAME_LENGTH = 46
"""Of it: the slash, a room's name as `registry` shortens it, and `.sock`."""


# https://specifications.freedesktop.org/basedir-spec/latest/
CACHE, STATE, RUNTIME = "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"
"""The variables that choose where meetctl keeps its files."""

VTE_WITH_LINKS = 5000
"""GNOME Terminal, Tilix, xfce4-terminal and others are made of VTE, which has hyperlinks since 0.50."""

_FOLDER_ERRORS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR})


@dataclass(frozen=True, slots=True)
class LiveKitCredentials:
    """A LiveKit server and the key pair that rules it."""

    url: str
    api_key: str
    api_secret: SecretStr


def environment() -> Mapping[str, str]:
    """Returns the process's environment; the one place that looks at it."""
    return os.environ


def has_hyperlinks() -> bool:
    """Returns whether the terminal is known to show a text with an address under it (OSC 8).

    Nothing asks a terminal that, so it is known by its name; of one within another (tmux, screen, ssh) it is not known.
    """
    variables = environment()
    forced = variables.get("FORCE_HYPERLINK")
    if forced is not None:
        return forced not in ("", "0")
    term = variables.get("TERM", "")
    if "TMUX" in variables or "STY" in variables or term.startswith(("tmux", "screen")) or term in ("", "dumb"):
        return False
    if term.startswith(("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "contour", "wezterm")):
        return True
    if variables.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "WarpTerminal"):
        return True
    if variables.get("VTE_VERSION", "").isdecimal() and int(variables["VTE_VERSION"]) >= VTE_WITH_LINKS:
        return True
    return any(name in variables for name in ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM"))


def livekit_from_environment(variables: Mapping[str, str] | None = None) -> LiveKitCredentials:
    """Returns the server of `LIVEKIT_URL`, `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`.

    Args:
        variables: where to look; None = the process's environment.

    Raises:
        SettingsError: naming every variable that is not set.
    """
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    variables = environment() if variables is None else variables
    found = {name: variables.get(name, "") for name in names}
    missing = [name for name in names if not found[name]]
    if missing:
        raise SettingsError(
            f"not set: {', '.join(missing)}",
            hint="export " + " ".join(f"{name}=…" for name in missing),
        )
    return LiveKitCredentials(found["LIVEKIT_URL"], found["LIVEKIT_API_KEY"], SecretStr(found["LIVEKIT_API_SECRET"]))


def marked(variable: str, start: Callable[[], object]) -> None:
    """Calls `start`, and marks what it starts as somebody's own by this variable."""
    os.environ[variable] = "1"
    try:
        start()
    finally:
        del os.environ[variable]


def inherited_environment() -> dict[str, str]:
    """Returns the variables that every child may see; a proxy among them is not for this machine's own servers."""
    from meetctl.protocol.proxies import with_loopback_direct

    inherited = {name: value for name, value in environment().items() if name in PASSED_ON}
    if len(os.fsencode(inherited.get("TMPDIR", ""))) > TEMP_PATH_LIMIT:
        inherited["TMPDIR"] = _shorter_name_of(inherited["TMPDIR"])
    return with_loopback_direct(inherited)


def _shorter_name_of(directory: str) -> str:
    """Returns another path of the same directory; the same where none can be made."""
    directory = os.path.abspath(directory)
    try:
        names = private_dir(Path("/tmp") / f"meetctl-{os.getuid()}", "TMPDIR")
        link = names / f"tmp-{hashlib.sha256(os.fsencode(directory)).hexdigest()[:8]}"
        with contextlib.suppress(FileExistsError):
            link.symlink_to(directory)
    except (OSError, SettingsError):
        return directory
    return str(link)


def cache_dir() -> Path:
    """Returns where fetched servers and models live; safe to delete. It is made by whoever puts something there.

    Raises:
        SettingsError: if nothing says where that is.
    """
    return _xdg(CACHE, ".cache") / "meetctl"


def state_dir() -> Path:
    """Returns where logs and transcripts live; they outlive a meeting.

    Raises:
        SettingsError: if the directory cannot be made or written, belongs to another user, or others can enter it.
    """
    return private_dir(_state_path(), STATE)


def new_log_dir(name: str) -> Path:
    """Returns where a meeting, or whatever else is called so, that begins now keeps its logs."""
    return state_dir() / name / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")


def runtime_dir() -> Path:
    """Returns where locks and control sockets of running meetings live.

    Raises:
        SettingsError: as `state_dir` does.
    """
    return private_dir(runtime_path(), RUNTIME)


def runtime_path() -> Path:
    """Returns the same without making it."""
    runtime = environment().get(RUNTIME, "")
    try:
        path = Path(runtime) / "meetctl" if runtime else Path(tempfile.gettempdir()) / f"meetctl-{os.getuid()}"
    except FileNotFoundError:
        raise SettingsError("no temporary folder can be written", hint=_folder_hint("TMPDIR")) from None
    # Where the kernel lets a directory be named by its descriptor, a longer path can be bound and reached too.
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT - SOCKET_NAME_LENGTH and not Path("/proc/self/fd").exists():
        path = Path("/tmp") / f"meetctl-{os.getuid()}"
    return path


def private_dir(path: Path, variable: str) -> Path:
    """Returns the directory, made where it is missing, once it is sure that it is the user's own and can be written.

    Raises:
        SettingsError: naming the directory, and the variable that chooses another.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid():
            raise SettingsError(f"{path} belongs to another user (uid {status.st_uid})", hint=_folder_hint(variable))
        if status.st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}", hint=_folder_hint(variable)) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise SettingsError(f"{path} cannot be written", hint=_folder_hint(variable))
    return path


def folder_failure(error: OSError) -> SettingsError | None:
    """Returns what is wrong with a directory of meetctl's own where that is why something failed, else None."""
    if error.errno not in _FOLDER_ERRORS or not isinstance(error.filename, str):
        return None
    for variable, folder in ((STATE, _state_path), (CACHE, cache_dir), (RUNTIME, runtime_path)):
        try:
            inside = Path(error.filename).is_relative_to(folder())
        except SettingsError:
            continue
        if inside:
            return SettingsError(f"{error.filename} cannot be used: {error.strerror}", hint=_folder_hint(variable))
    return None


def slug(name: str) -> str:
    """Returns an ASCII identifier made of the name: `Zoë K.` becomes `zoe-k`."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _state_path() -> Path:
    return _xdg(STATE, ".local/state") / "meetctl"


def _xdg(variable: str, default: str) -> Path:
    value = environment().get(variable, "")
    if value.startswith("/"):
        return Path(value)
    try:
        return Path.home() / default
    except RuntimeError:
        message = "the home folder is not known: HOME is not set"
        raise SettingsError(message, hint=f"export HOME=FOLDER, or export {variable}=FOLDER") from None


def _folder_hint(variable: str) -> str:
    return f"export {variable}=FOLDER, with a folder of your own that can be written"
