"""The bytes behind ids: any writer of compact JSON makes the same ones."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from morphml.graph.encoding import encode, exact

scalars = st.none() | st.booleans() | st.integers() | st.text()
contents = st.lists(
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=12), max_size=5
)


def by_standard_library(content: object) -> bytes:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


@given(contents)
def test_bytes_are_those_of_the_standard_library(content: list[object]) -> None:
    assert encode(content) == by_standard_library(content)


def test_control_and_odd_characters_are_written_alike() -> None:
    odd = ["".join(map(chr, range(0x20))), "\x7f\x80\u2028\u2029\ufeff\U0001f600", "\ud800", "</"]
    for text in odd:
        assert encode([text]) == by_standard_library([text])


def test_values_that_python_calls_equal_stay_apart() -> None:
    kinds = [True, 1, 1.0, "1", "1.0", None, (1,)]
    assert len({encode([exact((("a", value),))]) for value in kinds}) == len(kinds)


def test_floats_stand_as_their_repr() -> None:
    assert encode([exact((("rate", 1e-05),))]) == b'[[["rate",{"real":"1e-05"}]]]'
