"""Trials that pause at rungs and go on: what is trained, what is kept, and what a kill changes."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest
import torch

import morphml as mm
from morphml.master import Experiment
from morphml.search.log import EntryKind

SPACE = mm.SearchSpace(decisions={"x": mm.real(-1.0, 1.0)})
TRIALS = 14


class Weights:
    """A model whose only weight counts the epochs that it was trained."""

    def __init__(self) -> None:
        self.epochs = 0

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"epochs": torch.tensor(self.epochs)}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.epochs = int(state["epochs"])


class Counting:
    """Writes a line for each epoch that is trained; dies or halts after so many lines in all."""

    def __init__(
        self,
        folder: Path,
        dies_after: int = 0,
        *,
        halts_after: int = 0,
        by: signal.Signals = signal.SIGKILL,
        forgetful: bool = False,
    ) -> None:
        self.lines = folder / "epochs.txt"
        self.dies_after = dies_after
        self.halts_after = halts_after
        self.by = by
        self.forgetful = forgetful

    def __call__(self, arch: mm.Architecture, trial: mm.Trial) -> float:
        weights = Weights()
        value = 0.0
        for epoch in trial.epochs(weights=None if self.forgetful else weights):
            with self.lines.open("a") as file:
                file.write(f"{trial.number} {epoch}\n")
            weights.epochs += 1
            assert self.forgetful or weights.epochs == epoch
            if self.dies_after and len(trained(self.lines)) == self.dies_after:
                os.kill(os.getpid(), self.by)
            while self.halts_after and len(trained(self.lines)) >= self.halts_after:
                time.sleep(0.02)
            value = arch.decisions["x"] ** 2 + 1 / epoch
        return value


def trained(lines: Path) -> list[tuple[int, int]]:
    """Trial and epoch of each epoch that was trained, in order."""
    rows = lines.read_text().splitlines() if lines.exists() else []
    return [(int(row.split()[0]), int(row.split()[1])) for row in rows]


def create(folder: Path, evaluate: object, **options: object) -> Experiment:
    given = {"fidelity": "asha", "optimizer": "random", "trials": TRIALS, "max_epochs": 9}
    return Experiment.create(
        SPACE,
        evaluate,
        storage=folder / "search.db",
        workers=0,
        objectives={"loss": "min"},
        **{**given, **options},  # type: ignore[arg-type]
    )


def history(experiment: Experiment) -> list[tuple[str, int, dict[str, object]]]:
    """The log without what a clock says."""
    rows = []
    for entry in experiment.store.log(experiment.id):
        body = orjson.loads(entry.body)
        body.pop("duration", None)
        rows.append((entry.kind.value, entry.number, body))
    return rows


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    folder = tmp_path_factory.mktemp("whole")
    with create(folder, Counting(folder)) as experiment:
        experiment.run(0, lambda _: None)
        kept = sorted(path.name[:6] for path in experiment.folder.glob("checkpoints/*"))
        records = experiment.result().records
        return history(experiment), trained(folder / "epochs.txt"), kept, records


def test_no_epoch_is_trained_twice_and_few_trials_get_many(uninterrupted: tuple) -> None:
    log, epochs, _, records = uninterrupted
    assert len(epochs) == len(set(epochs))
    assert Counter(record.epochs for record in records) == {1: 10, 3: 3, 9: 1}
    assert Counter(record.state.value for record in records) == {"completed": 1, "pruned": 13}
    assert len(epochs) == sum(record.epochs for record in records)
    kinds = Counter(kind for kind, _, _ in log)
    assert (kinds["paused"], kinds["promoted"], kinds["told"]) == (18, 5, 14)
    best_at_first = sorted(records, key=lambda r: abs(orjson.loads(r.vector)[0]))[0]
    assert best_at_first.epochs == 9


def test_checkpoints_of_trials_that_ended_are_deleted_but_the_best(uninterrupted: tuple) -> None:
    _, _, kept, records = uninterrupted
    (full,) = [record.number for record in records if record.epochs == 9]
    assert set(kept) == {f"{full:06d}"}


@pytest.mark.parametrize("line", [1, 3, 8, 12, 17, 26])
def test_killed_search_goes_on_as_if_it_had_not_been(
    tmp_path: Path, uninterrupted: tuple, line: int
) -> None:
    with create(tmp_path, Counting(tmp_path, line)):
        pass
    child = os.fork()
    if child == 0:
        with Experiment.open(tmp_path / "search.db", evaluate=Counting(tmp_path, line)) as running:
            running.run(0, lambda _: None)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    before = trained(tmp_path / "epochs.txt")
    with Experiment.open(tmp_path / "search.db", evaluate=Counting(tmp_path)) as experiment:
        prefix = history(experiment)
        experiment.run(0, lambda _: None)
        log, epochs, _, _ = uninterrupted
        assert history(experiment) == log
        assert log[: len(prefix)] == prefix
        assert mm.master.replaying.replay(experiment).passed
    after = trained(tmp_path / "epochs.txt")
    assert set(after) == set(epochs)
    again = [row for row, times in Counter(after).items() if times > 1]
    # The attempt that died trained these since its last checkpoint, of the rung below.
    rung = {1: 0, 2: 1, 3: 1}.get(before[-1][1], 3)
    assert again == [(before[-1][0], e) for e in range(rung + 1, before[-1][1] + 1)]


def test_evaluator_without_checkpoints_begins_again_and_is_told_of_it_once(tmp_path: Path) -> None:
    with create(tmp_path, Counting(tmp_path, forgetful=True)) as experiment:
        with pytest.warns(UserWarning, match="without a checkpoint") as told:
            experiment.run(0, lambda _: None)
        assert len(told) == 1
        records = experiment.result().records
        bodies = [orjson.loads(e.body) for e in experiment.store.log(experiment.id)
                  if e.kind is EntryKind.PAUSED]  # fmt: skip
    assert Counter(record.epochs for record in records) == {1: 10, 3: 3, 9: 1}
    # Each promoted trial begins again: 14 segments of 1 epoch, 4 of 3 and 1 of 9.
    assert len(trained(tmp_path / "epochs.txt")) == 14 + 4 * 3 + 9
    assert {body["saved"] for body in bodies} == {0}


def test_evaluator_that_trains_to_its_end_is_told_so(tmp_path: Path) -> None:
    def whole(arch: mm.Architecture, trial: mm.Trial) -> float:
        return arch.decisions["x"] ** 2

    with create(tmp_path, whole, trials=3) as experiment:
        with pytest.warns(UserWarning, match="was to pause after 1 epochs") as told:
            experiment.run(0, lambda _: None)
        assert len(told) == 1
        assert experiment.result().counts == {"completed": 3}


def test_own_loop_pauses_where_it_reports(tmp_path: Path) -> None:
    """Without ``trial.epochs``: report, save, load."""

    def loop(arch: mm.Architecture, trial: mm.Trial) -> float:
        saved = trial.load_checkpoint() or {"done": 0}
        for epoch in range(saved["done"] + 1, trial.max_epochs + 1):
            with (tmp_path / "epochs.txt").open("a") as file:
                file.write(f"{trial.number} {epoch}\n")
            trial.checkpoint(epoch, done=epoch)
            trial.report(epoch, loss=arch.decisions["x"] ** 2 + 1 / epoch)
        return arch.decisions["x"] ** 2 + 1 / epoch

    with create(tmp_path, loop) as experiment:
        experiment.run(0, lambda _: None)
        assert Counter(r.epochs for r in experiment.result().records) == {1: 10, 3: 3, 9: 1}
    epochs = trained(tmp_path / "epochs.txt")
    assert len(epochs) == len(set(epochs)) == 10 + 9 + 9


def test_budget_of_epochs_counts_what_was_trained(tmp_path: Path) -> None:
    with create(tmp_path, Counting(tmp_path), trials=100, epochs=20) as experiment:
        result = experiment.run(0, lambda _: None)
        assert result.reason == "budget of epochs spent"
    assert 20 <= len(trained(tmp_path / "epochs.txt")) < 20 + 9


def test_killed_search_with_workers_trains_again_only_what_was_running(tmp_path: Path) -> None:
    with create(tmp_path, Counting(tmp_path)):
        pass
    child = os.fork()
    if child == 0:
        halting = Counting(tmp_path, halts_after=12)
        with Experiment.open(tmp_path / "search.db", evaluate=halting) as running:
            running.run(2, lambda _: None)
        os._exit(0)
    while len(trained(tmp_path / "epochs.txt")) < 12:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with Experiment.open(tmp_path / "search.db", evaluate=Counting(tmp_path)) as experiment:
        before = history(experiment)
        experiment.run(2, lambda _: None)
        assert history(experiment)[: len(before)] == before
        assert mm.master.replaying.replay(experiment).passed
        records = experiment.result().records
    assert Counter(record.epochs for record in records)[1] >= 9
    after = trained(tmp_path / "epochs.txt")
    assert set(after) == {(r.number, e) for r in records for e in range(1, r.epochs + 1)}
    again = {number for (number, _), times in Counter(after).items() if times > 1}
    assert len(again) <= 2, "only the attempts of the two workers were lost"
    assert max(Counter(after).values()) <= 2


def interrupted(folder: Path, after: int) -> Experiment:
    """A search that a person stopped in the midst of an epoch; two trials or more wait."""
    experiment = create(folder, Counting(folder, after, by=signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        experiment.run(0, lambda _: None)
    experiment.close()
    return Experiment.open(folder / "search.db", evaluate=Counting(folder))


def test_search_that_was_stopped_keeps_paused_trials_and_goes_on(tmp_path: Path) -> None:
    with interrupted(tmp_path, 8) as experiment:
        before = experiment.result()
        paused = [r for r in before.records if r.state.value == "paused"]
        assert len(paused) >= 2
        assert all(record.epochs in (1, 3) and record.metrics for record in paused)
        assert sum(rung.waiting for rung in before.course.rungs) == len(paused)
        assert before.best.epochs == max(record.epochs for record in before.records)
        result = experiment.run(0, lambda _: None)
        assert Counter(r.epochs for r in result.records) == {1: 10, 3: 3, 9: 1}
    again = [n for (n, _), times in Counter(trained(tmp_path / "epochs.txt")).items() if times > 1]
    assert len(set(again)) == 1, "only the trial that ran when it was stopped"


def test_paused_trial_can_be_cancelled(tmp_path: Path) -> None:
    with interrupted(tmp_path, 8) as experiment:
        paused = [r.number for r in experiment.result().records if r.state.value == "paused"]
        for number in paused:
            experiment.cancel(number)
        result = experiment.run(0, lambda _: None)
    gone = [record.number for record in result.records if record.state.value == "cancelled"]
    assert gone == paused
    assert len(result.records) == TRIALS


def reporting(arch: mm.Architecture, trial: mm.Trial) -> float:
    value = 0.0
    for epoch in trial.epochs():
        value = arch.decisions["x"] ** 2 + 1 / epoch
        trial.report(epoch, loss=value)
    return value


@pytest.mark.parametrize("rule", ["asha_stopping", "median"])
def test_trials_that_fall_behind_are_stopped_at_their_report(tmp_path: Path, rule: str) -> None:
    with create(tmp_path, reporting, fidelity=rule, trials=30) as experiment:
        result = experiment.run(0, lambda _: None)
        stopped = {
            entry.number
            for entry in experiment.store.log(experiment.id)
            if entry.kind is EntryKind.REPORTED and "order" in orjson.loads(entry.body)
        }
        assert mm.master.replaying.replay(experiment).passed
    pruned = {record.number for record in result.records if record.state.value == "pruned"}
    assert pruned == stopped
    assert 5 <= len(pruned) < 30
    assert all(r.epochs < 9 for r in result.records if r.number in pruned)
    assert result.best.epochs == 9
    assert sum(r.epochs for r in result.records) < 30 * 9 * 0.8


def test_evaluator_that_never_reports_is_told_that_nothing_can_stop_it(tmp_path: Path) -> None:
    with create(tmp_path, Counting(tmp_path), fidelity="median", trials=3) as experiment:
        with pytest.warns(UserWarning, match="without a report") as told:
            experiment.run(0, lambda _: None)
        assert len(told) == 1


class Seeded:
    """Writes trial, seed and epoch down; its loss is the seed's, and falls with the epochs."""

    def __init__(self, folder: Path) -> None:
        self.lines = folder / "seeds.txt"

    def __call__(self, arch: mm.Architecture, trial: mm.Trial) -> float:
        weights, loss = Weights(), 0.0
        for epoch in trial.epochs(weights=weights):
            weights.epochs += 1
            assert weights.epochs == epoch
            with self.lines.open("a") as file:
                file.write(f"{trial.number} {trial.seed} {epoch}\n")
            loss = trial.seed % 1000 + 1 / epoch
            trial.report(epoch, loss=loss)
        return loss

    def rows(self) -> list[tuple[int, int, int]]:
        """Trial, seed and epoch of each epoch that was trained, in order."""
        rows = (map(int, line.split()) for line in self.lines.read_text().splitlines())
        return [(number, seed, epoch) for number, seed, epoch in rows]


def test_repeats_are_compared_by_their_mean_at_each_rung(tmp_path: Path) -> None:
    seeded = Seeded(tmp_path)
    with create(tmp_path, seeded, repeats=3) as experiment:
        records = experiment.run(0, lambda _: None).records
        assert mm.master.replaying.replay(experiment).passed
    assert {record.epochs for record in records} == {1, 3, 9}
    rows = seeded.rows()
    for record in records:
        seeds = list(dict.fromkeys(seed for number, seed, _ in rows if number == record.number))
        assert len(seeds) == 3
        mean = sum(seed % 1000 for seed in seeds) / 3 + 1 / record.epochs
        assert record.metrics["loss"] == pytest.approx(mean)
        first, *others = (
            [epoch for number, s, epoch in rows if (number, s) == (record.number, seed)]
            for seed in seeds
        )
        rungs = [rung for rung in (1, 3, 9) if rung <= record.epochs]
        # The first goes on from its checkpoint; the others are trained anew up to each rung.
        assert first == list(range(1, record.epochs + 1))
        assert others == [[e for rung in rungs for e in range(1, rung + 1)]] * 2


def test_only_trials_that_come_to_their_end_are_repeated_by_a_rule_that_stops(
    tmp_path: Path,
) -> None:
    seeded = Seeded(tmp_path)
    with create(tmp_path, seeded, fidelity="asha_stopping", repeats=2) as experiment:
        records = experiment.run(0, lambda _: None).records
    trained_seeds = {
        record.number: {seed for number, seed, _ in seeded.rows() if number == record.number}
        for record in records
    }
    ended = [record.number for record in records if record.epochs == 9]
    assert 0 < len(ended) < TRIALS
    assert {n for n, seeds in trained_seeds.items() if len(seeds) == 2} == set(ended)
    assert {len(seeds) for seeds in trained_seeds.values()} == {1, 2}
