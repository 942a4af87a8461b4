"""As much of the wire format of protocol buffers as reading a published benchmark needs."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

#: The longest number that the format knows, in bytes.
_LONGEST = 10


class _Type(IntEnum):
    VARINT = 0
    FIXED64 = 1
    BYTES = 2
    FIXED32 = 5


def fields(message: bytes, number: int) -> Iterator[bytes]:
    """The contents of every field with this number that holds bytes, in order."""
    for found, kind, content in _all(message):
        if found == number and kind is _Type.BYTES:
            yield content


def doubles(message: bytes) -> dict[int, float]:
    """Every double by its field's number; of repeated ones the last."""
    return {
        number: struct.unpack("<d", content)[0]
        for number, kind, content in _all(message)
        if kind is _Type.FIXED64
    }


def _all(message: bytes) -> Iterator[tuple[int, _Type, bytes]]:
    """Number, type and raw content of each field.

    Raises:
        ValueError: it ends within a field, or has a type that is long out of use.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = _Type(tag & 7)
        match kind:
            case _Type.VARINT:
                _, end = _varint(message, at)
            case _Type.FIXED64:
                end = at + 8
            case _Type.FIXED32:
                end = at + 4
            case _Type.BYTES:
                length, at = _varint(message, at)
                end = at + length
        if end > len(message):
            raise ValueError("a message ends within a field")
        yield tag >> 3, kind, message[at:end]
        at = end


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place behind it."""
    value = 0
    for place, byte in enumerate(message[at : at + _LONGEST]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a message ends within a number")
