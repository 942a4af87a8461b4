"""What stands in the place of search space and evaluator where attempts are at jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from morphml.errors import EvaluatorError
from morphml.evaluation.contract import SetupContext
from morphml.evaluation.segment import TrialChannel
from morphml.evaluation.trial import Trial
from morphml.jobs.artifacts import ArtifactFolder
from morphml.jobs.contract import JobRun
from morphml.jobs.outputs import outputs_of
from morphml.jobs.registry import job_type
from morphml.jobs.workplace import Workplace
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from morphml.space import Architecture

#: Import path by which every process finds what runs jobs.
JOBS = "morphml.jobs.runner:JobRunner"


class NoMembers:
    """The search space of an execution: it has none."""

    def architecture(self, vector: tuple[int | float | None, ...], /) -> Architecture:
        """Nothing.

        Raises:
            EvaluatorError: always.
        """
        raise EvaluatorError("an execution has no search space; its attempts are at jobs")


class JobRunner:
    """Runs jobs in the process that it was set up in."""

    #: Heavy modules to import before processes are forked: what a job needs is known only then.
    needs: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._context: SetupContext | None = None

    def setup(self, context: SetupContext) -> None:
        """Take over where files are and which device there is."""
        self._context = context

    def __call__(self, architecture: Architecture, trial: Trial, /) -> NoReturn:
        """Nothing.

        Raises:
            EvaluatorError: always; trials belong to experiments.
        """
        raise EvaluatorError("an execution has no trials; its attempts are at jobs")

    @contextmanager
    def attempt(
        self, execution: str, job: str, attempt_id: str, seed: int, channel: TrialChannel
    ) -> Iterator[JobRun]:
        """One attempt; its folder is removed at the end."""
        assert self._context is not None
        workplace = Workplace(self._context.scratch)
        try:
            yield JobRun(
                execution=execution,
                job=job,
                attempt_id=attempt_id,
                seed=seed,
                device=self._context.device,
                worker=self._context.worker,
                workplace=workplace,
                artifacts=ArtifactFolder(self._context.scratch),
                channel=channel,
            )
        finally:
            workplace.remove()


def call(type: str, config: Mapping[str, JSON], run: JobRun, limit: int) -> Mapping[str, JSON]:
    """Run a job and give back what it puts out.

    Args:
        type: name of the job type.
        config: with every reference replaced.
        run: the attempt.
        limit: the most bytes of JSON that it may put out.

    Raises:
        WorkflowError: when the type is not known here, or the outputs are none.
        BaseException: whatever the job raises.
    """
    return outputs_of(job_type(type)(config, run), run, limit)
