"""What is kept of one search of one problem."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from morphml.optimizers.events import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKey:
    """What fixes a search; equal keys, equal results."""

    problem: str
    #: Digest of the problem's results.
    data: str
    #: Name of an optimizer, or of a peer.
    optimizer: str
    #: Its version: a whole number, or that of the peer's package.
    version: str
    seed: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One search."""

    key: RunKey
    settings: Mapping[str, JSON] = field(default_factory=dict)
    #: Judge's name to what was missing after each evaluation; the last is the verdict.
    curves: Mapping[str, tuple[float, ...]]
    #: Simulated seconds after each evaluation; empty where no clock was computed.
    clock: tuple[float, ...] = ()
    #: Table look-ups; each is one evaluation, repeats included.
    evaluations: int
    #: Decision vectors among them.
    vectors: int
    #: Networks among them; None where the problem has none.
    networks: int | None
    #: Which evaluations (from 1 on) looked up a network that an earlier one had looked up.
    repeats: tuple[int, ...] = ()
    #: Proposals that repeated a known point and were answered without a look-up.
    answered: int
    #: Look-ups that found no row.
    failed: int
    #: Processor milliseconds of asking and telling, per evaluation.
    ask_ms: float

    @property
    def verdict(self) -> tuple[float, ...]:
        """The curve that counts."""
        return list(self.curves.values())[-1]

    @property
    def by_network(self) -> tuple[float, ...]:
        """The curve that counts, after each evaluation of another network.

        Empty where there are no networks, and where evaluations are parts of trials (``clock``).
        """
        if self.networks is None or self.clock:
            return ()
        again = set(self.repeats)
        return tuple(
            value for place, value in enumerate(self.verdict, start=1) if place not in again
        )

    @property
    def wasted(self) -> int:
        """Evaluations of a decision vector that was evaluated before; 0 beside a ``clock``."""
        return 0 if self.clock else self.evaluations - self.vectors

    def to_line(self) -> str:
        """One line of JSON; ``of_line`` reads it. An infinite regret is null."""
        document = asdict(self)
        document["curves"] = {
            name: [None if value == float("inf") else value for value in curve]
            for name, curve in self.curves.items()
        }
        return json.dumps(document, separators=(",", ":"), allow_nan=False)

    @classmethod
    def of_line(cls, line: str) -> Run | None:
        """The run that ``to_line`` wrote; None for anything else, such as half a line."""
        try:
            document: dict[str, Any] = json.loads(line)
            curves = {
                name: tuple(float("inf") if value is None else value for value in curve)
                for name, curve in document.pop("curves").items()
            }
            key = RunKey(**document.pop("key"))
            clock = tuple(document.pop("clock", ()))
            repeats = tuple(document.pop("repeats"))
            return cls(key=key, curves=curves, clock=clock, repeats=repeats, **document)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
