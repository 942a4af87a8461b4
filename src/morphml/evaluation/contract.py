"""The contract between a search and the user's evaluator.

An evaluator is a plain function ``evaluate(arch, trial)``, or an object with ``__call__`` of the
same form and, if it wants, ``setup(context)``, which runs once per process before the first call.
It returns a finite number, or a mapping of metric names to finite numbers.

Four attributes are read where they exist: ``version`` (a text or a whole number that stands for the
evaluator's code where results are shared between experiments, raised whenever results would
change), ``data_digest`` (a text that names the data beside it), ``digest`` (a text that identifies
code, settings and data exactly) and ``needs`` (names of heavy packages to import before processes
are forked, such as ``("torch",)``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from morphml.evaluation.trial import Trial
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from morphml.space import Architecture

#: What an evaluator may return.
Result: TypeAlias = "float | Mapping[str, float]"


class Evaluator(Protocol):
    """Turns an architecture into metrics."""

    def __call__(self, architecture: Architecture, trial: Trial, /) -> Result:
        """The metrics of one trial; an exception fails the trial."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupContext:
    """What ``setup`` is told; the same for every trial that this process will run."""

    #: Where models go, such as ``cpu`` or ``cuda``; only this device is visible to the process.
    device: str
    #: Name of the slot, such as ``local-3``.
    worker: str
    #: A folder of the experiment for caches and downloads; shared by its processes.
    scratch: Path
    #: The evaluator's settings as the experiment gives them.
    settings: Mapping[str, JSON] = field(default_factory=dict)


@runtime_checkable
class MadeOfArguments(Protocol):
    """An evaluator that its class and some JSON make again, on any machine that has the class."""

    @property
    def arguments(self) -> Mapping[str, JSON] | None:
        """Keyword arguments of its class; None where it holds what JSON cannot."""
        ...


@runtime_checkable
class NeedsSetup(Protocol):
    """An evaluator that prepares its process once."""

    def setup(self, context: SetupContext) -> None:
        """Load data, warm up the device; an exception here is not the architecture's fault."""
        ...
