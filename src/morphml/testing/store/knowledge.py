"""Checks of what experiments leave for later ones."""

from __future__ import annotations

from dataclasses import replace

from morphml.errors import DriverLost, TokenRefused
from morphml.search.changes import Changes, NewResult
from morphml.search.sharing import KnownResult, TrialSource
from morphml.testing.store.case import Check, StoreCase, refused
from morphml.testing.store.script import DriverScript, sample_spec


def _result(key: str, number: int = 0, accuracy: float = 0.5) -> NewResult:
    """A result to be shared."""
    return NewResult(key=key, number=number, metrics={"accuracy": accuracy, "loss": 1e-300})


def shared_result_is_known_with_its_trial(case: StoreCase) -> None:
    """Metrics come back to the last bit; a key that nobody wrote has none."""
    script = case.script()
    told = script.telling(script.ask()[0], accuracy=0.1)
    script.commit(replace(told, results=(_result("a/1", accuracy=0.1), _result("a/2", 3))))
    source = TrialSource(experiment=case.experiment, number=0)
    expected = KnownResult(metrics={"accuracy": 0.1, "loss": 1e-300}, source=source)
    assert case.store.knowledge.result("a/1") == expected
    found = case.store.knowledge.result("a/2")
    assert found is not None
    assert found.source == TrialSource(experiment=case.experiment, number=3)
    for key in ("a/3", "a", "b/1", "", "A/1"):
        assert case.store.knowledge.result(key) is None, key


def first_result_under_a_key_stays(case: StoreCase) -> None:
    """Also in one transaction, and against another experiment."""
    script = case.script()
    script.commit(Changes(results=(_result("k", 0, 0.25), _result("k", 1, 0.75))))
    script.commit(Changes(results=(_result("k", 2, 1.0), _result("other", 2, 1.0))))
    experiment = case.store.create_experiment(sample_spec(name="second"))
    second = DriverScript(case.store, experiment, case.session)
    second.commit(Changes(results=(_result("k", 0, 0.0),)))
    found = case.store.knowledge.result("k")
    assert found is not None
    assert found.metrics["accuracy"] == 0.25
    assert found.source == TrialSource(experiment=case.experiment, number=0)
    assert case.store.knowledge.result("other") is not None


def refused_transaction_shares_nothing(case: StoreCase) -> None:
    """A result is known only with the transaction that stored it."""
    script = case.script()
    first = script.ask()[0]
    told = script.telling(first)
    script.tell(first)
    twice = replace(told, entries=(), results=(_result("refused"),))
    refused(TokenRefused, lambda: script.commit(twice))
    assert case.store.knowledge.result("refused") is None
    case.script()  # takes the experiment over
    refused(DriverLost, lambda: script.commit(Changes(results=(_result("late"),))))
    assert case.store.knowledge.result("late") is None


CHECKS: tuple[Check, ...] = (
    shared_result_is_known_with_its_trial,
    first_result_under_a_key_stays,
    refused_transaction_shares_nothing,
)
