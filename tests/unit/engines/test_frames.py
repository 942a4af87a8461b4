from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphml.engines.local.frames import FrameReader, ProtocolError, encode, payload_header

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1, 1)
MESSAGES = st.dictionaries(st.text(max_size=5), SCALARS | st.lists(SCALARS), max_size=4)
FRAMES = st.lists(MESSAGES | st.binary(max_size=50), max_size=6)


def encoded(frame: object) -> bytes:
    return payload_header(frame) + frame if isinstance(frame, bytes) else encode(frame)


@given(frames=FRAMES, cuts=st.lists(st.integers(0, 400), max_size=8))
def test_frames_arrive_whole_however_the_stream_is_cut(
    frames: list[object], cuts: list[int]
) -> None:
    stream = b"".join(encoded(frame) for frame in frames)
    reader = FrameReader(limit=None, payloads=True)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in pairwise(places)]
    assert [frame for piece in pieces for frame in reader.feed(piece)] == frames


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 9,
        payload_header(b"a pickle") + b"a pickle",
        encode({"a": "b" * 100}),
        b"\0" * 7 + b"\x04\x00nope",
        b"\0" * 7 + b"\x02\x00[]",
    ],
)
def test_parent_refuses_what_is_no_frame_of_a_child(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(FrameReader(limit=50).feed(data))


def test_message_that_json_cannot_carry_is_refused() -> None:
    with pytest.raises(ProtocolError, match="JSON"):
        encode({"a": object()})
