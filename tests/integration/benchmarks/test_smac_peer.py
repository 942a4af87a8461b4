"""SMAC by its own loop takes part in a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from morphml.benchmarks import PEERS, key_of, synthetic
from morphml.benchmarks.problem import LookUp
from morphml.space import Architecture

TRIALS = 30


class Gaps:
    """Every fifth look-up finds nothing."""

    def __init__(self, rows: LookUp) -> None:
        self.rows = rows
        self.asked = 0

    def __call__(self, architecture: Architecture, /) -> Mapping[str, float] | None:
        self.asked += 1
        return None if self.asked % 5 == 0 else self.rows(architecture)

    def network(self, architecture: Architecture, /) -> str | None:
        return self.rows.network(architecture)

    @property
    def digest(self) -> str:
        return self.rows.digest


@pytest.mark.slow
def test_smac_searches_a_table_with_gaps() -> None:
    pytest.importorskip("smac")
    problem = synthetic("cell")
    gaps = Gaps(problem.look_up)
    key = replace(key_of(problem, "random", 0, TRIALS), optimizer="smac_hpo")
    run = PEERS["smac_hpo"].play(replace(problem, look_up=gaps), key)
    assert gaps.asked == run.evaluations == len(run.verdict) == TRIALS
    assert run.failed == TRIALS // 5
    assert run.vectors <= TRIALS
    assert list(run.verdict) == sorted(run.verdict, reverse=True)
