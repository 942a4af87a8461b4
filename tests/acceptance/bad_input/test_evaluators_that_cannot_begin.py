"""Evaluators that cannot be found, made, sent or set up: told before, or as soon as, it matters."""

from __future__ import annotations

import re
import threading
from collections import Counter
from pathlib import Path

import pytest

import morphml as mm
from morphml.errors import EvaluatorError

ROW = mm.SearchSpace(decisions={"i": mm.integer(0, 99)})


def test_search_that_only_fails_stops_early_with_the_first_error(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        raise FileNotFoundError("digits.npz")

    result = mm.search(ROW, evaluate, trials=90, workers=2, storage=tmp_path / "s.db")
    assert result.record.state == "failed"
    assert result.reason in {
        f"the first {failed} trials all failed: FileNotFoundError: digits.npz"
        for failed in (10, 11, 12)  # two end in one turn, or were running
    }
    assert len(result.records) <= 14


def test_evaluator_path_that_leads_nowhere_is_named_and_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "halfway.py").write_text("import a_package_that_is_not_there\n")
    (tmp_path / "unfinished.py").write_text("def evaluate(arch, trial)\n")
    (tmp_path / "leaving.py").write_text("raise SystemExit(3)\n")
    before = sorted(tmp_path.iterdir())
    for path, words in (
        (
            "absent_module:evaluate",
            "'absent_module:evaluate': there is no module 'absent_module'; c",
        ),
        (
            "json.absent:evaluate",
            "there is no module 'json.absent'; check its name, and that its f",
        ),
        (
            "halfway:evaluate",
            "the import of 'halfway' failed with ModuleNotFoundError: No module n",
        ),
        (
            "unfinished:evaluate",
            "failed with SyntaxError: expected ':' (unfinished.py, line 1); tr",
        ),
        ("leaving:evaluate", "failed with SystemExit: 3; try it with: python -c 'import leaving'"),
        ("json:evaluate", "evaluator 'json:evaluate': no 'evaluate' in 'json'"),
        ("json:dunps", "evaluator 'json:dunps': no 'dunps' in 'json'; did you mean 'dumps'?"),
        ("json", "the form 'package.module:name', got 'json'"),
        ("json:__name__", "evaluator 'json:__name__': expected a function (arch, trial) or an ob"),
    ):
        with pytest.raises(EvaluatorError, match=re.escape(words)):
            mm.search(ROW, path, trials=3, workers=2, storage=tmp_path / "s.db")
    assert sorted(set(tmp_path.iterdir()) - {tmp_path / "__pycache__"}) == before


class NeedsData:
    def __init__(self, data: str) -> None:
        self.data = data

    def __call__(self, arch: object, trial: object) -> float:
        return 1.0


@pytest.mark.parametrize(
    ("evaluator", "words"),
    [
        (3, r"expected a function \(arch, trial\) or an object with __call__, got int"),
        (lambda arch: 1.0, r"called with two arguments, \(arch, trial\): too many positional"),
        (
            NeedsData,
            r"NeedsData is a class that needs arguments \(.*'data'\); give an object of it",
        ),
    ],
)
def test_what_is_no_evaluator_is_refused_and_nothing_is_stored(
    evaluator: object, words: str, tmp_path: Path
) -> None:
    with pytest.raises(EvaluatorError, match=words):
        mm.search(ROW, evaluator, trials=3, storage=tmp_path / "s.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("storage", ["file", "memory"])
def test_evaluator_that_cannot_travel_says_what_to_do_and_nothing_is_stored(
    storage: str, tmp_path: Path
) -> None:
    lock = threading.Lock()

    def evaluate(arch, trial):
        with lock:
            return 1.0

    with pytest.raises(EvaluatorError) as caught:
        mm.search(
            ROW, evaluate, trials=3, workers=2,
            storage=tmp_path / "s.db" if storage == "file" else None,
        )  # fmt: skip
    for words in ("evaluate", "cannot pickle '_thread.lock' object", "in setup(context)"):
        assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


class FailsToSetUp:
    def setup(self, context: object) -> None:
        raise FileNotFoundError("/data/train.npz")

    def __call__(self, arch: object, trial: object) -> float:
        return 1.0


def test_setup_that_fails_ends_the_search_with_its_error(tmp_path: Path) -> None:
    result = mm.search(ROW, FailsToSetUp(), trials=90, workers=2, storage=tmp_path / "s.db")
    assert result.record.state == "failed"
    assert result.reason == (
        "no evaluator could begin, whatever was tried: FileNotFoundError: /data/train.npz"
    )
    assert set(result.counts) == {"dead"}
    assert len(result.records) <= 2  # nothing new is tried before a retry has worked
    # One retry at once, elsewhere, and no second one: 5 s later it would fail as well.
    assert max(Counter(attempt.number for attempt in result.attempts).values()) == 2
    for failure in result.failures.values():
        assert failure["kind"] == "infrastructure"
        assert 'raise FileNotFoundError("/data/train.npz")' in str(failure["traceback"])
