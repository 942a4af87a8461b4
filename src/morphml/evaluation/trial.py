"""The handle of a running trial: what an evaluator reads from it and tells it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar, overload

from morphml.errors import EvaluatorError
from morphml.evaluation import checkpoint as files
from morphml.evaluation.metrics import check_metrics, describe
from morphml.evaluation.orders import Order, TrialCancelled, TrialPaused, TrialStopped
from morphml.evaluation.segment import Segment, TrialChannel
from morphml.evaluation.shared_data import SharedData
from morphml.settings import read_settings

DataT = TypeVar("DataT")


class Trial:
    """What an evaluator is handed beside the architecture.

    Args:
        segment: what is to be run.
        params: the hyperparameters by name.
        channel: the way to the search.
    """

    __slots__ = (
        "_channel",
        "_counts",
        "_epoch",
        "_heeded",
        "_last_step",
        "_metrics",
        "_saved",
        "_segment",
        "_states",
        "params",
    )

    def __init__(
        self, segment: Segment, params: Mapping[str, object], channel: TrialChannel
    ) -> None:
        #: Hyperparameters by name, as chosen for this trial.
        self.params = params
        self._segment = segment
        self._channel = channel
        self._last_step: int | None = None
        self._metrics: dict[str, float] = {}
        self._heeded = Order.CONTINUE
        self._saved: list[tuple[int, Path]] = []
        self._states: Mapping[str, object] = {}
        self._epoch = 0
        #: The last epoch of a full trial, once ``epochs`` counts them; None before.
        self._counts: int | None = None

    @property
    def number(self) -> int:
        """The trial's number in its experiment, from 0."""
        return self._segment.number

    @property
    def seed(self) -> int:
        """Seed of the training, in [0, 2**31); the same when the trial is run again."""
        return self._segment.seed

    @property
    def device(self) -> str:
        """Where the model goes, such as ``cpu`` or ``cuda``."""
        return self._segment.device

    @property
    def attempt_id(self) -> str:
        """Names this attempt to outside systems, 32 hexadecimal digits."""
        return self._segment.attempt_id

    @property
    def rank(self) -> int:
        """Number of this process among those that run the trial at once, from 0.

        More than one do where ``resources`` ask for several ``workers``. The result, the reports
        and the checkpoints of rank 0 are the trial's; those of others are dropped.
        """
        return self._segment.place.rank

    @property
    def world_size(self) -> int:
        """How many processes run the trial at once, each on a worker of its own; mostly 1."""
        return self._segment.place.world_size

    @property
    def rendezvous(self) -> str:
        """Where they meet: ``host:port`` of rank 0's machine, "" for one alone.

        While the evaluator runs, ``MASTER_ADDR``, ``MASTER_PORT``, ``RANK`` and ``WORLD_SIZE`` of
        the environment say the same, as ``torch.distributed`` wants it.
        """
        return self._segment.place.rendezvous

    @property
    def from_epoch(self) -> int:
        """Epochs that earlier segments of this trial did."""
        return self._segment.from_epoch

    @property
    def to_epoch(self) -> int:
        """The epoch at which this segment ends; 0 where the experiment leaves it open."""
        return self._segment.to_epoch

    @property
    def max_epochs(self) -> int:
        """Epochs of a full trial, for schedules; 0 where the experiment leaves it open."""
        return self._segment.max_epochs or self._segment.to_epoch

    @property
    def rests(self) -> bool:
        """Whether the evaluator has come to the end of a segment that is not the trial's end."""
        segment = self._segment
        if segment.to_epoch >= segment.max_epochs:
            return False
        if self._counts is not None:
            return self._epoch == segment.to_epoch < self._counts
        return self._heeded is Order.PAUSE

    @property
    def metrics(self) -> Mapping[str, float]:
        """What was reported last in this attempt."""
        return self._metrics

    @property
    def heeded(self) -> Order:
        """The order that the evaluator was shown by ``should_stop``, or ``continue``."""
        return self._heeded

    @property
    def saved_step(self) -> int:
        """Epochs done at the newest checkpoint of this attempt; 0 when it saved none."""
        return self._saved[-1][0] if self._saved else 0

    def epochs(self, count: int | None = None, /, **states: object) -> Iterator[int]:
        """The epochs to run, counted from 1: after epoch k, k epochs are done.

        With the states given, the training goes on where a promoted or lost trial left off: they
        are restored before the first epoch, and saved from time to time, when the search pauses
        the trial, and at the end of a segment that may be promoted.

        Args:
            count: epochs of a full trial; without it, what the experiment says.
            states: what makes up the training: ``model=``, ``optimizer=`` and whatever else has
                ``state_dict`` and ``load_state_dict``. None is left out.

        Raises:
            EvaluatorError: when neither the call nor the experiment says how many.
            WorkerError: when a checkpoint cannot be read or written.
        """
        last = self._last_epoch(count)
        self._counts = count or self.max_epochs
        self._states = _stateful(states)
        done = self._restore(last)
        due = time.monotonic() + self._segment.checkpoint_every_s
        for epoch in range(done + 1, last + 1):
            self._epoch = epoch
            yield epoch
            if self._states and epoch < last and time.monotonic() >= due:
                self.checkpoint(epoch, **self._states)
                due = time.monotonic() + self._segment.checkpoint_every_s

    def report(self, step: int, /, check: bool = True, **metrics: float) -> None:
        """Tell the search how it goes. Never waits: it acts on the last order known.

        Args:
            step: epochs (or another resource) spent so far, >= 0; rises strictly. A step that an
                earlier attempt of this trial reported already is ignored.
            check: obey an order here; with False ask ``should_stop`` instead.
            metrics: finite numbers by name, at least one.

        Raises:
            TrialStopped: the search ended the trial early; the metrics reported last count.
            TrialPaused: the search wants the slot back; the states given to ``epochs`` are saved.
                Also at the end of a segment where ``epochs`` is not what counts; save before.
            TrialCancelled: the attempt was taken back.
            EvaluatorError: when the step does not rise or a metric is no finite number.
        """
        self._check_step(step)
        self._metrics = check_metrics(metrics.items(), "reported")
        if not metrics:
            raise EvaluatorError(f"report({step}) names no metric, such as accuracy=0.9")
        self._last_step = step
        known = self._segment.reported_step
        if known is not None and step <= known:
            order = self._channel.order()
        else:
            order = self._channel.report(step, self._metrics)
        order = self._or_rest(order)
        if check and order is not Order.CONTINUE:
            if order is Order.PAUSE:
                self._heeded = order
            self._obey(order)

    def should_stop(self) -> bool:
        """Whether the search wants the evaluator to return now; never raises, never waits.

        When the order is to pause, save with ``checkpoint`` before returning.
        """
        order = self._or_rest(self._channel.order())
        if order is not Order.CONTINUE:
            self._heeded = order
        return order is not Order.CONTINUE

    def checkpoint(self, step: int, /, **states: object) -> Path:
        """Save a checkpoint and return its file; the two newest of the attempt are kept.

        Args:
            step: epochs done.
            states: tensors, plain values, or what has ``state_dict``, by name.

        Raises:
            EvaluatorError: when a state cannot be read back without running code.
            WorkerError: when the disk refuses.
        """
        segment = self._segment
        name = files.file_name(segment.number, step, segment.attempt_id)
        path = segment.checkpoint_folder / name
        digest = files.save(path, step, states, segment.label)
        self._channel.checkpointed(step, path, digest)
        self._saved = [entry for entry in self._saved if entry[1] != path] + [(step, path)]
        while len(self._saved) > 2:
            self._saved.pop(0)[1].unlink(missing_ok=True)
        return path

    def load_checkpoint(self) -> Mapping[str, object] | None:
        """The states of the checkpoint to go on from, by name, or None to start afresh.

        torch's random generators go on from there too. ``epochs(model=..., optimizer=...)`` does
        all this by itself.

        Raises:
            WorkerError: when the file cannot be read.
        """
        path = self._segment.checkpoint
        if path is None:
            return None
        found = files.load(path, self.device)
        files.restore_generators(found)
        return found.state

    def save_at_end(self) -> None:
        """Save the states given to ``epochs`` once more, where the trial may go on later.

        The runtime calls this when the evaluator returned, so that a loop that was left early, or
        weights that were put back to the best ones, are saved as they are.

        Raises:
            EvaluatorError: as ``checkpoint``.
            WorkerError: as ``checkpoint``.
        """
        wanted = self._segment.checkpoint_at_end and self._states
        if wanted and self.saved_step != self._epoch:
            self.checkpoint(self._epoch, **self._states)

    @overload
    def dataset(self, source: Callable[[], DataT], /, *, name: str | None = None) -> DataT: ...
    @overload
    def dataset(self, source: str | Path, /) -> object: ...
    def dataset(
        self, source: Callable[[], object] | str | Path, /, *, name: str | None = None
    ) -> object:
        """What the loader returns; its arrays lie once in this machine's memory for all trials.

        It is called once on each machine, by whichever trial asks first. Its arrays are files in
        ``MORPHML_DATA_CACHE``, mapped and not read; what a trial writes into one it alone sees.

        Args:
            source: a function without arguments that returns arrays, numbers and texts, in tuples,
                lists and mappings; or a name such as ``digits``, which gives ``x_train`` and
                ``y_train``; or a ``.npy`` file.
            name: for just these data: then other experiments on the machine share them, and they
                stay the same until there is another name. Without one they are this experiment's.

        Raises:
            EvaluatorError: when what it returns cannot be shared.
            WorkerError: when the folder cannot be used.
        """
        data = SharedData(read_settings().data.cache, self._segment.experiment)
        return data.get(source, name)

    def log(self, text: object) -> None:
        """Write a line to the trial's log."""
        self._channel.log(str(text))

    def _last_epoch(self, count: int | None) -> int:
        known = [n for n in (_positive(count), self._segment.to_epoch) if n]
        if not known:
            raise EvaluatorError(
                "trial.epochs() does not know how many: say trial.epochs(10, ...), or set the "
                "epochs of a trial in the experiment"
            )
        return min(known)

    def _restore(self, last: int) -> int:
        """Epochs done according to the checkpoint, whose states are put back; else 0."""
        path = self._segment.checkpoint
        if path is None:
            return 0
        found = files.load(path, self.device)
        if found.step >= last:
            # Lost between its last checkpoint and its result: no epoch is left to measure in.
            return 0
        files.restore(found, self._states)
        files.restore_generators(found)
        return found.step

    def _check_step(self, step: object) -> None:
        if not isinstance(step, int) or isinstance(step, bool) or step < 0:
            raise EvaluatorError(
                f"report: the step is a whole number >= 0, got {_describe_step(step)}"
            )
        if self._last_step is not None and step <= self._last_step:
            raise EvaluatorError(
                f"report: steps rise strictly; {step} came after {self._last_step}"
            )

    def _or_rest(self, order: Order) -> Order:
        """The order, or a pause where the segment is over for who does not use ``epochs``."""
        segment = self._segment
        if order is Order.CONTINUE and self._counts is None:
            over = self._last_step is not None and self._last_step >= segment.to_epoch
            if over and segment.to_epoch < segment.max_epochs:
                return Order.PAUSE
        return order

    def _obey(self, order: Order) -> None:
        match order:
            case Order.STOP:
                raise TrialStopped
            case Order.CANCEL:
                raise TrialCancelled
            case Order.PAUSE:
                if self._states and self.saved_step != self._epoch:
                    self.checkpoint(self._epoch, **self._states)
                raise TrialPaused
            case Order.CONTINUE:
                return


def _positive(count: object) -> int:
    if count is None:
        return 0
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise EvaluatorError(f"epochs: the count is a whole number >= 1, got {count!r}")
    return count


def _describe_step(step: object) -> str:
    """What was given as a step, for an error message."""
    return repr(step) if isinstance(step, bool | float) else describe(step)


def _stateful(states: Mapping[str, object]) -> dict[str, object]:
    given = {name: state for name, state in states.items() if state is not None}
    for name, state in given.items():
        if not isinstance(state, files.Stateful):
            raise EvaluatorError(
                f"epochs: {name}= has no state_dict and load_state_dict, got {describe(state)}; "
                f"leave it out and use trial.checkpoint and trial.load_checkpoint"
            )
    return given
