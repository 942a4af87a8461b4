"""Results of other experiments in the machine: told at once, without a number, replayable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.unit.search.test_machine import GRID, NETS, loss_of, machine_of, spec_of

from morphml.ids import ExperimentId
from morphml.optimizers import Answered, Proposal, create_optimizer
from morphml.search import drawing
from morphml.search.constraints import parse_constraints
from morphml.search.experiment import Budget, EvaluatorReference, ExperimentSpec, TrialState
from morphml.search.log import EntryKind, LogEntry, decode_body
from morphml.search.machine import Ended, Reused, SearchMachine, Taken
from morphml.search.objectives import parse_objectives
from morphml.search.outcome import Outcome
from morphml.search.replay import check_replay
from morphml.search.sharing import KnownResult, Sharing, TrialSource, scope_of, sharing_of_log
from morphml.search.standing import precedence
from morphml.space import Architecture, SearchSpace, integer

OTHER = ExperimentId("other")
MEMBERS = [*GRID.members()]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the search list a space of 25 members after a hundred draws, not ten thousand."""
    monkeypatch.setattr(drawing, "DRAWS", 100)


class Listening:
    """An optimizer that writes down what it is told."""

    def __init__(self, optimizer) -> None:
        self._optimizer = optimizer
        self.heard: list = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._optimizer, name)

    def observe(self, event) -> None:
        self.heard.append(event)
        self._optimizer.observe(event)


class Shared:
    """A scope of shared results, with a count of the questions."""

    def __init__(self, known: Iterable[Architecture] = (), loss=None) -> None:
        self.results = {
            f"scope/{a.point_id}": KnownResult(
                metrics={"loss": (loss or loss_of)(Taken(0, a))},
                source=TrialSource(experiment=OTHER, number=number),
            )
            for number, a in enumerate(known)
        }
        self.questions = 0

    def known(self, key: str) -> KnownResult | None:
        self.questions += 1
        return self.results.get(key)

    @property
    def sharing(self) -> Sharing:
        return Sharing(scope="scope", known=self.known)


def sharing_machine(
    spec: ExperimentSpec, space: SearchSpace, shared: Shared
) -> tuple[SearchMachine, Listening]:
    optimizer = Listening(create_optimizer(spec.optimizer.name, space, **spec.optimizer.settings))
    return SearchMachine(spec, space, optimizer, shared.sharing), optimizer


def play(machine: SearchMachine) -> tuple[list[LogEntry], list, str]:
    """Evaluate until the machine ends; entries, what was to be shared, and the reason."""
    entries, shared = [], []
    while not isinstance(asked := machine.ask(), Ended):
        if isinstance(asked, Taken):
            done = Outcome(state=TrialState.COMPLETED, metrics={"loss": loss_of(asked)})
            machine.tell(asked.number, done)
        draft = machine.drain()
        entries += draft.entries
        shared += draft.results
    entries += machine.drain().entries
    return entries, shared, asked.reason


def reused_of(entries: Iterable[LogEntry]) -> list[dict]:
    bodies = [decode_body(entry) for entry in entries if entry.kind is EntryKind.ANSWERED]
    return [body for body in bodies if "metrics" in body]


@pytest.mark.parametrize("optimizer", ["random", "evolution", "genetic", "local_search"])
def test_known_points_take_no_number_and_the_rest_is_evaluated_once(optimizer: str) -> None:
    known = MEMBERS[::2]
    spec = spec_of(GRID, optimizer=optimizer, budget=Budget(trials=100))
    machine, listening = sharing_machine(spec, GRID, Shared(known))
    entries, shared, reason = play(machine)
    assert reason == "space exhausted"
    assert machine.next_number == len(shared) == 12
    assert machine.standing.reused == 13
    reused = reused_of(entries)
    assert {tuple(body["vector"]) for body in reused} == {a.vector for a in known}
    assert [body["reused"] for body in reused] == [-n for n in range(1, 14)]
    assert {body["from"]["number"] for body in reused} == set(range(13))
    asked = {tuple(decode_body(e)["vector"]) for e in entries if e.kind is EntryKind.ASKED}
    assert asked == {a.vector for a in MEMBERS} - {a.vector for a in known}
    first: dict[tuple, Answered] = {}
    for event in listening.heard:
        if isinstance(event, Answered) and event.source is None:
            first.setdefault(event.architecture.vector, event)
    assert len(first) == 13
    assert all(e.values == (loss_of(Taken(0, e.architecture)),) for e in first.values())


@pytest.mark.parametrize("optimizer", ["random", "evolution", "genetic", "local_search"])
def test_wholly_known_space_ends_without_a_number(optimizer: str) -> None:
    spec = spec_of(GRID, optimizer=optimizer)
    machine, _ = sharing_machine(spec, GRID, shared := Shared(MEMBERS))
    entries, _, reason = play(machine)
    assert reason == "space exhausted"
    assert machine.next_number == 0
    assert machine.standing.reused == len(reused_of(entries)) == shared.questions == 25
    assert machine.standing.best is not None
    assert machine.standing.best[0] < 0
    assert machine.standing.best[1] == (0.0,)


def test_point_reused_before_is_an_ordinary_duplicate_with_the_known_values() -> None:
    spec = spec_of(GRID, optimizer="random", budget=Budget(trials=100))
    machine, listening = sharing_machine(spec, GRID, Shared(MEMBERS[:20]))
    entries, _, _ = play(machine)
    answered = [decode_body(e) for e in entries if e.kind is EntryKind.ANSWERED]
    again = [b for b in answered if "metrics" not in b and b["source"] is None]
    assert again
    assert {body["reused"] for body in again} <= set(range(-20, 0))
    assert machine.standing.duplicates == len(answered) - 20
    told = [e for e in listening.heard if isinstance(e, Answered) and e.source is None]
    assert len(told) == len(again) + 20
    assert all(e.values == (loss_of(Taken(0, e.architecture)),) for e in told)


@pytest.mark.parametrize("optimizer", ["random", "evolution", "genetic", "local_search"])
def test_fold_and_replay_need_the_log_alone(optimizer: str) -> None:
    spec = spec_of(GRID, optimizer=optimizer)
    machine, _ = sharing_machine(spec, GRID, Shared(MEMBERS[::3]))
    entries, _, _ = play(machine)
    folded = machine_of(spec, GRID)
    folded.fold(entries)
    assert vars(folded.standing) == {**vars(machine.standing), "exhausted": False}
    assert (folded.seq, folded.next_number) == (machine.seq, machine.next_number)
    fresh = create_optimizer(spec.optimizer.name, GRID, **spec.optimizer.settings)
    report = check_replay(SearchMachine(spec, GRID, fresh, sharing_of_log(entries)), entries)
    assert report.passed
    assert report.asked == sum(e.kind is not EntryKind.TOLD for e in entries)
    # The store knows more by now: what it says is not what was said then.
    fresh = create_optimizer(spec.optimizer.name, GRID, **spec.optimizer.settings)
    grown = check_replay(SearchMachine(spec, GRID, fresh, Shared(MEMBERS).sharing), entries)
    assert not grown.passed


def test_folded_machine_goes_on_as_the_running_one_at_every_entry() -> None:
    spec = spec_of(GRID, optimizer="evolution", budget=Budget(trials=100))
    shared = Shared(MEMBERS[::2])
    running, _ = sharing_machine(spec, GRID, shared)
    entries: list[LogEntry] = []
    for _ in range(40):
        folded, _ = sharing_machine(spec, GRID, shared)
        folded.fold(entries)
        asked, expected = folded.ask(), running.ask()
        assert asked == expected
        drafted = running.drain().entries
        assert folded.drain().entries == drafted
        entries += drafted
        if isinstance(asked, Taken):
            running.tell(
                asked.number, Outcome(state=TrialState.COMPLETED, metrics={"loss": loss_of(asked)})
            )
            entries += running.drain().entries
        if isinstance(asked, Ended):
            break
    assert isinstance(asked, Ended)


def test_best_counts_reused_results_and_prefers_an_own_trial_among_equals() -> None:
    spec = spec_of(GRID, budget=Budget(trials=100))
    optimum = next(a for a in MEMBERS if loss_of(Taken(0, a)) == 0.0)
    others = [a for a in MEMBERS if a != optimum][::2]
    machine, _ = sharing_machine(spec, GRID, Shared(others, loss=lambda taken: 0.0))
    entries, _, _ = play(machine)
    asked = {tuple(decode_body(e)["vector"]): e for e in entries if e.kind is EntryKind.ASKED}
    assert machine.standing.best == (asked[optimum.vector].number, (0.0,))
    machine, _ = sharing_machine(spec, GRID, Shared(others, loss=lambda taken: -5.0))
    play(machine)
    assert machine.standing.reused == 12
    assert machine.standing.best == (-1, (-5.0,))


def test_own_trials_precede_reused_results_and_each_keeps_its_order() -> None:
    assert sorted([-2, 7, -1, 0, 3], key=precedence) == [0, 3, 7, -1, -2]


class Stubborn:
    """An optimizer that proposes one point for ever."""

    name, version, settings = "stubborn", 1, {}

    def ask(self, number, rng) -> Proposal:
        return Proposal(architecture=MEMBERS[0])

    def observe(self, event) -> None:
        pass


def test_reused_result_that_the_search_draws_itself_is_told_and_may_reach_the_target() -> None:
    shared = Shared(MEMBERS)
    spec = spec_of(GRID, budget=Budget(trials=100, target=2.0))
    machine = SearchMachine(spec, GRID, Stubborn(), shared.sharing)
    entries, _, reason = play(machine)
    assert reason == "target reached"
    reused = reused_of(entries)
    assert [body["origin"] for body in reused] == ["optimizer", *["draw"] * (len(reused) - 1)]
    losses = [body["metrics"]["loss"] for body in reused]
    assert losses[-1] <= 2.0 < min(losses[:-1])
    whole = SearchMachine(spec_of(GRID), GRID, Stubborn(), shared.sharing)
    entries, _, reason = play(whole)
    assert (reason, len(reused_of(entries))) == ("space exhausted", 25)
    assert whole.standing.duplicates == 64


def test_each_reused_result_is_followed_by_a_fresh_proposal() -> None:
    space = SearchSpace(decisions={"a": integer(0, 99), "b": integer(0, 99)})
    spec = spec_of(space, optimizer="random")
    asked = 60
    # Whatever it draws is known.
    known = KnownResult(metrics={"loss": 1.0}, source=TrialSource(experiment=OTHER, number=0))
    optimizer = create_optimizer("random", space)
    sharing = Sharing(scope="scope", known=lambda key: known)
    machine = SearchMachine(spec, space, optimizer, sharing)
    for _ in range(asked):
        assert machine.ask() == Reused()
    assert machine.standing.reused == asked
    assert machine.standing.duplicates <= 3


def test_reused_result_that_reaches_the_target_ends_the_search() -> None:
    spec = spec_of(GRID, budget=Budget(trials=100, target=0.0))
    machine, _ = sharing_machine(spec, GRID, Shared(MEMBERS))
    entries, _, reason = play(machine)
    assert reason == "target reached"
    assert machine.next_number == 0
    assert reused_of(entries)[-1]["metrics"] == {"loss": 0.0}


def test_reused_result_is_judged_by_the_constraints_of_the_experiment_that_reuses_it() -> None:
    spec = spec_of(GRID, constraints=parse_constraints({"loss": ">= 2"}), budget=Budget(trials=100))
    machine, listening = sharing_machine(spec, GRID, Shared(MEMBERS))
    entries, _, _ = play(machine)
    assert machine.standing.best is not None
    assert machine.standing.best[1] == (2.0,)
    violations = {body["metrics"]["loss"]: body["violation"] for body in reused_of(entries)}
    assert violations[0.0] > 0
    assert violations[2.0] == 0
    heard = [e for e in listening.heard if isinstance(e, Answered) and e.values == (0.0,)]
    assert heard
    assert heard[0].violation == violations[0.0]


def test_cheap_constraints_reject_before_anything_is_looked_up() -> None:
    spec = spec_of(NETS, constraints=parse_constraints({"params": "<= 300"}))
    machine, _ = sharing_machine(spec, NETS, shared := Shared())
    rejected = 0
    for _ in range(6):
        assert isinstance(machine.ask(), Taken)
        rejected += sum(e.kind is EntryKind.REJECTED for e in machine.drain().entries)
    assert rejected > 0
    assert shared.questions == 6


def test_pareto_front_holds_reused_results() -> None:
    members = [*NETS.members()]
    spec = spec_of(
        NETS,
        objectives=parse_objectives({"loss": "min", "params": "min"}),
        budget=Budget(trials=100),
    )
    shared = Shared(members, loss=lambda taken: 1.0 / taken.architecture.params)
    machine, _ = sharing_machine(spec, NETS, shared)
    play(machine)
    assert machine.next_number == 0
    assert set(machine.standing.front.values()) == {
        (1.0 / a.params, float(a.params)) for a in members
    }
    assert all(number < 0 for number in machine.standing.front)


@pytest.mark.parametrize(
    "state", [state for state in TrialState if state.value not in ("pending", "paused")]
)
def test_only_completed_trials_are_shared(state: TrialState) -> None:
    machine, _ = sharing_machine(spec_of(GRID), GRID, Shared())
    taken = machine.ask()
    assert isinstance(taken, Taken)
    if state is TrialState.CANCELLED:
        machine.cancel(taken.number)
    else:
        failed = state in (TrialState.FAILED, TrialState.DEAD)
        metrics = {} if failed else {"loss": 0.5, "seconds": 2.0}
        machine.tell(taken.number, Outcome(state=state, metrics=metrics))
    results = machine.drain().results
    if state is not TrialState.COMPLETED:
        assert results == ()
        return
    (result,) = results
    assert result.key == f"scope/{taken.architecture.point_id}"
    assert (result.number, dict(result.metrics)) == (0, {"loss": 0.5, "seconds": 2.0})


def test_machine_that_shares_nothing_drafts_nothing_to_share() -> None:
    machine = machine_of(spec_of(GRID), GRID)
    _, shared, _ = play(machine)
    assert shared == []
    assert machine.standing.reused == 0


def test_scope_names_everything_that_a_result_depends_on() -> None:
    evaluator = EvaluatorReference(kind="path", reference="p:f", digest="d" * 32)
    spec = spec_of(GRID, reuse=True, evaluator=evaluator)
    metrics = ("loss",)

    def scope(changed: ExperimentSpec = spec, wanted=metrics, device: str = "cpu") -> str | None:
        return scope_of(changed, wanted, device)

    other = replace(evaluator, digest="e" * 32)
    different = [
        scope(),
        scope(replace(spec, max_epochs=11)),
        scope(replace(spec, repeats=2)),
        scope(replace(spec, evaluator=other)),
        scope(replace(spec, space_digest="another")),  # of a space that holds code
        scope(wanted=("loss", "seconds")),
        scope(device="cuda"),
    ]
    assert None not in different
    assert len(set(different)) == len(different)
    same = [
        scope(replace(spec, seed=9)),
        scope(replace(spec, name="other", workers=7)),
        scope(replace(spec, budget=Budget(trials=3, target=0.5))),
        scope(replace(spec, evaluator=replace(evaluator, reference="elsewhere:f"))),
    ]
    assert set(same) == {scope()}
    assert scope(wanted=("b", "a")) == scope(wanted=("a", "b"))
    written = replace(spec, space="SearchSpace(...)")
    assert scope(written) == scope(replace(written, space_digest="another")) != scope()


def test_scope_is_none_where_nothing_is_shared() -> None:
    evaluator = EvaluatorReference(kind="path", reference="p:f", digest="d" * 32)
    assert scope_of(spec_of(GRID, evaluator=evaluator), ("loss",), "cpu") is None
    assert scope_of(spec_of(GRID, reuse=True), ("loss",), "cpu") is None


def test_spec_written_before_there_was_reuse_shares_nothing() -> None:
    document = spec_of(GRID).to_json()
    del document["reuse"]
    assert ExperimentSpec.from_json(document).reuse is False
    shared = spec_of(GRID, reuse=True)
    assert ExperimentSpec.from_json(shared.to_json()) == shared


def test_ask_hands_back_after_each_reused_result() -> None:
    machine, _ = sharing_machine(spec_of(GRID, optimizer="random"), GRID, Shared(MEMBERS))
    for reused in range(1, 6):
        assert machine.ask() == Reused()
        assert machine.standing.reused == reused
