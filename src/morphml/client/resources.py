"""What can be asked of a server, by resource; each method makes one call and sends it.

Written once: the two clients differ in what sending returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from morphml.client.call import Call, new_key

#: What sending returns: a document, or something to be awaited for it.
Answer = TypeVar("Answer")
#: A workflow or an experiment: as JSON has it, or the text of a YAML file.
Written: TypeAlias = Mapping[str, Any] | str

_EXECUTE = ("api", "distributed", "execute")
_WORKERS = ("api", "distributed", "workers")
_QUEUE = ("api", "distributed", "queue")
_BUNDLES = ("api", "v1", "bundles")
_EXPERIMENTS = ("api", "v1", "experiments")


class Executions(Generic[Answer]):
    """Executions of workflows."""

    def __init__(self, send: Callable[[Call], Answer]) -> None:
        self._send = send

    def start(self, workflow: Written, *, key: str | None = None) -> Answer:
        """Begin to execute a workflow; answers at once, and once for each key.

        Args:
            workflow: as JSON has it, or the text of a YAML file.
            key: the same key gives the same execution again; a fresh one by default.
        """
        return self._post(body=workflow, key=key or new_key())

    def send_code(self, bundle: str | Path, source: str) -> Answer:
        """Let jobs import from a bundle of source; a workflow names it as its ``source``.

        Args:
            bundle: a gzipped tar file of at most 10 MiB.
            source: its sha256, in hexadecimal digits.
        """
        return self._send(Call(method="PUT", path=(*_BUNDLES, source), body=Path(bundle)))

    def list(
        self, *, status: str | None = None, after: str | None = None, limit: int = 50
    ) -> Answer:
        """Executions, newest first, a page at a time."""
        query = {"status": status, "after": after, "limit": limit}
        return self._send(Call(method="GET", path=_EXECUTE, query=query))

    def show(self, execution: str) -> Answer:
        """An execution and its jobs."""
        return self._send(Call(method="GET", path=(*_EXECUTE, execution)))

    def jobs(self, execution: str, *, status: str | None = None) -> Answer:
        """Its jobs, all or those in one state."""
        path = (*_EXECUTE, execution, "jobs")
        return self._send(Call(method="GET", path=path, query={"status": status}))

    def pause(self, execution: str) -> Answer:
        """Begin no job until it is resumed."""
        return self._post(execution, "pause")

    def resume(self, execution: str) -> Answer:
        """Go on after a pause; take up what failed or was cancelled."""
        return self._post(execution, "resume")

    def cancel(self, execution: str) -> Answer:
        """Give it up."""
        return self._post(execution, "cancel")

    def retry(self, execution: str, job: str | None = None) -> Answer:
        """Run a job again with all that depends on it, or all that failed."""
        return self._post(execution, "retry", body={"jobId": job})

    def cancel_job(self, execution: str, job: str) -> Answer:
        """Give up one job."""
        return self._post(execution, "jobs", job, "cancel")

    def logs(self, execution: str, job: str, *, after: int = 0) -> Answer:
        """What a job wrote."""
        path = (*_EXECUTE, execution, "jobs", job, "logs")
        return self._send(Call(method="GET", path=path, query={"after": after}))

    def _post(self, *path: str, body: object = None, key: str | None = None) -> Answer:
        return self._send(Call(method="POST", path=(*_EXECUTE, *path), body=body, key=key))


class Experiments(Generic[Answer]):
    """Searches."""

    def __init__(self, send: Callable[[Call], Answer]) -> None:
        self._send = send

    def create(self, experiment: Written, *, key: str | None = None) -> Answer:
        """Make an experiment of what an experiment file says, and leave it to the masters.

        Args:
            experiment: as JSON has it, or the text of a YAML file.
            key: the same key makes one experiment; a fresh one by default.
        """
        call = Call(method="POST", path=_EXPERIMENTS, body=experiment, key=key or new_key())
        return self._send(call)

    def list(
        self, *, status: str | None = None, after: str | None = None, limit: int = 50
    ) -> Answer:
        """Experiments, newest first, a page at a time."""
        query = {"status": status, "after": after, "limit": limit}
        return self._send(Call(method="GET", path=_EXPERIMENTS, query=query))

    def show(self, experiment: str) -> Answer:
        """An experiment, and what it waits for."""
        return self._get(experiment)

    def trials(self, experiment: str, *, after: int = -1, limit: int = 50) -> Answer:
        """Trials by number, a page at a time."""
        return self._get(experiment, "trials", after=after, limit=limit)

    def best(self, experiment: str) -> Answer:
        """The best trial."""
        return self._get(experiment, "best")

    def pareto_front(self, experiment: str) -> Answer:
        """Trials that no other dominates."""
        return self._get(experiment, "pareto-front")

    def pause(self, experiment: str) -> Answer:
        """Ask whoever drives it to leave off."""
        return self._send(Call(method="POST", path=(*_EXPERIMENTS, experiment, "pause")))

    def resume(self, experiment: str) -> Answer:
        """Leave it to the masters again."""
        return self._send(Call(method="POST", path=(*_EXPERIMENTS, experiment, "resume")))

    def delete(self, experiment: str) -> Answer:
        """Delete it with its trials and files."""
        return self._send(Call(method="DELETE", path=(*_EXPERIMENTS, experiment)))

    def _get(self, *path: str, **query: int) -> Answer:
        return self._send(Call(method="GET", path=(*_EXPERIMENTS, *path), query=query))


class Queue(Generic[Answer]):
    """The queue of all jobs, for all masters at once."""

    def __init__(self, send: Callable[[Call], Answer]) -> None:
        self._send = send

    def stats(self) -> Answer:
        """How much waits, runs and has ended."""
        return self._send(Call(method="GET", path=(*_QUEUE, "stats")))

    def pause(self) -> Answer:
        """Let no master begin a job."""
        return self._send(Call(method="POST", path=(*_QUEUE, "pause")))

    def resume(self) -> Answer:
        """Go on after a pause or a drain."""
        return self._send(Call(method="POST", path=(*_QUEUE, "resume")))

    def drain(self) -> Answer:
        """Accept no execution any more."""
        return self._send(Call(method="POST", path=(*_QUEUE, "drain")))

    def clean(self, older_than_s: float) -> Answer:
        """Forget executions that ended longer ago."""
        body = {"olderThan": older_than_s}
        return self._send(Call(method="POST", path=(*_QUEUE, "clean"), body=body))

    def limit(self, rate: float | None) -> Answer:
        """Let at most so many jobs a second begin; None for any number."""
        return self._send(Call(method="POST", path=(*_QUEUE, "limit"), body={"rate": rate}))


class Workers(Generic[Answer]):
    """Workers; a program that is one uses it to join, lease and post."""

    def __init__(self, send: Callable[[Call], Answer]) -> None:
        self._send = send

    def list(self) -> Answer:
        """All workers of the last day."""
        return self._send(Call(method="GET", path=_WORKERS))

    def register(
        self,
        worker: str,
        *,
        capabilities: Sequence[str] = (),
        slots: int = 1,
        metadata: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Join, or begin a new life under the same id."""
        body = {
            "workerId": worker,
            "capabilities": list(capabilities),
            "maxConcurrency": slots,
            "metadata": dict(metadata or {}),
        }
        return self._send(Call(method="POST", path=(*_WORKERS, "register"), body=body))

    def heartbeat(
        self, worker: str, load: int | None = None, *, tasks: Sequence[Mapping[str, Any]] = ()
    ) -> Answer:
        """Stay, and hear what the worker's attempts are to do.

        Args:
            worker: who lives.
            load: tasks that run there.
            tasks: those that it has, as they were leased; which are not its any more, is told.
        """
        attempts = [task["attemptId"] for task in tasks]
        return self._post(worker, "heartbeat", {"currentLoad": load, "attempts": attempts})

    def drain(self, worker: str, *, grace_s: float | None = None) -> Answer:
        """Let a worker, by id or name, finish what it runs, take nothing more, and leave.

        Args:
            worker: of a master, or one that comes over REST.
            grace_s: seconds for what runs there; the worker's own without.
        """
        return self._post(worker, "drain", {"graceSeconds": grace_s})

    def lease(self, worker: str, limit: int = 1, *, only: str | None = None) -> Answer:
        """Take the next tasks that fit; ``only`` those that require this capability."""
        return self._post(worker, "lease", {"limit": limit, "only": only})

    def report(
        self, worker: str, task: Mapping[str, Any], step: int, metrics: Mapping[str, float]
    ) -> Answer:
        """Tell how a trial goes, and hear what it is to do: ``order``."""
        body = {**_attempt(task), "step": step, "metrics": dict(metrics)}
        return self._post(worker, "reports", body)

    def log(
        self, worker: str, task: Mapping[str, Any], text: str, *, stream: str = "stdout"
    ) -> Answer:
        """Keep what an attempt wrote to ``stdout``, ``stderr`` or ``log``."""
        return self._post(
            worker, "logs", {**_attempt(task), "output": [{"stream": stream, "text": text}]}
        )

    def put_output(
        self, worker: str, task: Mapping[str, Any], file: str | Path, *, name: str | None = None
    ) -> Answer:
        """Put a file that a job puts out; the reference to it, for the job's outputs."""
        path = Path(file)
        return self._file("PUT", worker, task, "outputs", name or path.name, body=path)

    def get_input(
        self, worker: str, task: Mapping[str, Any], reference: Mapping[str, Any], into: str | Path
    ) -> Answer:
        """Fetch a file of an earlier job.

        Args:
            worker: who holds the task.
            task: as it was leased.
            reference: as the job's config has it.
            into: where the file goes.
        """
        digest = str(reference["artifact"])
        return self._file("GET", worker, task, "inputs", digest, into=Path(into))

    def put_checkpoint(
        self, worker: str, task: Mapping[str, Any], file: str | Path, step: int
    ) -> Answer:
        """Put what a trial can go on from after ``step`` epochs."""
        query = {"step": step}
        return self._file("PUT", worker, task, "checkpoint", body=Path(file), query=query)

    def get_checkpoint(self, worker: str, task: Mapping[str, Any], into: str | Path) -> Answer:
        """Fetch the newest checkpoint of a trial; where it goes is ``into``."""
        return self._file("GET", worker, task, "checkpoint", into=Path(into))

    def end(
        self, worker: str, task: Mapping[str, Any], status: str = "completed", **more: object
    ) -> Answer:
        """End an attempt; ``more`` are ``outputs`` of a job, ``metrics`` of a trial, or ``error``.

        Args:
            worker: who held it.
            task: as it was leased.
            status: completed, paused, failed or cancelled.
            more: further fields of the call.
        """
        return self._post(worker, "results", {**_attempt(task), "status": status, **more})

    def leave(self, worker: str) -> Answer:
        """Leave."""
        return self._send(Call(method="DELETE", path=(*_WORKERS, worker)))

    def _post(self, worker: str, what: str, body: object) -> Answer:
        return self._send(Call(method="POST", path=(*_WORKERS, worker, what), body=body))

    def _file(
        self,
        method: str,
        worker: str,
        task: Mapping[str, Any],
        *place: str,
        body: Path | None = None,
        into: Path | None = None,
        query: Mapping[str, str | int | None] | None = None,
    ) -> Answer:
        call = Call(
            method=method,
            path=(*_WORKERS, worker, "tasks", str(task["taskId"]), *place),
            body=body,
            into=into,
            query=query or {},
            more={"Attempt-Id": str(task["attemptId"])},
        )
        return self._send(call)


def _attempt(task: Mapping[str, Any]) -> dict[str, Any]:
    """An attempt, named as it was leased."""
    return {"taskId": task["taskId"], "attemptId": task["attemptId"]}


class Server(ABC, Generic[Answer]):
    """All that can be asked, by resource; a client says how a call is sent.

    Attributes:
        executions: of workflows.
        experiments: searches.
        queue: of all jobs.
        workers: those of masters, and those that come over REST.
    """

    def __init__(self) -> None:
        self.executions = Executions(self._send)
        self.experiments = Experiments(self._send)
        self.queue = Queue(self._send)
        self.workers = Workers(self._send)

    @abstractmethod
    def _send(self, call: Call) -> Answer:
        """Make a call; what comes back is what every method here returns."""

    def health(self) -> Answer:
        """Whether the cluster works, as a whole and in its parts."""
        return self._send(Call(method="GET", path=("api", "distributed", "health")))

    def optimizers(self) -> Answer:
        """The optimizers, and when to use each."""
        return self._send(Call(method="GET", path=("api", "v1", "optimizers")))

    def validate_space(self, space: str) -> Answer:
        """Whether a text is a search space, with its decisions or what is wrong."""
        path = ("api", "v1", "spaces", "validate")
        return self._send(Call(method="POST", path=path, body={"space": space}))
