"""Messages between the engine and its fork server: a length, then JSON, with descriptors beside."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

import orjson

#: Length of a message, before its body.
LENGTH = struct.Struct(">I")
#: Descriptors that come with a request to fork: socket of frames, stdout, stderr.
FDS = 3


def pack(message: dict[str, Any]) -> bytes:
    """A message as bytes."""
    body = orjson.dumps(message)
    return LENGTH.pack(len(body)) + body


def receive(control: socket.socket, fds: int = 0) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and the descriptors that came with it, waiting for it; None at the end.

    The descriptors are closed on ``exec``.
    """
    try:
        header, passed, _, _ = socket.recv_fds(control, LENGTH.size, fds)
    except ConnectionError:
        return None
    if len(header) < LENGTH.size:
        return None
    for fd in passed:
        os.set_inheritable(fd, False)
    body = control.recv(LENGTH.unpack(header)[0], socket.MSG_WAITALL)
    message: dict[str, Any] = orjson.loads(body)
    return message, passed
