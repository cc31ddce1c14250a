"""What a service manager is told of a meeting: that it is up, that it ends, that it is well.

In the words of systemd: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

READY = "READY=1"
STOPPING = "STOPPING=1"
_ALIVE = "WATCHDOG=1"


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Who started this process, where that is a service manager; without one nothing is told."""

    socket_path: str | None = None
    watches: bool = False
    """Whether it ends a process that does not say in time that it is well."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> ServiceManager:
        """Returns the one that these variables name."""
        path = environment.get("NOTIFY_SOCKET") or None
        pid = environment.get("WATCHDOG_PID")
        watches = bool(environment.get("WATCHDOG_USEC")) and pid in (None, "", str(os.getpid()))
        return cls(path, watches)

    def tell(self, *states: str) -> None:
        """Says so; a manager that does not listen is no reason to end."""
        if self.socket_path is None:
            return
        path = self.socket_path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as peer:
                peer.setblocking(False)
                # An abstract socket's name begins with a zero byte, which no variable can hold.
                peer.connect("\0" + path[1:] if path.startswith("@") else path)
                peer.send("\n".join(states).encode())
        except (OSError, ValueError):
            return

    def tell_alive(self) -> None:
        """Says that the process is well, if anybody waits for that."""
        if self.watches:
            self.tell(_ALIVE)


NOBODY = ServiceManager()
