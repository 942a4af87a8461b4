"""Checks of single fields that came over the network. What does not fit is a ``ProtocolError``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from morphml.errors import WorkerError
from morphml.ids import AttemptToken, ExperimentId

#: Characters of a text for people that are kept, such as an error's message.
TEXT_LIMIT = 20_000

_REPLACED = "\N{REPLACEMENT CHARACTER}"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")


class ProtocolError(WorkerError):
    """The other side of a stream said something that no worker or master says."""


def token(value: str) -> AttemptToken:
    """The token of an attempt.

    Raises:
        ProtocolError: when it is not 32 hexadecimal digits.
    """
    if _TOKEN.fullmatch(value) is None:
        raise ProtocolError(f"token={_short(value)}, expected 32 hexadecimal digits")
    return AttemptToken(value)


def tokens(values: Iterable[str]) -> tuple[AttemptToken, ...]:
    """The tokens of attempts.

    Raises:
        ProtocolError: when one is not 32 hexadecimal digits.
    """
    return tuple(map(token, values))


def identifier(value: str, field: str) -> str:
    """A name that programs use: letters, digits, and ``._:@-`` after the first; at most 128.

    Raises:
        ProtocolError: when it has another form.
    """
    if _NAME.fullmatch(value) is None:
        raise ProtocolError(f"{field}={_short(value)}, expected letters, digits, '.', '_', '-'")
    return value


def experiment(value: str) -> ExperimentId:
    """The id of an experiment.

    Raises:
        ProtocolError: when it has the form of no id.
    """
    return ExperimentId(identifier(value, "owner"))


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    """A text for people: cut to ``limit`` characters; NUL, which no database takes, replaced.

    So are lone surrogates.
    """
    cut = _cut(value, limit).replace("\0", _REPLACED)
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")


def line(value: str, limit: int) -> str:
    """A name or another text of one line: as ``text``, without any control character."""
    cut = _cut(value, limit)
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else _REPLACED for each in cut)


def finite(value: float, field: str, *, least: float = -math.inf) -> float:
    """A finite number of at least ``least``.

    Raises:
        ProtocolError: when it is not finite or smaller.
    """
    if not math.isfinite(value) or value < least:
        raise ProtocolError(f"{field}={value!r}, expected a finite number >= {least:g}")
    return value


def numbers(
    values: Mapping[str, float], field: str, *, least: float = -math.inf
) -> dict[str, float]:
    """Finite numbers by name.

    Raises:
        ProtocolError: when a name is empty or a number is not finite or below ``least``.
    """
    if "" in values:
        raise ProtocolError(f"{field} has a number without a name")
    return {
        name: finite(value, f"{field}[{name!r}]", least=least) for name, value in values.items()
    }


def whole(value: int, field: str, least: int, most: int) -> int:
    """A whole number between ``least`` and ``most``.

    Raises:
        ProtocolError: when it lies outside.
    """
    if not least <= value <= most:
        raise ProtocolError(f"{field}={value}, expected {least} to {most}")
    return value


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else f"{value[: limit - 4]} ..."


def _short(value: str) -> str:
    return repr(value if len(value) <= 64 else f"{value[:60]}...")
