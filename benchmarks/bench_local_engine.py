"""The local engine alone, without search and store: what it adds to the work that it is given.

Efficiency is the sum of durations timed in the children over 50 x (last end - first start). Work
is handed over one attempt per free slot and at most 10 % ahead, as a search does it.
"""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import psutil

from morphml.engines import Assignment, Context, Engine, Finished, InProcessEngine
from morphml.engines.local import LocalEngine
from morphml.evaluation import EvaluatorSource, MetricRules
from morphml.ids import ExperimentId, new_token
from morphml.testing.engine_probe import ToySpace

WORKERS = 50
AHEAD = WORKERS // 10
EXPERIMENT = ExperimentId("bench")


def sleep(arch, trial) -> float:
    """As many seconds as the member says."""
    time.sleep(arch.vector[0])
    return 1.0


def answer(arch, trial) -> float:
    """At once."""
    return 1.0


def report(arch, trial) -> float:
    """A thousand reports; microseconds per report."""
    begun = time.perf_counter()
    for step in range(1000):
        trial.report(step, score=1.0)
    return (time.perf_counter() - begun) * 1000


def prepare(engine: Engine, evaluator: object) -> None:
    """Make an evaluator known."""
    source = EvaluatorSource.of(evaluator)
    rules = MetricRules.of("score")
    context = Context(space=ToySpace(), evaluator=source, rules=rules, scratch=Path())
    engine.prepare(EXPERIMENT, context)


def drive(engine: Engine, seconds: list[float], ahead: int) -> list[Finished]:
    """Run one attempt for each duration; never more than ``ahead`` wait beyond the slots."""
    given, ended = 0, []
    while len(ended) < len(seconds):
        while given < min(len(seconds), len(ended) + engine.slots + ahead):
            engine.submit(
                Assignment(
                    token=new_token(),
                    experiment=EXPERIMENT,
                    number=given,
                    vector=(seconds[given],),
                    seed=given,
                )
            )
            given += 1
        ended += [event for event in engine.events(5.0) if isinstance(event, Finished)]
    return ended


def measure_ready(evaluator: object, case: str) -> dict[str, object]:
    """From nothing to 50 children that have loaded the evaluator and answered."""
    begun = time.monotonic()
    with LocalEngine(WORKERS) as engine:
        prepare(engine, evaluator)
        assert engine.warm_up(60)
        return {"case": case, "seconds": round(time.monotonic() - begun, 2)}


def measure_idle() -> dict[str, object]:
    """Processor time that 50 idle children, their server and their parent use in 5 s."""
    with LocalEngine(WORKERS) as engine:
        prepare(engine, answer)
        assert engine.warm_up(60)
        engine.events(0.5)
        processes = [psutil.Process(), *(psutil.Process(pid) for pid in engine.processes)]
        before = sum(sum(process.cpu_times()[:2]) for process in processes)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            engine.events(1.0)
        used = sum(sum(process.cpu_times()[:2]) for process in processes) - before
        shared = sum(psutil.Process(pid).memory_full_info().uss for pid in engine.processes[1:])
    return {
        "case": "50 idle local children",
        "cpu_percent": round(used / 5 * 100, 2),
        "own_mb_per_child": round(shared / WORKERS / 2**20, 1),
    }


def measure_slots(case: str, seconds: list[float], *, until_dry: bool) -> dict[str, object]:
    """Slot use, to the end or until nothing waits any more."""
    with LocalEngine(WORKERS) as engine:
        prepare(engine, sleep)
        assert engine.warm_up(60)
        ended = drive(engine, seconds, AHEAD)
    starts = [event.started_at for event in ended]
    ends = [event.started_at + event.duration_s for event in ended]
    last = max(starts) if until_dry else max(ends)
    used = sum(min(end, last) - start for start, end in zip(starts, ends, strict=True))
    return {
        "case": f"engine alone: {WORKERS} local processes, {case}",
        "efficiency": round(used / (WORKERS * (last - min(starts))), 4),
        "span_s": round(last - min(starts), 3),
    }


def measure_rate(engine: Engine, case: str, attempts: int) -> dict[str, object]:
    """Attempts per second that do nothing."""
    prepare(engine, answer)
    drive(engine, [0.0] * engine.slots, 0)
    begun = time.monotonic()
    drive(engine, [0.0] * attempts, engine.slots)
    took = time.monotonic() - begun
    engine.close()
    return {
        "case": case,
        "attempts_per_s": round(attempts / took),
        "us_per_attempt": round(took / attempts * 1e6, 1),
    }


def measure_reports() -> dict[str, object]:
    """What a report costs the evaluator."""
    with LocalEngine(1) as engine:
        prepare(engine, report)
        ended = drive(engine, [0.0] * 5, 0)
    costs = sorted(event.outcome.metrics["score"] for event in ended)
    return {"case": "one report from a child", "us": round(costs[2], 1)}


def measure_latency() -> dict[str, object]:
    """From the end of an attempt in a child to the start of the next one there."""
    with LocalEngine(1) as engine:
        prepare(engine, sleep)
        ended = drive(engine, [0.001] * 200, 0)
    gaps = [
        after.started_at - before.started_at - before.duration_s
        for before, after in pairwise(ended)
    ]
    return {"case": "from one attempt to the next", "us": round(sorted(gaps)[100] * 1e6)}


def run() -> list[dict[str, object]]:
    """All rows of the table."""
    uneven = [0.2 + 2.8 * (i * 37 % 100) / 99 for i in range(300)]
    return [
        measure_ready(answer, "engine alone: 50 children ready"),
        measure_idle(),
        measure_slots("1 s each", [1.0] * 200, until_dry=False),
        measure_slots("0.2 to 3 s", uneven, until_dry=True),
        measure_rate(InProcessEngine(), "in-process attempts", 20_000),
        measure_rate(LocalEngine(2), "attempts of 2 local children", 5_000),
        measure_latency(),
        measure_reports(),
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
