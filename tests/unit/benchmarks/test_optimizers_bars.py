"""Verdicts on the bars are those of the figures, from a folder of results as campaigns keep it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.kept_runs import Kept
from benchmarks.optimizers_bars import bars_table, verdicts
from benchmarks.scheduling_page import put_between

from morphml.benchmarks import Run, RunKey

PROBLEM = "nasbench201/cifar10/direct"
SEEDS = 40


def search(optimizer: str, seed: int, level: float, version: str = "1") -> Run:
    """One that misses about ``level`` from the first look-up on."""
    missing = level + 0.001 * float(np.random.default_rng(seed).normal())
    key = RunKey(
        problem=PROBLEM, data="d", optimizer=optimizer, version=version, seed=seed, trials=200
    )
    return Run(
        key=key, curves={"test_200": (missing,) * 200}, evaluations=200, vectors=200,
        networks=199, repeats=(7,), answered=0, failed=0, ask_ms=1.0,
    )  # fmt: skip


def results(folder: Path, levels: dict[str, float]) -> Kept:
    lines = [
        search(name, seed, level).to_line()
        for name, level in levels.items()
        for seed in range(SEEDS)
    ]
    (folder / "runs.jsonl").write_text("\n".join([*lines, '{"half a li']))
    kept = Kept.read(folder / "runs.jsonl")
    assert kept is not None
    return kept


def words(kept: Kept) -> list[dict[str, str]]:
    """Optimizer to verdict, for each bar; the page has a row for each."""
    found = verdicts({PROBLEM: kept})
    lines = bars_table({PROBLEM: kept}).splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| optimizer")]
    assert len(rows) == sum(len(each) for each in found.values())
    return [{one.optimizer: one.word for one in each} for each in found.values()]


def test_verdicts_are_those_of_the_figures(tmp_path: Path) -> None:
    levels = {
        "random": 0.386,  # below .683 and .533, and exactly the reference at 200
        "evolution": 0.03,  # below at 50 and 100, above .022 at 200 by far
        "local_search": 0.003,
        "bananas": 0.015,
        "auto": 0.0,
    }
    matches, below, beats, wasted, never_worse = words(results(tmp_path, levels))
    assert matches["random"] == matches["local_search"] == "matches"
    assert matches["evolution"].startswith("worse by")
    assert below == {
        "auto": "below / below / within 0.01",
        "bananas": "below / below / more than 0.01",
    }
    assert beats == {
        "auto": "beats / beats / within 0.01",
        "bananas": "open / open / more than 0.01",
    }
    assert (wasted, never_worse) == ({"all": "none"}, {"auto": "never worse"})


def test_model_is_below_a_reference_only_beyond_the_errors_of_both(tmp_path: Path) -> None:
    kept = results(tmp_path, {"local_search": 0.05, "auto": 0.07})
    _, below, _, _, _ = words(kept)
    assert below == {"auto": "below / below / more than 0.01"}  # .261 and .081 to less than .001
    for seed, run in kept.runs["local_search"].items():
        curve = tuple(value + 0.05 * (-1) ** seed for value in run.curves["test_200"])
        kept.runs["local_search"][seed] = replace(run, curves={"test_200": curve})
    _, below, _, _, _ = words(kept)
    assert below == {"auto": "below / open / more than 0.01"}  # .011 below, by ± .016
    del kept.runs["local_search"]
    assert words(kept)[1] == {}


def test_worse_search_and_wasted_look_ups_are_said(tmp_path: Path) -> None:
    kept = results(tmp_path, {"evolution": 0.03, "auto": 0.06})
    kept.runs["auto"][3] = replace(kept.runs["auto"][3], vectors=190)
    _, _, beats, wasted, never_worse = words(kept)
    assert (beats, wasted, never_worse) == ({}, {"all": "MISSED"}, {"auto": "WORSE"})


def test_newest_version_counts_and_pairs_share_their_seeds(tmp_path: Path) -> None:
    lines = [search("auto", seed, 0.5).to_line() for seed in range(9)]
    lines += [search("auto", seed, 0.1, version="2").to_line() for seed in range(5)]
    lines += [search("evolution", seed, 0.4).to_line() for seed in range(3, 9)]
    (tmp_path / "runs.jsonl").write_text("\n".join(lines))
    kept = Kept.read(tmp_path / "runs.jsonl")
    assert kept is not None and sorted(kept.runs["auto"]) == [0, 1, 2, 3, 4]
    apart = kept.apart("auto", "evolution", 50)  # seeds 3 and 4: the same noise, so none is left
    assert apart is not None and (apart.mean, apart.half) == (pytest.approx(-0.3), pytest.approx(0))
    assert kept.word("auto", "evolution", 200) == "beats"
    assert kept.word("evolution", "auto", 200) == "loses"
    assert kept.apart("auto", "random", 50) is None


def test_page_without_the_marks_is_refused() -> None:
    page = "a\n<!-- x: begin, made by `hand` -->\n\nold\n\n<!-- x: end -->\nb"
    made = put_between(page, "x", "new", by="hand")
    assert made == page.replace("old", "new")
    with pytest.raises(ValueError, match="no marks"):
        put_between(page, "y", "new", by="hand")
