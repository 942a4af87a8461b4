from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from morphml.engines.local.logs import HEAD_BYTES, TAIL_BYTES, LogStream


def passed_on(pieces: list[bytes]) -> str:
    log = LogStream()
    return "".join([log.feed(piece) for piece in pieces] + [log.finish()])


@given(text=st.text(), cut=st.integers(1, 5))
def test_text_passes_whole_even_when_cut_within_a_character(text: str, cut: int) -> None:
    data = text.encode("utf-8", "replace")
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    assert passed_on(pieces) == data.decode()


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert passed_on([b"a\xff", b"b\xc3"]) == "a\ufffdb\ufffd"


def test_long_output_keeps_its_head_and_its_tail() -> None:
    total = 5_000_000
    data = b"".join(b"%07d\n" % i for i in range(total // 8))
    text = passed_on([data[i : i + 999] for i in range(0, total, 999)])
    left_out = total - HEAD_BYTES - TAIL_BYTES
    assert text.startswith("0000000\n0000001\n")
    assert text.endswith("0624999\n")
    assert f"[{left_out:,} bytes left out here]" in text
    assert len(text) == HEAD_BYTES + TAIL_BYTES + len(f"\n[{left_out:,} bytes left out here]\n")


def test_output_up_to_the_bound_is_left_alone() -> None:
    data = b"x" * (HEAD_BYTES + TAIL_BYTES)
    assert passed_on([data]) == data.decode()
