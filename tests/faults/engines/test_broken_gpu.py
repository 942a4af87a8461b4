"""One GPU of several is broken: a search goes on with the others; no GPU is needed to see it."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

import morphml as mm

TRIALS = 40
BROKEN = "0"  # the one that is given away first


def search(folder: Path, resources: dict[str, float], *, slots: int) -> tuple[mm.Result, Counter]:
    """A search on four declared GPUs, and how many evaluations each of them saw."""
    seen = str(folder / "seen")

    def evaluate(arch: mm.Architecture, trial: mm.Trial) -> float:
        gpu = os.environ["CUDA_VISIBLE_DEVICES"]
        with open(seen, "a", encoding="utf-8") as file:  # noqa: PTH123  # travels by value
            file.write(f"{gpu}\n")
        if gpu == BROKEN:
            raise RuntimeError("CUDA error: uncorrectable ECC error encountered")
        time.sleep(0.03)
        return float(arch.decisions["a"])

    space = mm.SearchSpace(decisions={"a": mm.integer(0, 99), "b": mm.integer(0, 99)})
    result = mm.search(
        space,
        evaluate,
        objectives={"score": "max"},
        optimizer="random",
        trials=TRIALS,
        workers=slots,
        resources=resources,
        storage=folder / "s.db",
        seed=3,
    )
    return result, Counter(Path(seen).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("resources", [{}, {"gpu": 1.0}, {"gpu": 0.5}], ids=str)
def test_broken_gpu_fails_no_trial_and_gets_few_attempts(
    tmp_path: Path, resources: dict[str, float], monkeypatch: pytest.MonkeyPatch, no_torch: None
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    result, seen = search(tmp_path, resources, slots=4)
    assert result.counts == {"completed": TRIALS}
    assert 1 <= seen[BROKEN] <= 5, seen
    assert seen.total() == TRIALS + seen[BROKEN]
    assert len(seen) >= 2
