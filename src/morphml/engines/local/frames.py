"""Frames on the pipe between the engine and its children: a length, a kind, then the body.

Bodies are JSON. The one exception goes from parent to child only: the experiment's payload, which
the parent itself pickled. A reader that does not allow it refuses such a frame.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson

from morphml.errors import WorkerError

#: A JSON object, or the bytes of a payload.
Frame: TypeAlias = "dict[str, Any] | bytes"

#: The longest frame that a parent takes from a child, in bytes.
CHILD_LIMIT = 16 << 20

_HEADER = struct.Struct(">QB")
_JSON = 0
_PAYLOAD = 1


class ProtocolError(WorkerError):
    """The other side of a pipe sent something that is no frame."""


def encode(message: dict[str, Any]) -> bytes:
    """A JSON object as one frame.

    Raises:
        ProtocolError: when the message holds something that JSON cannot carry.
    """
    try:
        body = orjson.dumps(message)
    except TypeError as error:
        raise ProtocolError(f"a message cannot be written as JSON: {error}") from error
    return _HEADER.pack(len(body), _JSON) + body


def payload_header(payload: bytes) -> bytes:
    """The header that goes before the payload's bytes, so that these are not copied."""
    return _HEADER.pack(len(payload), _PAYLOAD)


class FrameReader:
    """Puts frames together from whatever pieces arrive.

    Args:
        limit: the longest frame taken, in bytes; None for any.
        payloads: whether frames that are not JSON are taken.
    """

    def __init__(self, *, limit: int | None = CHILD_LIMIT, payloads: bool = False) -> None:
        self._buffer = bytearray()
        self._limit = limit
        self._payloads = payloads

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with ``data``.

        Raises:
            ProtocolError: when the bytes are no frame; the stream cannot be read on.
        """
        self._buffer += data
        start = 0
        try:
            while (frame := self._frame_at(start)) is not None:
                body, start = frame
                yield body
        finally:
            del self._buffer[:start]

    def _frame_at(self, start: int) -> tuple[Frame, int] | None:
        """The frame that begins at ``start`` and where it ends; None when it is not complete."""
        begin = start + _HEADER.size
        if len(self._buffer) < begin:
            return None
        length, kind = _HEADER.unpack_from(self._buffer, start)
        allowed = kind == _JSON or (kind == _PAYLOAD and self._payloads)
        if not allowed or (self._limit is not None and length > self._limit):
            raise ProtocolError(f"no frame: kind {kind}, {length} bytes")
        end = begin + length
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            body = bytes(view[begin:end])
        return (body if kind == _PAYLOAD else _object(body)), end


def _object(body: bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"a frame's body is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"a frame's body is no JSON object but a {type(message).__name__}")
    return message
