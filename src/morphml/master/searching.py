"""``mm.search`` and ``mm.resume``: one call from a space to a result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Unpack

from morphml.errors import EvaluatorError, ExperimentError
from morphml.master.experiment import Experiment
from morphml.master.options import SearchOptions
from morphml.master.result import Result
from morphml.search.progress import Observer
from morphml.space import SearchSpace
from morphml.storage.address import without_password


def search(
    space: SearchSpace,
    evaluate: object,
    *,
    workers: int | None = None,
    storage: str | Path | None = None,
    engine: str = "local",
    observer: Observer | None = None,
    **options: Unpack[SearchOptions],
) -> Result:
    """Search for the best architectures and return what was found.

    Args:
        space: what is searched.
        evaluate: a callable ``(arch, trial)`` that returns a number or metrics by name, an object
            with ``setup`` and ``__call__``, or an import path ``package.module:attribute``.
        workers: child processes, never more than ``resources`` leave room for; 0 runs the evaluator
            in this process, for debugging. By default as many as fit on the GPUs, where there are
            none half the processors. With Ray trials at a time at most, by default all that the
            cluster has room for.
        storage: path of a SQLite file, or ``postgresql://...``, so that the search can be resumed;
            None keeps it in memory.
        engine: ``local``; ``ray`` for the cluster of ``RAY_ADDRESS``, or one of this machine;
            ``ray:ADDRESS``; ``ray://HOST:PORT`` to send the search to a cluster as a job and wait
            for it; or ``remote`` to leave it to the masters of ``storage`` and wait for them.
        observer: called with a ``Progress`` twice a second; by default a live view on the
            terminal, where there is one.
        options: objectives, constraints, optimizer, budget and more: see ``SearchOptions``.

    Raises:
        CallerError: when something given is not usable; nothing was started.
        KeyboardInterrupt: when a person stops it; its note says how to go on.

    Example:
        >>> import morphml as mm
        >>> space = mm.SearchSpace(decisions={"x": mm.real(-1, 1)})
        >>> result = mm.search(space, lambda arch, trial: arch.decisions["x"] ** 2,
        ...                    objectives={"loss": "min"}, trials=20, workers=0)
        >>> len(result.records)
        20
    """
    if evaluate is None:
        raise EvaluatorError(
            "a search needs an evaluator, a function (arch, trial), got None; to evaluate by hand, "
            "use Experiment.create(space, None, ...) with ask() and tell()"
        )
    if engine == "remote":
        return _search_remotely(space, evaluate, storage, observer, options)
    with (
        Experiment.create(
            space, evaluate, storage=storage, workers=workers, engine=engine, **options
        ) as made,
        _telling_how_to_resume(storage),
    ):
        return made.run(workers, observer, engine)


def _search_remotely(
    space: SearchSpace,
    evaluate: object,
    storage: str | Path | None,
    observer: Observer | None,
    options: SearchOptions,
) -> Result:
    if storage is None:
        raise ExperimentError(
            "engine='remote': give the storage that the masters use, such as postgresql://..."
        )
    with Experiment.create(space, evaluate, storage=storage, engine="remote", **options) as made:
        made.submit()
        try:
            return made.watch(observer)
        except KeyboardInterrupt as stop:
            stop.add_note(
                f"Nobody watches any more, but the masters go on with experiment {made.id}; see "
                f"it with: morphml show, and stop it with Experiment.open(...).stop()"
            )
            raise


def resume(  # noqa: PLR0913 one parameter per thing that a person may say
    storage: str | Path,
    name: str | None = None,
    *,
    workers: int | None = None,
    trials: int | None = None,
    evaluate: object = None,
    observer: Observer | None = None,
    engine: str = "local",
) -> Result:
    """Go on with an experiment that was stopped, killed, or is to get more trials.

    Args:
        storage: path of the SQLite file.
        name: id or name of the experiment; the newest by default.
        workers: child processes; by default as before.
        trials: the new number of trials in all; by default as before.
        evaluate: the evaluator, where the stored one cannot be loaded.
        observer: called with a ``Progress`` twice a second; by default a live view on the
            terminal, where there is one.
        engine: ``local``, ``ray``, ``ray:ADDRESS`` or ``ray://HOST:PORT``, as for ``search``.

    Raises:
        ExperimentError: when there is no such experiment, or it is completed.
        StoreInUse: when another process drives it.
    """
    with (
        Experiment.open(storage, name, evaluate=evaluate) as found,
        _telling_how_to_resume(storage),
    ):
        if trials is not None:
            found.extend(trials)
        return found.run(workers, observer, engine)


@contextmanager
def _telling_how_to_resume(storage: str | Path | None) -> Iterator[None]:
    """Ctrl-C within says below its traceback what became of the search."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if storage is None or str(storage) == ":memory:":
            stop.add_note(
                "The search was stopped, and is gone with its memory store; give storage='FILE.db' "
                "to keep the next one."
            )
        else:
            shown = without_password(storage)
            stop.add_note(
                "The search was stopped; every finished trial is stored. Go on with: "
                f"mm.resume({shown!r}), or: morphml resume {quote(shown)}"
            )
        raise


__all__ = ["resume", "search"]
