"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest

from morphml.documents.quantities import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("1h 30m", 5400.0), ("1h30m", 5400.0), ("250ms", 0.25), (" 1.5 d ", 129_600.0)],
)
def test_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("1 B", 1), ("4 GiB", 4 * 1024**3), ("500MB", 500_000_000), ("1.5KiB", 1536)]
)
def test_size_is_read_in_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5", "h", "5 weeks", "-5s", "1h 30", "1,5h", "1:30"])
def test_duration_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as '90s'"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "GB", "5 GX", "-5 MB", "5 gb"])
def test_size_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as '500 MB'"):
        parse_size(text)
