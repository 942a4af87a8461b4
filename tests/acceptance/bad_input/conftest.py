"""One search with bad trials among good ones, and everything about it counted."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import morphml as mm
from morphml.master import Result, replay
from morphml.search.changes import AttemptRecord

#: Trial n is the member i = n of this space: the searches below start with them in this order.
ROW = mm.SearchSpace(decisions={"i": mm.integer(0, 99)})


@dataclass(frozen=True)
class Suffered:
    """What is left of a search with bad trials."""

    result: Result
    attempts: Mapping[int, list[AttemptRecord]]
    folder: Path

    def check(self, trials: int, bad: Mapping[int, str]) -> None:
        """All good trials completed with their own value; the bad ones failed, and why is stored.

        Args:
            trials: how many numbers were to be taken.
            bad: number of each bad trial and the failure kind of its attempts.
        """
        assert self.result.reason == "budget of trials spent"
        assert self.result.record.state == "completed"
        assert [record.number for record in self.result.records] == list(range(trials))
        good = set(range(trials)) - set(bad)
        for record in self.result.records:
            if record.number in good:
                assert (record.state, record.metrics) == ("completed", {"score": record.number})
                assert [a.result for a in self.attempts[record.number]] == ["succeeded"]
            else:
                assert (record.state, record.metrics) == ("failed", {})
                assert [a.result for a in self.attempts[record.number]] in (
                    ["failed"],
                    ["failed", "failed"],
                )
                for failure in self.failures(record.number):
                    assert failure["kind"] == bad[record.number], failure
        assert self.result.counts == Counter(completed=len(good), failed=len(bad))
        assert self.result.best.number == max(good)
        with mm.Experiment.open(self.folder / "s.db") as experiment:
            assert replay(experiment).passed

    def failures(self, number: int) -> list[Mapping[str, object]]:
        """The failures of a trial's attempts as they are stored."""
        found = [attempt.failure for attempt in self.attempts[number]]
        assert None not in found
        return [failure for failure in found if failure is not None]

    def message(self, number: int) -> str:
        """The error's type and text, the same for all attempts at a trial."""
        (said,) = {f"{f['error_type']}: {f['message']}" for f in self.failures(number)}
        return said

    def output(self, number: int) -> str:
        """What a trial wrote to stdout and stderr, as it was kept."""
        (path,) = self.result.folder.rglob(f"{number:06d}.log")
        return path.read_text(encoding="utf-8")


@pytest.fixture
def suffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Suffered]:
    """Searches ``ROW`` with two workers; trial n calls ``bad[n]`` where there is one.

    That another test imported torch is hidden: its import in a fork server takes seconds.
    """
    for name in ("torch", "sklearn"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def search(bad: Mapping[int, Callable[[], object]], trials: int, **options: object) -> Suffered:
        def evaluate(arch, trial):
            number = arch.decisions["i"]
            return bad[number]() if number in bad else float(number)

        options = {"workers": 2, "objectives": {"score": "max"}, **options}
        result = mm.search(
            ROW,
            evaluate,
            start=[{"i": number} for number in range(trials)],
            trials=trials,
            storage=tmp_path / "s.db",
            **options,
        )
        attempts: dict[int, list[AttemptRecord]] = {number: [] for number in range(trials)}
        with mm.Experiment.open(tmp_path / "s.db") as experiment:
            for attempt in experiment.store.attempts(experiment.id):
                attempts[attempt.number].append(attempt)
        return Suffered(result, attempts, tmp_path)

    return search
