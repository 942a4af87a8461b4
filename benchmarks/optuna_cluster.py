"""Optuna on the same work: processes that share one study on PostgreSQL."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier

import optuna

NAME = "bench"
SAMPLERS: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
    "TPE (default)": optuna.samplers.TPESampler,
    "random": optuna.samplers.RandomSampler,
}
#: Start and end of an objective, in seconds since the Unix epoch.
Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What each process is told."""

    url: str
    sampler: str
    unevenly: bool
    #: Trials that nobody has begun.
    left: Synchronized[int]
    #: All have loaded the study.
    ready: Barrier
    spans: SimpleQueue[list[Span]]


def measure_optuna(
    url: str, workers: int, trials: int, *, sampler: str, unevenly: bool
) -> list[Span]:
    """The spans of all trials, by as many processes as ``workers``.

    Every process has loaded the study before the first trial begins.
    """
    url = url.replace("postgresql://", "postgresql+psycopg://")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_study(study_name=NAME, storage=_storage(url), direction="maximize")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.optuna_cluster", "psycopg"])
    work = Work(
        url=url,
        sampler=sampler,
        unevenly=unevenly,
        left=context.Value("i", trials),
        ready=context.Barrier(workers),
        spans=context.SimpleQueue(),
    )
    processes = [context.Process(target=_process, args=(work,)) for _ in range(workers)]
    for process in processes:
        process.start()
    found = [span for _ in processes for span in work.spans.get()]
    for process in processes:
        process.join()
    assert len(found) == trials, (len(found), trials)
    return found


def _storage(url: str) -> optuna.storages.RDBStorage:
    return optuna.storages.RDBStorage(url, engine_kwargs={"pool_size": 1})


def _process(work: Work) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = SAMPLERS[work.sampler]()
    study = optuna.load_study(study_name=NAME, storage=_storage(work.url), sampler=sampler)
    spans: list[Span] = []

    def objective(trial: optuna.Trial) -> float:
        began = time.time()
        value = trial.suggest_int("a", 0, 999)
        trial.suggest_int("b", 0, 999)
        time.sleep(0.2 + 2.8 * (trial.number * 37 % 100) / 99 if work.unevenly else 1.0)
        spans.append((began, time.time()))
        return float(value)

    work.ready.wait()
    while _take(work.left):
        study.optimize(objective, n_trials=1)
    work.spans.put(spans)


def _take(left: Synchronized[int]) -> bool:
    with left.get_lock():
        left.value -= 1
        return left.value >= 0
