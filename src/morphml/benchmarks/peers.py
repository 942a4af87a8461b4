"""Other people's searches on the same problems, driven by their own loop, without an adapter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from morphml.benchmarks.playing import Tally
from morphml.benchmarks.problem import Problem
from morphml.benchmarks.run import Run, RunKey
from morphml.benchmarks.smac_peer import play_smac
from morphml.search.objectives import Direction
from morphml.space.decisions import Decision, Kind

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A search that another package does."""

    #: The package, as it is installed, and the extra of ours that brings it.
    package: str
    extra: str
    #: One search of a problem.
    play: Callable[[Problem, RunKey], Run]
    #: What it is, in a few words.
    use: str

    @property
    def version(self) -> str | None:
        """The package's version; None where it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


def play_optuna(problem: Problem, key: RunKey) -> Run:
    """Optuna's default: a study with its TPE sampler, as anyone would write it.

    Every trial is an evaluation, whether it repeats a known point or not: that is what it would
    train. All decisions are suggested; those that are inactive in a member change nothing.
    """
    import optuna  # noqa: PLC0415 an optional extra that takes a second to import

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    up, down = optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE
    directions = [
        up if each.objective.direction is Direction.MAX else down for each in problem.measures
    ]
    sampler = optuna.samplers.TPESampler(seed=key.seed)
    study = optuna.create_study(directions=directions, sampler=sampler)
    space = problem.space
    distributions = {decision.path: _distribution(decision) for decision in space.decisions}
    tally = Tally(problem)
    seconds = 0.0
    for _ in range(key.trials):
        began = time.process_time()
        trial = study.ask(distributions)
        seconds += time.process_time() - began
        codes = [trial.params[decision.path] for decision in space.decisions]
        pairs = zip(space.decisions, codes, strict=True)
        metrics = tally.look_up(space.decode([decision.encode(code) for decision, code in pairs]))
        began = time.process_time()
        if metrics is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, [metrics[each.objective.name] for each in problem.measures])
        seconds += time.process_time() - began
    return tally.run(key, {}, answered=0, seconds=seconds)


def _distribution(decision: Decision) -> BaseDistribution:
    from optuna import distributions  # noqa: PLC0415 as above

    match decision.kind:
        case Kind.REAL:
            return distributions.FloatDistribution(decision.low, decision.high, log=decision.log)
        case Kind.INTEGER:
            low, high = int(decision.low), int(decision.high)
            return distributions.IntDistribution(low, high, log=decision.log)
        case _:
            return distributions.CategoricalDistribution(list(range(len(decision.options))))


#: Every peer by the name that the comparator knows it by.
PEERS: Mapping[str, Peer] = {
    "optuna_tpe": Peer(
        package="optuna", extra="bo", play=play_optuna, use="Optuna's default study"
    ),
    "smac_hpo": Peer(
        package="smac",
        extra="smac",
        play=play_smac,
        use="SMAC's facade for hyperparameter optimisation",
    ),
}


def installed_peers() -> list[str]:
    """Names of the peers whose package is here."""
    return [name for name, peer in PEERS.items() if peer.version is not None]
