"""A search on a Ray cluster that is hurt while its evaluator counts what ran."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tests.faults.ray.clusters import LONG_S

import morphml as mm
from morphml.engines.ray.engine import RayEngine
from morphml.evaluation import EvaluatorSource
from morphml.master import Experiment, replay
from morphml.master.crew import Run
from morphml.master.runner import run
from morphml.search.changes import AttemptResult

SPACE = mm.SearchSpace(decisions={"x": mm.real(-1.0, 1.0), "k": mm.integer(1, 5)})


def eventually(true: Callable[[], object], within_s: float = LONG_S) -> float:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < within_s, f"not within {within_s} s"
        time.sleep(0.02)
    return time.monotonic() - begun


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def counts(tally: Path, word: str) -> Counter[int]:
    """How often each trial did that."""
    lines = [line.split() for line in tally.read_text().splitlines()]
    return Counter(int(number) for first, number, *_ in lines if first == word)


@dataclass
class Hunt:
    """A search on the cluster in a thread, and what its evaluator wrote down."""

    engine: RayEngine
    folder: Path
    trials: int
    thread: threading.Thread = field(init=False)
    problem: BaseException | None = None

    def __post_init__(self) -> None:
        self.tally.touch()
        self.thread = threading.Thread(target=self._run)

    @property
    def tally(self) -> Path:
        return self.folder / "tally"

    @property
    def store(self) -> str:
        return str(self.folder / "s.db")

    def _run(self) -> None:
        import ray_evaluations as theirs  # type: ignore[import-not-found]  # on the path by then

        try:
            evaluator = theirs.Counted(str(self.tally))
            objectives = {"loss": "min"}
            with Experiment.create(
                SPACE,
                evaluator,
                storage=self.store,
                objectives=objectives,
                optimizer="random",
                trials=self.trials,
                workers=2,
            ) as made:
                run(
                    Run(
                        store=made.store,
                        experiment=made.id,
                        spec=made.spec,
                        space=SPACE,
                        source=EvaluatorSource.of(evaluator),
                        folder=made.folder,
                        workers=8,
                        observer=lambda _: None,
                        here=False,
                    ),
                    self.engine,
                )
        except BaseException as error:
            self.problem = error

    def began(self) -> Counter[int]:
        return counts(self.tally, "began")

    def await_evaluations(self, count: int) -> float:
        """Wait until evaluators were called so often; the seconds that it took."""

        def there() -> bool:
            if self.problem is not None:
                raise self.problem
            assert self.thread.is_alive(), "the search is over"
            return self.began().total() >= count

        return eventually(there)

    def check(self, evaluations: int) -> None:
        """Let trials end: each ends once, and none was evaluated more often than it was lost."""
        self.tally.with_suffix(".go").touch()
        self.thread.join(LONG_S)
        assert self.problem is None
        assert not self.thread.is_alive()
        with Experiment.open(self.store) as found:
            result, replayed = found.result(), replay(found)
        assert [(each.number, each.state.value) for each in result.records] == [
            (number, "completed") for number in range(self.trials)
        ]
        began, ends = self.began(), counts(self.tally, "ended")
        assert began.total() == evaluations, began
        assert ends == Counter(range(self.trials))
        won = [each.number for each in result.attempts if each.result is AttemptResult.SUCCEEDED]
        assert Counter(won) == Counter(range(self.trials))
        assert replayed.passed
