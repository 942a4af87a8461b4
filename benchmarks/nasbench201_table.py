"""Regret on NAS-Bench-201 after a few budgets, as references report it."""

from __future__ import annotations

from pathlib import Path

from morphml.benchmarks import Problem, find_nasbench201, key_of, nasbench201, play

#: Our name of each data set, by the published one.
DATA_SETS = {"CIFAR-10": "cifar10", "CIFAR-100": "cifar100", "ImageNet16-120": "imagenet16"}
#: Evaluations after which regret is reported.
BUDGETS = (50, 100, 200)


def find_table() -> Path | None:
    """The file in ``MORPHML_DATA`` or beside the repository, or None."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return find_nasbench201() or find_nasbench201(beside)


def read_table(path: Path, data_set: str) -> Problem:
    """The direct protocol on one of ``DATA_SETS``."""
    return nasbench201(DATA_SETS[data_set], path=path)


def best_regrets(
    problem: Problem, optimizer: str, seed: int, budgets: tuple[int, ...] = BUDGETS
) -> list[float]:
    """Regret of the best cell seen after each of ``budgets`` look-ups of one search."""
    curve = play(problem, key_of(problem, optimizer, seed, max(budgets))).verdict
    return [curve[budget - 1] for budget in budgets]
