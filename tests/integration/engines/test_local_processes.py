"""What local children are like: light, by value, with a share of the machine."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import training_evaluators as training

import morphml as mm
from morphml import layers as L
from morphml.engines import Context, Failed, Finished, LocalEngine, Reported, Started, Succeeded
from morphml.engines.local.attempt import Patience
from morphml.errors import EvaluatorError, WorkerError
from morphml.evaluation import EvaluatorSource, MetricRules
from morphml.testing import engine_evaluators as given
from morphml.testing.engine_probe import EXPERIMENT, EngineProbe

READY_S = 90.0


def run(evaluator: object, **fields: object) -> object:
    with LocalEngine(1) as engine:
        probe = EngineProbe(engine)
        probe.prepare(evaluator)
        return probe.run(0.5, **fields)


@pytest.mark.usefixtures("no_torch")
def test_lambda_and_closure_travel_by_value() -> None:
    offset = {"value": 0.25}
    expected = Succeeded(metrics={"score": 0.75})
    assert run(lambda arch, trial: arch.vector[0] + offset["value"]) == expected


@pytest.mark.usefixtures("no_torch")
def test_function_of_a_notebook_travels_by_value() -> None:
    """As in a notebook: defined in ``__main__`` with helpers, a class and imports beside it."""
    cell = """
import math
class Scale:
    def __init__(self, by): self.by = by
def helper(x): return math.sqrt(x)
def evaluate(arch, trial): return Scale(2).by * helper(arch.vector[0])
"""
    scope: dict[str, object] = {"__name__": "__main__"}
    exec(cell, scope)
    assert run(scope["evaluate"]) == Succeeded(metrics={"score": 2 * 0.5**0.5})


@pytest.mark.usefixtures("no_torch")
def test_large_closure_reaches_every_child() -> None:
    data = os.urandom(1 << 20) * 40
    with LocalEngine(3) as engine:
        probe = EngineProbe(engine)
        probe.prepare(lambda arch, trial: float(len(data)))
        tokens = [probe.submit() for _ in range(6)]
        probe.finish()
    ends = [probe.finished(token).outcome for token in tokens]
    assert ends == [Succeeded(metrics={"score": float(len(data))})] * 6


@pytest.mark.usefixtures("no_torch")
def test_evaluator_that_cannot_travel_is_refused_with_advice() -> None:
    lock = threading.Lock()
    with LocalEngine(1) as engine, pytest.raises(EvaluatorError, match=r"setup\(context\)"):
        EngineProbe(engine).prepare(lambda arch, trial: bool(lock) * 1.0)


def test_real_space_builds_real_modules_in_children(tmp_path: Path) -> None:
    space = mm.SearchSpace(
        input=(4,),
        layers=[L.dense(units=mm.choice(8, 16)), L.relu(), L.output(2)],
        hyper={"lr": mm.real(1e-4, 1e-1, log=True)},
    )

    def evaluate(arch: mm.Architecture, trial: mm.Trial) -> dict[str, float]:
        model = arch.build()
        count = sum(p.numel() for p in model.parameters())
        return {"count": float(count), "lr": float(str(trial.params["lr"]))}

    with LocalEngine(2) as engine:
        probe = EngineProbe(engine)
        source = EvaluatorSource.of(evaluate)
        rules = MetricRules.of("count", "params")
        engine.prepare(
            EXPERIMENT, Context(space=space, evaluator=source, rules=rules, scratch=tmp_path)
        )
        for units in (8, 16):
            member = space.member({**space.default().decisions})
            member = next(
                a
                for a in [member, *space.neighbours(member)]
                if a.params == 4 * units + units + units * 2 + 2
            )
            outcome = probe.run(vector=member.vector)
            assert isinstance(outcome, Succeeded), outcome
            assert outcome.metrics == {"count": member.params, "lr": member.hyper["lr"]}


def test_children_share_the_cores_and_the_import_of_torch() -> None:
    with LocalEngine(2, threads=1) as engine:
        probe = EngineProbe(engine)
        probe.prepare(training.look_around)
        tokens = [probe.submit() for _ in range(4)]
        probe.finish()
        outcomes = [probe.finished(token).outcome for token in tokens]
        assert all(isinstance(o, Succeeded) and o.metrics["score"] == 1.0 for o in outcomes)
        maps = [Path(f"/proc/{pid}/maps").read_text() for pid in engine.processes]
        assert all("libtorch" in text for text in maps)


@pytest.mark.usefixtures("no_torch")
def test_children_without_need_of_torch_do_not_have_it() -> None:
    with LocalEngine(1) as engine:
        probe = EngineProbe(engine)
        probe.prepare(given.score)
        probe.run(0.5)
        for pid in engine.processes:
            assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.usefixtures("no_torch")
def test_idle_children_use_no_processor() -> None:
    with LocalEngine(4) as engine:
        probe = EngineProbe(engine)
        probe.prepare(given.score)
        assert engine.warm_up(READY_S)
        processes = [psutil.Process(pid) for pid in engine.processes]

        def used() -> float:
            before = sum(sum(process.cpu_times()[:2]) for process in processes)
            assert engine.events(1.0) == []
            return sum(sum(process.cpu_times()[:2]) for process in processes) - before

        # On a busy machine they come to rest later than they say that they are ready.
        assert any(used() <= 0.02 for _ in range(20))


@pytest.mark.usefixtures("no_torch")
def test_warm_up_waits_for_setup_and_gives_up_in_time(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    class Slow:
        def setup(self, context: object) -> None:
            while not gate.exists():
                time.sleep(0.01)

        def __call__(self, arch: object, trial: object) -> float:
            return 0.5

    with LocalEngine(2) as engine:
        EngineProbe(engine).prepare(Slow())
        assert not engine.warm_up(0.3)
        gate.touch()
        begun = time.monotonic()
        assert engine.warm_up(READY_S)
        assert time.monotonic() - begun < READY_S / 2


@pytest.mark.usefixtures("no_torch")
def test_engine_waits_no_longer_than_it_is_told() -> None:
    with LocalEngine(1) as engine:
        probe = EngineProbe(engine)
        probe.prepare(given.score)
        probe.pump(lambda: engine.ready == 1, READY_S)
        engine.events(0.1)
        begun = time.monotonic()
        assert engine.events(0.2) == []
        assert 0.19 <= time.monotonic() - begun < 15.0


@pytest.mark.usefixtures("no_torch")
def test_worker_to_be_avoided_is_avoided_while_another_is_free() -> None:
    with LocalEngine(3) as engine:
        probe = EngineProbe(engine)
        probe.prepare(given.score)
        assert engine.warm_up(READY_S)
        for _ in range(6):
            token = probe.submit(avoid=("local-0", "local-2"))
            probe.finish()
            assert probe.finished(token).worker == "local-1"
        only = probe.submit(avoid=("local-0", "local-1", "local-2"))
        probe.finish()
        assert isinstance(probe.finished(only).outcome, Succeeded)


@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize(("patience_s", "worker"), [(30.0, "local-0"), (0.2, "local-1")])
def test_retry_waits_a_moment_for_another_worker_that_is_busy(
    patience_s: float, worker: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"

    def evaluate(arch: mm.Architecture, trial: mm.Trial) -> float:
        while arch.vector[0] and not gate.exists():
            time.sleep(0.01)
        return 1.0

    with LocalEngine(2, patience=Patience(elsewhere_s=patience_s)) as engine:
        probe = EngineProbe(engine)
        probe.prepare(evaluate)
        assert engine.warm_up(READY_S)
        busy = probe.submit(1.0, avoid=("local-1",))
        retry = probe.submit(0.0, avoid=("local-1",))
        other = probe.submit(0.0)
        # The retry too where it does not wait for the worker that is busy.
        probe.pump(lambda: len(probe.of(Finished)) == (1 if worker == "local-0" else 2))
        gate.touch()
        probe.finish()
        ends = [probe.finished(token).worker for token in (busy, other, retry)]
        assert ends == ["local-0", "local-1", worker]
        order = [event.token for event in probe.of(Finished)]
        assert order == ([other, busy, retry] if worker == "local-0" else [other, retry, busy])


@pytest.mark.usefixtures("no_torch")
def test_child_sees_its_own_device_only() -> None:
    def evaluate(arch: object, trial: mm.Trial) -> float:
        assert trial.device == "cuda:0"
        return float(os.environ["CUDA_VISIBLE_DEVICES"])

    with LocalEngine(2, devices=("cuda:0", "cuda:1")) as engine:
        probe = EngineProbe(engine)
        probe.prepare(evaluate)
        for _ in range(8):
            probe.submit()
        probe.finish()
        for end in probe.of(Finished):
            assert isinstance(end.outcome, Succeeded)
            assert end.worker == f"local-{end.outcome.metrics['score']:.0f}"


@pytest.mark.usefixtures("no_torch")
def test_engine_works_in_a_thread_that_ends_before_its_children() -> None:
    """Children die with the process, not with the thread that happened to start them."""
    engine = LocalEngine(1)
    probe = EngineProbe(engine)
    thread = threading.Thread(target=lambda: (probe.prepare(given.score), probe.run(0.5)))
    thread.start()
    thread.join()
    before = engine.processes
    assert probe.run(0.75) == Succeeded(metrics={"score": 0.75})
    assert engine.processes == before
    engine.close()


@pytest.mark.usefixtures("no_torch")
def test_bad_experiment_does_not_keep_children_from_a_good_one() -> None:
    class Dies:
        def setup(self, context: object) -> None:
            os._exit(3)

        def __call__(self, arch: object, trial: object) -> float:
            return 0.5

    with LocalEngine(2) as engine:
        probe = EngineProbe(engine)
        probe.prepare(Dies(), experiment="bad")
        probe.prepare(given.score)
        engine.warm_up(READY_S)  # one dies, or both, until nobody is asked to load it
        probe.pump(lambda: bool(probe.deaths()), READY_S)
        tokens = [probe.submit(0.5) for _ in range(20)]
        bad = probe.submit(experiment="bad")
        tokens += [probe.submit(0.5) for _ in range(20)]
        probe.finish()
        assert isinstance(probe.finished(bad).outcome, Failed)
        good = [probe.finished(token).outcome for token in tokens]
        assert good == [Succeeded(metrics={"score": 0.5})] * 40
        assert len(probe.deaths()) <= 5


def test_engine_without_workers_is_refused() -> None:
    with pytest.raises(WorkerError, match="at least 1"):
        LocalEngine(0)


@pytest.mark.usefixtures("no_torch")
def test_events_tell_the_worker_that_ran_the_attempt() -> None:
    with LocalEngine(2) as engine:
        probe = EngineProbe(engine)
        probe.prepare(given.score)
        for _ in range(10):
            probe.submit()
        probe.finish()
        started = {event.token: event.worker for event in probe.of(Started)}
        assert started == {event.token: event.worker for event in probe.of(Finished)}
        assert set(started.values()) <= {"local-0", "local-1"}


@pytest.mark.usefixtures("no_torch")
def test_module_outside_of_the_import_path_travels_by_value(tmp_path: Path) -> None:
    path = tmp_path / "somewhere.py"
    path.write_text("def helper(x): return x * 3\ndef evaluate(arch, trial): return helper(0.25)\n")
    spec = importlib.util.spec_from_file_location("not_on_the_path", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        assert run(module.evaluate) == Succeeded(metrics={"score": 0.75})
    finally:
        del sys.modules[spec.name]


@pytest.mark.usefixtures("no_torch")
def test_reports_of_several_threads_arrive_whole() -> None:
    def evaluate(arch: object, trial: mm.Trial) -> float:
        lock = threading.Lock()
        steps = iter(range(3000))

        def work() -> None:
            while True:
                with lock:
                    step = next(steps, None)
                    if step is None:
                        return
                    trial.report(step, score=0.5)
                trial.log("x" * 200)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 0.5

    with LocalEngine(1) as engine:
        probe = EngineProbe(engine)
        probe.prepare(evaluate)
        token = probe.submit()
        probe.finish()
        assert [event.step for event in probe.of(Reported)] == list(range(3000))
        assert probe.output(token, "log") == ("x" * 200 + "\n") * 3000


def test_closed_engine_tells_nothing() -> None:
    engine = LocalEngine(1)
    EngineProbe(engine).prepare(given.score)
    engine.close()
    assert engine.events(1.0) == []
