"""Checkpoints that a worker keeps in case their trial goes on there."""

from __future__ import annotations

from pathlib import Path

import pytest

from morphml.engines.remote.worker import scratch
from morphml.engines.remote.worker.scratch import Scratch


def written(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    path.write_bytes(name.encode() * size)
    return path


def test_scratch_recalls_the_newest_checkpoints_within_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "KNOWN_BYTES", 10)
    made = Scratch(tmp_path / "files", "w1")
    for name in ("a", "b", "c"):
        made.remember(name, written(tmp_path, name, 4))
    made.remember("d", written(tmp_path, "d", 11))
    target = tmp_path / "part"
    target.write_bytes(b"half a download")
    found = {name: made.recall(name, target) for name in ("a", "b", "c", "d", "../c")}
    assert found == {"a": False, "b": True, "c": True, "d": False, "../c": False}
    assert target.read_bytes() == b"cccc"
    known = [path for path in (tmp_path / "files").rglob("known/*")]
    assert sorted(path.name for path in known) == ["b", "c"]
    made.close()
    assert not list((tmp_path / "files").rglob("known/*"))


def test_scratch_without_the_file_any_more_recalls_nothing(tmp_path: Path) -> None:
    made = Scratch(tmp_path / "files", "w1")
    made.remember("a", written(tmp_path, "a", 4))
    for path in (tmp_path / "files").rglob("known/*"):
        path.unlink()
    assert not made.recall("a", tmp_path / "part")
    made.close()
