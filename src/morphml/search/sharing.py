"""Results that the experiments of one store share.

A result answers a proposal of another experiment only where everything that it depends on is equal:
the point, the evaluator with its settings and data, the epochs of a full trial, the repeats, the
metrics that are wanted, and the class of device that measured them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from morphml.ids import ExperimentId, PointId, digest
from morphml.search.experiment import ExperimentSpec
from morphml.search.log import LogEntry, encode_body, reused_bodies


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSource:
    """The trial of another experiment that a result comes from."""

    experiment: ExperimentId
    number: int

    def __str__(self) -> str:
        """As tables show it."""
        return f"{self.experiment}#{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownResult:
    """A result that is known already."""

    #: What the evaluator returned.
    metrics: Mapping[str, float]
    source: TrialSource


class Known(Protocol):
    """Looks results up by their whole key."""

    def __call__(self, key: str, /) -> KnownResult | None:
        """The result under ``key``, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """How one experiment shares results with the others of its store."""

    #: Names all that a result depends on beside its point; see ``scope_of``.
    scope: str
    known: Known

    def key(self, point: PointId) -> str:
        """What the result of ``point`` is stored under."""
        return f"{self.scope}/{point}"

    def recall(self, point: PointId) -> KnownResult | None:
        """The known result of ``point``, or None."""
        return self.known(self.key(point))


def scope_of(spec: ExperimentSpec, metrics: Iterable[str], device_class: str) -> str | None:
    """Names all that results of an experiment depend on beside the point; None shares nothing.

    Args:
        spec: what fixes the experiment.
        metrics: what its evaluator must return.
        device_class: what measures, such as ``cpu`` or ``cuda``.
    """
    if not spec.reuse or spec.evaluator.digest is None:
        return None
    fixed = {
        "evaluator": spec.evaluator.digest,
        "max_epochs": spec.max_epochs,
        "repeats": spec.repeats,
        "metrics": sorted(metrics),
        "device": device_class,
        # Equal points of two spaces that hold code need not mean the same.
        "space": spec.space_digest if spec.space is None else None,
    }
    return digest(encode_body(fixed))


def sharing_of_log(entries: Iterable[LogEntry]) -> Sharing:
    """Knows what the log says was known, and nothing else: for a replay."""
    found: dict[str, KnownResult] = {}
    sharing = Sharing(scope="", known=lambda key: found.get(key))
    for body in reused_bodies(entries):
        source = TrialSource(**body["from"])
        found[sharing.key(body["point"])] = KnownResult(metrics=body["metrics"], source=source)
    return sharing
