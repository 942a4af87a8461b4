"""Durations and sizes as people write them: ``1h 30m``, ``4 GiB``."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
_DURATION = re.compile(r"(?:\s*\d+(?:\.\d+)?\s*(?:ms|s|m|h|d))+\s*")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)\s*")


def parse_duration(text: str) -> float:
    """The seconds that ``text`` means.

    >>> parse_duration("1h 30m")
    5400.0

    Raises:
        ValueError: when it is no row of numbers with ms, s, m, h or d.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"a duration is seconds or a text such as '90s' or '1h 30m', got {text!r}")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))


def parse_size(text: str) -> int:
    """The bytes that ``text`` means.

    >>> parse_size("4 GiB")
    4294967296

    Raises:
        ValueError: when it is no number with B, KB, KiB, MB, MiB, GB, GiB, TB or TiB.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"a size is bytes or a text such as '500 MB' or '4 GiB', got {text!r}")
    return int(float(found[1]) * _BYTES[found[2]])
