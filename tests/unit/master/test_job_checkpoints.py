"""Which checkpoints of training jobs a master keeps, in whatever order it hears of them."""

from __future__ import annotations

from pathlib import Path

from morphml.ids import ExperimentId
from morphml.master.workflows.checkpoints import JobCheckpoints

X = ExperimentId("x1")


def saved(folder: Path, number: int, step: int, attempt: str) -> Path:
    path = folder / X / "checkpoints" / f"{number:06d}-{step:05d}-{attempt}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_newest_is_kept_and_what_came_since(tmp_path: Path) -> None:
    kept = JobCheckpoints(lambda execution: tmp_path / execution)
    assert kept.newest(X, 3) is None
    stale, first, second = (
        saved(tmp_path, 3, 50, "b" * 8),
        saved(tmp_path, 3, 1, "a" * 8),
        saved(tmp_path, 3, 2, "a" * 8),
    )
    other = saved(tmp_path, 4, 9, "a" * 8)
    kept.keep_only(X, 3, first)  # told of when the second lies there already
    assert [path.exists() for path in (stale, first, second)] == [False, True, True]
    kept.keep_only(X, 3, second)
    assert kept.newest(X, 3) == (2, second)
    assert not first.exists()
    kept.keep_only(X, 3, None)
    assert kept.newest(X, 3) is None
    assert other.exists()
