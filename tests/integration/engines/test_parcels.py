"""Experiments whose code the engine's own process does not import."""

from __future__ import annotations

import select
from pathlib import Path

import pytest

import morphml as mm
from morphml import layers as L
from morphml.engines import Assignment, Failed, Finished, LocalEngine, Succeeded
from morphml.engines.local.code import Code, Parcel
from morphml.engines.local.payload import Sent, pack_sent
from morphml.engines.port import EngineEvent
from morphml.evaluation import MetricRules
from morphml.ids import AttemptToken, ExperimentId, new_token
from morphml.scheduling.failures import FailureKind
from morphml.testing.engine_probe import EngineProbe

SPACE = mm.SearchSpace(input=(4,), layers=[L.dense(units=mm.choice(8, 16)), L.output(2)])
EVALUATOR = "same_name:evaluate"


def parcel(folder: Path, evaluator: str = EVALUATOR) -> Parcel:
    sent = Sent(
        space=SPACE.to_text(),
        evaluator=evaluator,
        rules=MetricRules.of("score"),
        scratch=folder,
        settings={},
    )
    return Parcel(payload=pack_sent(sent), code=Code(name=folder.name, path=(str(folder),)))


def code(folder: Path, value: float) -> Path:
    folder.mkdir()
    (folder / "inner_name.py").write_text(f"VALUE = {value}\n")
    (folder / "same_name.py").write_text(
        "import os, subprocess, sys\nimport inner_name\n"
        "def evaluate(arch, trial):\n"
        "    ask = 'import inner_name; print(inner_name.VALUE)'\n"
        "    told = subprocess.run([sys.executable, '-c', ask], stdout=subprocess.PIPE)\n"
        "    assert float(told.stdout) == inner_name.VALUE\n"
        "    return inner_name.VALUE + os.getpid() * 0\n"
    )
    return folder


def submit(probe: EngineProbe, experiment: str) -> AttemptToken:
    token = new_token()
    assignment = Assignment(
        token=token, experiment=ExperimentId(experiment), number=0, vector=(0,), seed=0
    )
    probe.engine.submit(assignment)
    probe.tokens.append(token)
    return token


@pytest.mark.usefixtures("no_torch")
def test_modules_of_the_same_name_never_meet(tmp_path: Path) -> None:
    with LocalEngine(2) as engine:
        probe = EngineProbe(engine)
        for name, value in (("one", 1.0), ("two", 2.0)):
            engine.prepare_parcel(ExperimentId(name), parcel(code(tmp_path / name, value)))
        wanted = ["one", "two", "one", "one", "two", "two", "one", "two"]
        tokens = [submit(probe, name) for name in wanted]
        probe.finish()
        children = len(engine.processes) - 1
    outcomes = [probe.finished(token).outcome for token in tokens]
    values = {"one": 1.0, "two": 2.0}
    assert outcomes == [Succeeded(metrics={"score": values[name]}) for name in wanted]
    assert children == 2


@pytest.mark.usefixtures("no_torch")
def test_code_that_cannot_be_imported_fails_its_own_attempts_only(tmp_path: Path) -> None:
    with LocalEngine(1) as engine:
        probe = EngineProbe(engine)
        good, bad = code(tmp_path / "good", 1.0), code(tmp_path / "bad", 2.0)
        engine.prepare_parcel(ExperimentId("bad"), parcel(bad, "nowhere:evaluate"))
        engine.prepare_parcel(ExperimentId("good"), parcel(good))
        tokens = [submit(probe, name) for name in ("bad", "good", "bad", "good")]
        probe.finish()
    ends = [probe.finished(token).outcome for token in tokens]
    for end in (ends[0], ends[2]):
        assert isinstance(end, Failed)
        assert end.kind is FailureKind.INFRASTRUCTURE
        assert "nowhere" in end.message
    assert ends[1] == ends[3] == Succeeded(metrics={"score": 1.0})


@pytest.mark.usefixtures("no_torch")
def test_descriptor_is_readable_only_while_something_is_there_to_be_told(tmp_path: Path) -> None:
    with LocalEngine(1) as engine:
        engine.prepare_parcel(ExperimentId("e"), parcel(code(tmp_path / "one", 1.0)))
        assert engine.warm_up(90.0)
        engine.events(0.1)
        assert not select.select([engine], [], [], 0.0)[0]
        token = submit(EngineProbe(engine), "e")
        events: list[EngineEvent] = []
        while not any(isinstance(event, Finished) for event in events):
            assert select.select([engine], [], [], 90.0)[0] == [engine]
            events += engine.events(0.0)
        assert {event.token for event in events if isinstance(event, Finished)} == {token}
        assert not select.select([engine], [], [], 0.0)[0]
