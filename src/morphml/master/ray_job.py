"""A search on a Ray cluster that is reached from outside only: what drives it becomes a job there.

Nodes could not dial a machine outside. So the experiment is made here, in a store that both sides
reach; a job on the cluster runs it as ``ray:auto``, and whoever sent it looks at the store.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from morphml.clock import SystemClock
from morphml.engines.ray.job import RayJob
from morphml.errors import ExperimentError, StoreUnavailable, WorkerError
from morphml.master import evaluators
from morphml.master.cluster.watch import LOOK_EVERY_S, Watch
from morphml.master.crew import Run
from morphml.search.experiment import ExperimentState
from morphml.storage import SqlStore
from morphml.storage.address import is_url
from morphml.version import __version__

#: Package that a job brings along: the order, space and evaluator.
CARRIED = "morphml_carried"
#: What runs there.
_COMMAND = ("python", "-m", "morphml.master.ray_job_process")
#: Seconds that a search has to stop when whoever waits for it stops.
_STOPS_WITHIN_S = 30.0


def refuse_file(address: str, storage: str | Path | None) -> None:
    """Nothing when the store is one that the cluster and this machine both reach.

    Raises:
        ExperimentError: when it is a file, or none.
    """
    if not is_url(storage):
        raise ExperimentError(
            f"{address}: the search runs as a job on the cluster, and a file of results would stay "
            "there; give a storage that the cluster and you both reach: postgresql://..."
        )


def run_as_job(run: Run, store: SqlStore, storage: str | Path | None, address: str) -> None:
    """Have a cluster run an experiment until it is over.

    The folder that this process works in goes there, with all below it that git does not ignore.

    Args:
        run: what is to be run; its observer is called here.
        store: that holds it.
        storage: how the cluster names the store.
        address: ``ray://HOST:PORT``.

    Raises:
        MissingExtraError: without the extra ``ray``.
        ExperimentError: when the cluster does not reach the store.
        EvaluatorError: when the evaluator holds something that cannot travel.
        WorkerError: when the cluster does not take the job, or the job failed.
        KeyboardInterrupt: when a person stops it; the job has stopped, and can be resumed.
    """
    refuse_file(address, storage)
    with tempfile.TemporaryDirectory(prefix="morphml-job-") as scratch:
        package = Path(scratch, CARRIED)
        package.mkdir()
        (package / "__init__.py").touch()
        evaluators.keep(package, evaluators.packed(run.space, run.source))
        order = {"storage": str(storage), "experiment": run.experiment, "workers": run.workers}
        order["digest"] = run.source.digest
        (package / "order.json").write_text(json.dumps({**order, "version": __version__}))
        with RayJob(address, Path.cwd(), package, _COMMAND, Path(scratch, "log")) as job:
            _follow(job, run, store)
            if not job.succeeded:
                raise WorkerError(f"{address}: the job {job.id} failed: {job.said()}")


def _follow(job: RayJob, run: Run, store: SqlStore) -> None:
    watch = Watch(store, run.experiment, run.space, SystemClock())
    try:
        while not job.over(LOOK_EVERY_S):
            with suppress(StoreUnavailable):
                run.observer(watch.look()[1])
    except KeyboardInterrupt:
        store.set_state(run.experiment, ExperimentState.PAUSED, "stopped by whoever sent it")
        job.over(_STOPS_WITHIN_S)
        raise
