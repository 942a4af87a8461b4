from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import morphml as mm
from morphml import layers as L
from morphml.errors import CallerError, EvaluatorError
from morphml.evaluation import Order, Segment, SetupContext, Trial, TrialPaused
from morphml.evaluation.training import Classification, Regression
from morphml.evaluation.training.early_stop import EarlyStop
from morphml.evaluation.training.options import Options, TrainingOptions
from morphml.space import Architecture, SearchSpace


@dataclass
class Recorder:
    """The search's side of a trial: keeps what is reported, orders a pause when told to."""

    pause_at: int | None = None
    reports: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    checkpoints: list[tuple[int, Path]] = field(default_factory=list)

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        self.reports.append((step, dict(metrics)))
        return Order.PAUSE if step == self.pause_at else Order.CONTINUE

    def order(self) -> Order:
        return Order.CONTINUE

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        self.checkpoints.append((step, path))

    def log(self, text: str) -> None:
        raise AssertionError(text)


def trial_of(
    channel: Recorder, *, epochs: int, seed: int = 1, params: Mapping[str, object] | None = None
) -> Trial:
    segment = Segment(number=0, seed=seed, device="cpu", attempt_id="ab" * 16, to_epoch=epochs)
    return Trial(segment, params or {}, channel)  # type: ignore[arg-type]


def small_network() -> Architecture:
    return SearchSpace(
        input=(1, 8, 8),
        layers=[L.conv2d(12), L.relu(), L.max_pool2d(2), L.flatten(), L.output(10)],
    ).default()


def with_dropout_and_batch_norm() -> Architecture:
    return SearchSpace(
        input=(64,),
        layers=[L.dense(32), L.batch_norm(), L.relu(), L.dropout(0.3), L.output(10)],
    ).default()


def test_digits_are_learned_in_a_few_epochs() -> None:
    recorder = Recorder()
    metrics = Classification("digits", lr=0.01)(small_network(), trial_of(recorder, epochs=5))
    assert metrics["accuracy"] > 0.9
    assert [step for step, _ in recorder.reports] == [1, 2, 3, 4, 5]
    assert recorder.reports[-1][1] == metrics
    assert recorder.reports[0][1]["loss"] > metrics["loss"]


def test_images_are_flattened_for_a_network_of_vectors() -> None:
    metrics = Classification("digits", lr=0.01)(
        with_dropout_and_batch_norm(), trial_of(Recorder(), epochs=5)
    )
    assert metrics["accuracy"] > 0.85


def test_one_seed_gives_one_training_and_another_seed_another() -> None:
    evaluate = Classification("digits", lr=0.01)
    runs = [
        evaluate(with_dropout_and_batch_norm(), trial_of(Recorder(), epochs=2, seed=seed))
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1]
    assert runs[0]["loss"] != runs[2]["loss"]


def test_paused_training_goes_on_as_if_never_interrupted(tmp_path: Path) -> None:
    evaluate = Classification("digits", lr=0.01, schedule="cosine", epochs=4, momentum=0.5)
    straight = Recorder()
    whole = evaluate(with_dropout_and_batch_norm(), trial_of(straight, epochs=4))

    first = Recorder(pause_at=2)
    segment = Segment(
        number=0,
        seed=1,
        device="cpu",
        attempt_id="ab" * 16,
        to_epoch=4,
        checkpoint_folder=tmp_path,
    )
    with pytest.raises(TrialPaused):
        evaluate(with_dropout_and_batch_norm(), Trial(segment, {}, first))
    ((step, path),) = first.checkpoints
    assert step == 2
    second = Recorder()
    later = replace(segment, checkpoint=path, from_epoch=2)
    resumed = evaluate(with_dropout_and_batch_norm(), Trial(later, {}, second))
    assert first.reports + second.reports == straight.reports
    assert resumed == whole


def test_early_stop_ends_a_training_that_no_longer_gets_better() -> None:
    recorder = Recorder()
    Classification("digits", lr=1e-12, patience=3)(small_network(), trial_of(recorder, epochs=50))
    assert len(recorder.reports) == 4  # the first is the best; three more are waited for


def test_early_stop_waits_again_after_each_better_score() -> None:
    stop = EarlyStop(patience=2, min_delta=0.1, larger_is_better=False)
    scores = [5.0, 4.95, 4.0, 4.0, 3.95, 3.0]
    assert [stop.should_stop(score) for score in scores] == [
        False,
        False,
        False,
        False,
        True,
        False,
    ]


def test_hyperparameters_of_the_space_override_the_options() -> None:
    network, evaluate = small_network(), Classification("digits", lr=1e-12, epochs=3)
    params = {"lr": 0.01, "batch_size": 32, "optimizer": "sgd"}
    learned = evaluate(network, trial_of(Recorder(), epochs=9, params=params))
    still = evaluate(network, trial_of(Recorder(), epochs=9))
    assert learned["accuracy"] > 0.8 > 0.4 > still["accuracy"]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_every_optimizer_learns(optimizer: str) -> None:
    evaluate = Classification("digits", optimizer=optimizer, lr=0.005, clip_norm=1.0)
    assert evaluate(small_network(), trial_of(Recorder(), epochs=3))["accuracy"] > 0.8


def test_unknown_hyperparameter_is_refused_with_those_there_are() -> None:
    with pytest.raises(EvaluatorError, match=r"'learning_rate' means nothing.*lr"):
        Classification("digits")(
            small_network(), trial_of(Recorder(), epochs=1, params={"learning_rate": 0.1})
        )


def test_diverged_training_is_an_error_that_names_epoch_and_rate() -> None:
    evaluate = Classification("digits", optimizer="sgd", lr=1e30, clip_norm=None)
    with pytest.raises(EvaluatorError, match=r"diverged.*epoch 1.*lr=1e\+30"):
        evaluate(small_network(), trial_of(Recorder(), epochs=2))


def test_network_with_too_few_outputs_is_refused_with_both_sizes() -> None:
    space = SearchSpace(input=(64,), layers=[L.output(4)])
    with pytest.raises(EvaluatorError, match=r"10 classes.*\(4,\)"):
        Classification("digits")(space.default(), trial_of(Recorder(), epochs=1))


def test_network_for_other_inputs_is_refused_with_both_shapes() -> None:
    space = SearchSpace(input=(3, 8, 8), layers=[L.flatten(), L.output(10)])
    with pytest.raises(EvaluatorError, match=r"\(3, 8, 8\).*\(1, 8, 8\)"):
        Classification("digits")(space.default(), trial_of(Recorder(), epochs=1))


def test_whole_numbers_become_floats_for_a_network_that_takes_floats() -> None:
    rng = np.random.Generator(np.random.Philox(0))
    x = rng.integers(0, 9, (300, 4))
    y = (x[:, 0] > x[:, 1]).astype(np.int64)
    assert x.dtype == np.int64
    space = SearchSpace(input=(4,), layers=[L.dense(8), L.relu(), L.output(2)])
    metrics = Classification((x, y), lr=0.05)(space.default(), trial_of(Recorder(), epochs=20))
    assert metrics["accuracy"] > 0.9


def test_tokens_stay_whole_numbers_for_an_embedding() -> None:
    rng = np.random.Generator(np.random.Philox(0))
    x = rng.integers(0, 9, (400, 5))
    y = (x == 3).any(axis=1).astype(np.int64)
    space = SearchSpace(
        input=mm.Input((5,), dtype="int64"),
        layers=[L.embedding(9, 8), L.pool_sequence("max"), L.output(2)],
    )
    metrics = Classification((x, y), lr=0.05)(space.default(), trial_of(Recorder(), epochs=10))
    assert metrics["accuracy"] > 0.9


def test_network_with_two_outputs_is_refused_with_their_names() -> None:
    space = SearchSpace(input=(64,), layers=[], outputs={"a": L.dense(10), "b": L.dense(10)})
    with pytest.raises(EvaluatorError, match="a, b"):
        Classification("digits")(space.default(), trial_of(Recorder(), epochs=1))


def test_network_without_weights_is_scored_as_it_is() -> None:
    space = SearchSpace(input=(10, 4), layers=[L.global_avg_pool()])
    x = np.random.Generator(np.random.Philox(0)).normal(size=(100, 10, 4))
    y = x.mean(axis=2).argmax(axis=1)
    recorder = Recorder()
    metrics = Classification((x, y))(space.default(), trial_of(recorder, epochs=2))
    assert metrics["accuracy"] == 1.0
    assert len(recorder.reports) == 2


def test_module_that_the_user_builds_is_trained_too() -> None:
    space = SearchSpace(decisions={"width": mm.choice(16, 32)}, build=perceptron)
    metrics = Classification("digits", lr=0.01)(space.default(), trial_of(Recorder(), epochs=4))
    assert metrics["accuracy"] > 0.85


def perceptron(width: int) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Linear(width, 10)
    )


def test_inputs_by_name_reach_the_inputs_of_that_name() -> None:
    rng = np.random.Generator(np.random.Philox(0))
    left, right = rng.normal(size=(400, 6)), rng.normal(size=(400, 3))
    y = (left[:, 0] + 3 * right[:, 0] > 0).astype(np.int64)
    data = mm_dataset({"left": left, "right": right}, y)
    space = SearchSpace(
        inputs={"right": mm.Input((3,)), "left": mm.Input((6,))},
        layers=[mm.join("left", how="concat"), L.dense(16), L.relu(), L.output(2)],
    )
    metrics = Classification(data, lr=0.01)(space.default(), trial_of(Recorder(), epochs=15))
    assert metrics["accuracy"] > 0.9


def mm_dataset(x: Mapping[str, np.ndarray], y: np.ndarray) -> object:
    from morphml.evaluation.data import Dataset, Part

    return Dataset(name="two", train=Part(x=x, y=y))


def test_numbers_are_learned_in_their_own_units() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    x = rng.normal(loc=50.0, scale=[1.0, 20.0, 300.0], size=(500, 3))
    y = 1000.0 + 4.0 * (x[:, 1] - 50) + 20.0 * np.maximum(x[:, 0] - 50, 0)
    space = SearchSpace(input=(3,), layers=[L.dense(24), L.relu(), L.output(1)])
    metrics = Regression((x, y), lr=0.02)(space.default(), trial_of(Recorder(), epochs=25))
    assert metrics["r2"] > 0.95
    assert metrics["mae"] < 20.0
    assert metrics["mse"] == pytest.approx((1 - metrics["r2"]) * y.var(), rel=0.5)


def test_targets_of_several_numbers_need_an_output_of_that_shape() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    x, y = rng.normal(size=(80, 3)), rng.normal(size=(80, 2))
    space = SearchSpace(input=(3,), layers=[L.output(1)])
    with pytest.raises(EvaluatorError, match=r"shape \(2,\).*\(1,\)"):
        Regression((x, y))(space.default(), trial_of(Recorder(), epochs=1))


def test_evaluator_travels_without_its_tensors_and_loads_them_again(tmp_path: Path) -> None:
    evaluate = Classification("digits", lr=0.01)
    evaluate.setup(SetupContext(device="cpu", worker="here", scratch=tmp_path))
    sent = pickle.dumps(evaluate)
    assert len(sent) < 2_000
    again = pickle.loads(sent)
    one = evaluate(small_network(), trial_of(Recorder(), epochs=1))
    assert again(small_network(), trial_of(Recorder(), epochs=1)) == one


def test_digest_names_rule_options_and_data() -> None:
    x, y = np.eye(20, 4, dtype=np.float32), np.arange(20) % 2
    digests = [
        Classification((x, y)).digest,
        Classification((x.copy(), y.copy())).digest,
        Classification((x + 1, y)).digest,
        Classification((x, y), lr=0.5).digest,
        Classification((x, y), split_seed=1).digest,
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_options_are_those_of_the_training_options() -> None:
    assert Options.__annotations__.keys() == TrainingOptions.__annotations__.keys()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.0}, "lr must be above 0"),
        ({"lr": "fast"}, "lr must be float"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"batch_size": True}, "batch_size must be int"),
        ({"optimizer": "lion"}, "one of adam, adamw, sgd, rmsprop, got 'lion'"),
        ({"patience": 0}, "patience must be at least 1, or None"),
        ({"learning_rate": 1.0}, "no option 'learning_rate'; it has .*lr"),
    ],
)
def test_wrong_option_is_refused_when_the_evaluator_is_made(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(CallerError, match=message):
        Classification("digits", **options)  # type: ignore[arg-type]
