"""Where people send media when a router passes it on: an address that is given, or the one that a STUN server sees."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct

from meetctl.errors import NetworkError, UsageError
from meetctl.roster import STUN, stun_server

TRIES = 3
ANSWER_S = 1.0
"""A server on the other side of the world answers in 0.3 s; what is lost is asked again."""
_HINT = "write the address itself, as in reach: {node_ip: 203.0.113.7}"


def resolve_node_ip(text: str, address: str) -> str:
    """Returns the address of a roster's `node_ip`.

    Args:
        address: of this machine, which media comes to.

    Raises:
        NetworkError: if the STUN server is not known or does not answer.
        UsageError: if an address is of another family.
    """
    found = ask_stun(stun_server(text), address) if text.startswith(STUN) else text
    if ipaddress.ip_address(found).version != ipaddress.ip_address(address).version:
        message = f"node_ip leads to {found}, and media comes to {address}: one is IPv4, the other IPv6"
        raise UsageError(message, hint="name an address of this machine of the same kind under host:")
    return found


def ask_stun(server: tuple[str, int], address: str) -> str:
    """Returns under which address a STUN server (https://www.rfc-editor.org/rfc/rfc8489) sees this address of ours.

    Raises:
        NetworkError: if there is no such server, or no answer.
    """
    from aioice import stun

    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    shown = f"{server[0]}:{server[1]}"
    try:
        there = socket.getaddrinfo(*server, family, socket.SOCK_DGRAM)[0][4]
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.bind((address, 0))
            asking.connect(there)
            asking.settimeout(ANSWER_S)
            for _ in range(TRIES):
                asking.send(bytes(request))
                try:
                    answer = stun.parse_message(asking.recv(2_048))
                except (TimeoutError, ValueError, struct.error):
                    continue
                seen = answer.attributes.get("XOR-MAPPED-ADDRESS")
                if answer.transaction_id == request.transaction_id and seen is not None:
                    return str(seen[0])
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise NetworkError(f"the STUN server {shown} cannot be asked: {reason}", hint=_HINT) from None
    raise NetworkError(f"the STUN server {shown} does not answer", hint=_HINT)
