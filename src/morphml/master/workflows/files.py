"""Files of an execution's jobs, when the execution is forgotten."""

from __future__ import annotations

import shutil
from pathlib import Path

from morphml.ids import ExperimentId
from morphml.storage import SqlStore


def forget_files(store: SqlStore, execution: ExperimentId, folder: Path) -> None:
    """Remove the files of an execution that the store has forgotten.

    What the store has of them, for masters with other folders, goes too, but for files that another
    execution here put out as well.

    Args:
        store: had it.
        execution: its id.
        folder: of the files of all executions that lie here.

    Raises:
        StoreUnavailable: when the store cannot be asked.
    """
    own = {path.name for path in (folder / execution / "artifacts").glob("*")}
    shutil.rmtree(folder / execution, ignore_errors=True)
    unused = [name for name in own if not any(folder.glob(f"*/artifacts/{name}"))]
    if unused:
        store.bundles.drop(unused)
