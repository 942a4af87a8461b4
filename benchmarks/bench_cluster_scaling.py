"""Slot use of 50 worker processes of one master on PostgreSQL, beside Optuna on the same work.

All workers are registered before the first trial; each has one slot. Efficiency is the sum of the
durations timed in the children over 50 x (last end - first start). With sleeps of 0.2 to 3 s it is
taken until the queue runs dry: the moment the last trial starts. The search of 1 s sleeps comes
first: until it is submitted, no worker has heard of it, nor has its code.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import optuna

import morphml as mm
from benchmarks.cluster import Cluster, load, private_cluster
from benchmarks.optuna_cluster import measure_optuna
from morphml.master import Experiment
from morphml.testing.postgres import private_server

SPACE = mm.SearchSpace(decisions={"a": mm.integer(0, 999), "b": mm.integer(0, 999)})


def efficiency(
    spans: Sequence[tuple[float, float]], workers: int, *, until_dry: bool
) -> dict[str, object]:
    """Share of slot time in use.

    Args:
        spans: start and end of each attempt.
        workers: slots.
        until_dry: whether to look only until the last start.
    """
    first = min(start for start, _ in spans)
    last = max(start for start, _ in spans) if until_dry else max(end for _, end in spans)
    used = sum(min(end, last) - start for start, end in spans)
    return {
        "efficiency": round(used / (workers * (last - first)), 4),
        "span_s": round(last - first, 3),
    }


def measure(
    cluster: Cluster, evaluator: str, workers: int, trials: int, *, until_dry: bool
) -> dict[str, object]:
    """One search on workers that are there."""
    busy = load()
    options = {"objectives": {"a": "max"}, "optimizer": "evolution", "trials": trials, "seed": 1}
    with Experiment.create(
        SPACE, f"naps:{evaluator}", storage=cluster.url, engine="remote", **options
    ) as experiment:
        experiment.submit()
        cluster.until_over(experiment.id)
        attempts = list(experiment.store.attempts(experiment.id))
    assert len(attempts) == trials
    spans = [(a.started_at, a.started_at + a.duration_s) for a in attempts]
    return {
        "case": f"{workers} worker processes, {evaluator}",
        "trials": trials,
        **efficiency(spans, workers, until_dry=until_dry),
        "load": busy,
    }


def measure_peer(
    url: str, workers: int, trials: int, sampler: str, *, unevenly: bool
) -> dict[str, object]:
    """The same with Optuna; what it needs to suggest values counts as work."""
    busy = load()
    spans = measure_optuna(url, workers, trials, sampler=sampler, unevenly=unevenly)
    name = "unevenly" if unevenly else "one_second"
    return {
        "case": f"Optuna {optuna.__version__} {sampler}, {workers} processes, {name}",
        "trials": trials,
        **efficiency(spans, workers, until_dry=unevenly),
        "load": busy,
    }


def run(workers: int = 50) -> list[dict[str, object]]:
    """All rows of the table."""
    rows: list[dict[str, object]] = []
    even, uneven = 4 * workers, 6 * workers
    with private_server(fsync=True) as server:
        with private_cluster(server) as cluster:
            cluster.start_masters("m1")
            busy = load()
            seconds = cluster.start_workers(workers, slots=1)
            case = f"{workers} worker processes registered"
            rows += [
                {"case": case, "seconds": round(seconds, 1), "load": busy},
                measure(cluster, "one_second", workers, even, until_dry=False),
                measure(cluster, "unevenly", workers, uneven, until_dry=True),
            ]
        peers = (("TPE (default)", False), ("random", False), ("TPE (default)", True))
        for sampler, unevenly in peers:
            trials = uneven if unevenly else even
            rows.append(
                measure_peer(server.new_database(), workers, trials, sampler, unevenly=unevenly)
            )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=50)
    for row in run(parser.parse_args().workers):
        print(row)
