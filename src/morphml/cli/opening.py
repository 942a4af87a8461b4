"""How commands open what is stored; the master is imported here, when one is opened.

It takes a second. The modules of commands are read for help and completion too, so they import
nothing of the kind themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from morphml.master import Experiment


def open_experiment(storage: str, name: str | None) -> Experiment:
    """The experiment of that id or name in a store; the newest without one. Close it.

    Raises:
        ExperimentError: when there is none.
        StorageError: when the store cannot be opened.
    """
    from morphml.master import Experiment  # noqa: PLC0415 see above

    return Experiment.open(storage, name)
