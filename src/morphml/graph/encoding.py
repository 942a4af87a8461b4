"""The bytes that graph ids are digests of; they may never change for a graph that has an id.

They are compact JSON (RFC 8259: no spaces, UTF-8, only what must be escaped is) of lists. Floats
stand as ``{"real": repr}``, because Python fixes the repr of a float and JSON does not.
"""

from __future__ import annotations

import json

import orjson

from morphml.graph.values import Attributes


def encode(content: list[object]) -> bytes:
    """The bytes of nested lists, tuples, text, integers, bools, None and `exact` attributes."""
    try:
        return orjson.dumps(content)
    except TypeError:  # integers over 64 bits and lone surrogates, which orjson refuses
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")


def exact(attrs: Attributes) -> Attributes | list[tuple[str, object]]:
    """The attributes with every float replaced by what stands for it in the bytes."""
    for _, value in attrs:
        if type(value) is float:
            return [(n, {"real": repr(v)} if type(v) is float else v) for n, v in attrs]
    return attrs
