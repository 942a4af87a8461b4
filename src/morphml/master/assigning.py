"""What an engine is handed for one attempt at a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from morphml.engines.port import Assignment
from morphml.ids import ExperimentId
from morphml.master.flights import Flight
from morphml.search.changes import CheckpointPointer
from morphml.search.experiment import ExperimentSpec
from morphml.seeds import training_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an attempt stands among those that wait."""

    #: Smaller goes first.
    rank: float
    #: What it takes relative to others of its experiment; None where nobody knows.
    cost: float | None = None


class Assigner:
    """Makes assignments of one experiment.

    Args:
        spec: of the experiment.
        experiment: id in the store.
        find: where a checkpoint lies here; None where it is not to be had.
    """

    def __init__(
        self,
        spec: ExperimentSpec,
        experiment: ExperimentId,
        find: Callable[[CheckpointPointer], Path | None],
    ) -> None:
        self._spec = spec
        self._experiment = experiment
        self._find = find
        self._data = tuple(f"data:{name}" for name in spec.data_sets)

    def assignment(
        self,
        flight: Flight,
        vector: tuple[int | float | None, ...],
        standing: Standing,
        *,
        reported_step: int | None = None,
        avoid: tuple[str, ...] = (),
    ) -> Assignment:
        """One attempt; it goes on from the newest checkpoint that is to be had here.

        Args:
            flight: its names.
            vector: decision codes of the architecture.
            standing: its place among what waits.
            reported_step: the highest step that the search knows already.
            avoid: workers that failed at the task before.
        """
        spec = self._spec
        checkpoint = None if flight.checkpoint is None else self._find(flight.checkpoint)
        return Assignment(
            token=flight.token,
            experiment=self._experiment,
            number=flight.number,
            segment=flight.segment,
            vector=vector,
            seed=training_seed(spec.seed, flight.number),
            from_epoch=flight.checkpoint.step if flight.checkpoint and checkpoint else 0,
            to_epoch=flight.to_epoch,
            max_epochs=spec.max_epochs,
            reported_step=reported_step,
            checkpoint=checkpoint,
            checkpoint_at_end=True,
            repeats=spec.repeats,
            time_limit_s=spec.limits.time_s,
            memory_limit_bytes=spec.limits.memory_bytes,
            requirements=spec.resources,
            affinity=(f"trial:{self._experiment}/{flight.number}", *self._data),
            avoid=avoid,
            rank=standing.rank,
            cost=standing.cost,
        )
