"""What every optimizer must do, as tests: subclass ``OptimizerContract`` and make an optimizer.

    class TestMine(OptimizerContract):
        def make(self, space: SearchSpace) -> Optimizer:
            return Mine(space)

The tests judge by proposals alone and look at nothing inside. ``OptimizerProcessContract`` asks in
other processes as well and takes some seconds.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from morphml.optimizers import Answered, Asked, Event, Optimizer, Proposal, Rejected, Told
from morphml.seeds import generator
from morphml.space import SearchSpace
from morphml.testing.example_spaces import conditional_space, flat_space, tiny_space
from morphml.testing.playing import PATIENCE, Plan, Play

#: Bytes of JSON that a proposal's note may have.
NOTE_LIMIT = 4096


class OptimizerContract(ABC):
    """Tests of behaviour; pytest collects them from subclasses named ``Test...``."""

    @abstractmethod
    def make(self, space: SearchSpace) -> Optimizer:
        """A fresh optimizer with the settings under test; small populations make it quick."""

    def test_it_says_what_it_is_in_json(self) -> None:
        """Name, version and settings are stored with the experiment."""
        optimizer = self.make(flat_space())
        assert optimizer.name
        assert optimizer.version >= 1
        assert json.loads(json.dumps(dict(optimizer.settings))) == dict(optimizer.settings)

    def test_it_proposes_while_nothing_is_told(self) -> None:
        """Any number of trials may be pending."""
        self._play(flat_space(), Plan(trials=40, pending=40))

    def test_it_takes_results_in_any_order(self) -> None:
        """Sixteen slots, told as they end."""
        for seed in range(3):
            self._play(flat_space(), Plan(trials=60, pending=16, seed=seed))

    def test_it_goes_on_when_trials_fail(self) -> None:
        """Some fail, or all."""
        for share in (0.3, 1.0):
            self._play(flat_space(), Plan(trials=50, pending=4, failed=share))

    def test_it_never_builds_on_a_failed_trial(self) -> None:
        """A failure ranks worst, so as long as something worked it is nobody's parent."""
        play = self._play(flat_space(), Plan(trials=80, pending=4, failed=0.5))
        parents = {parent for proposal in play.proposals for parent in proposal.parents}
        assert not parents & play.failed

    def test_what_it_says_beside_a_proposal_can_be_stored(self) -> None:
        """Parents are trials whose result it can know; a note is a little JSON."""
        play = self._play(flat_space(), Plan(trials=60, pending=8))
        told: set[int] = set()
        for event in play.log:
            if isinstance(event, Asked):
                assert set(event.parents) <= told
                assert len(json.dumps(event.note).encode()) <= NOTE_LIMIT
            elif isinstance(event, Told):
                told.add(event.number)

    def test_it_takes_every_kind_of_event(self) -> None:
        """Rejections, reports, pauses, promotions, cancelled trials, violated constraints."""
        self._play(flat_space(), Plan(trials=40, pending=4, rejected=0.5))
        plan = Plan(trials=60, pending=8, cancelled=0.2, paused=0.3, infeasible=0.3, failed=0.1)
        self._play(flat_space(), plan)

    def test_it_takes_several_objectives(self) -> None:
        """Values come as tuples of any length."""
        for objectives in (2, 3):
            self._play(flat_space(), Plan(trials=50, pending=4, objectives=objectives))

    def test_it_keeps_conditional_decisions_valid(self) -> None:
        """Decisions of a branch not taken are inactive in every proposal."""
        for seed in range(3):
            self._play(conditional_space(), Plan(trials=60, pending=4, seed=seed))

    def test_it_goes_on_when_the_space_runs_dry(self) -> None:
        """More trials than members: it repeats itself and neither raises nor hangs."""
        for options in (1, 2):
            self._play(tiny_space(options), Plan(trials=8))

    def test_same_seed_gives_the_same_search(self) -> None:
        """Two fresh ones see and propose the same."""
        for pending in (1, 8):
            plan = Plan(trials=60, pending=pending, failed=0.1)
            first = self._play(conditional_space(), plan)
            second = self._play(conditional_space(), plan)
            assert described(first.proposals) == described(second.proposals)

    def test_fresh_one_folds_the_log_and_goes_on_alike(self) -> None:
        """A restart observes the log, never asks, and proposes what the old one would have."""
        for seed, trials in enumerate((3, 12, 25, 60)):
            plan = Plan(trials=trials, pending=4, seed=seed, failed=0.1, rejected=0.1)
            play = self._play(flat_space(), plan)
            folded = fold(self.make(flat_space()), play.log)
            old, new = play.next_ask(), play.next_ask(folded)
            assert described([old]) == described([new])

    def test_every_prefix_of_the_log_gives_its_proposal_again(self) -> None:
        """``replay --check``: every proposal comes again from the log before it."""
        plan = Plan(trials=60, pending=4, rejected=0.1)
        play = self._play(flat_space(), plan)
        again = self.make(flat_space())
        number = attempt = 0
        for event in play.log:
            if isinstance(event, Asked | Answered | Rejected) and attempt < PATIENCE:
                rng = generator(plan.seed, number, f"ask/{attempt}")
                assert again.ask(number, rng).architecture.vector == event.architecture.vector
            taken = isinstance(event, Asked)
            number += taken
            attempt = 0 if taken else attempt + isinstance(event, Answered | Rejected)
            again.observe(event)
        assert number == plan.trials

    def test_ask_changes_nothing(self) -> None:
        """Asked again it says the same, and what it said when nobody listened has no effect."""
        plan = Plan(trials=50, pending=4)
        plain = self._play(flat_space(), plan)
        disturbed = Play(_AskedTwice(self.make(flat_space())), flat_space(), plan).run()
        assert described(plain.proposals) == described(disturbed.proposals)

    def _play(self, space: SearchSpace, plan: Plan) -> Play:
        play = Play(self.make(space), space, plan).run()
        for proposal in play.proposals:
            membership = space.contains(proposal.architecture)
            assert membership.ok, membership.reason
        return play


class OptimizerProcessContract(ABC):
    """The same proposals in every process, whatever its hash seed."""

    @abstractmethod
    def make(self, space: SearchSpace) -> Optimizer:
        """A fresh optimizer; the class must stand at the top of an importable file."""

    def test_every_process_proposes_the_same(self) -> None:
        """Two hash seeds; ``hash()`` and the order of sets have no part in a proposal."""
        found = {_play_elsewhere(type(self), hash_seed) for hash_seed in ("0", "1")}
        assert len(found) == 1


class _AskedTwice:
    """An optimizer asked more often than anybody listens."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self.name = optimizer.name
        self.version = optimizer.version
        self.space = optimizer.space
        self.settings = optimizer.settings

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        state = rng.bit_generator.state
        first = self._optimizer.ask(number, rng)
        self._optimizer.ask(number + 1, generator(7, number, "nobody listens"))
        rng.bit_generator.state = state
        second = self._optimizer.ask(number, rng)
        assert described([first]) == described([second])
        return second

    def observe(self, event: Event) -> None:
        self._optimizer.observe(event)


def fold(optimizer: Optimizer, log: Sequence[Event]) -> Optimizer:
    """The optimizer after it observed the whole log, as a restart does."""
    for event in log:
        optimizer.observe(event)
    return optimizer


def described(proposals: Sequence[Proposal]) -> list[tuple[object, ...]]:
    """Proposals in a form that compares and prints: vector, parents, note."""
    return [(p.architecture.vector, p.parents, p.note) for p in proposals]


def play_and_describe(contract: OptimizerProcessContract) -> str:
    """A search as one line of text; runs in the other process."""
    space = conditional_space()
    play = Play(contract.make(space), space, Plan(trials=80, pending=4, failed=0.1)).run()
    return repr(described(play.proposals))


_ELSEWHERE = """
import importlib.util, sys
from morphml.testing.optimizer_contract import play_and_describe
spec = importlib.util.spec_from_file_location("contract_under_test", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(play_and_describe(getattr(module, sys.argv[2])()))
"""


def _play_elsewhere(contract: type[OptimizerProcessContract], hash_seed: str) -> str:
    command = [sys.executable, "-c", _ELSEWHERE, inspect.getfile(contract), contract.__qualname__]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
