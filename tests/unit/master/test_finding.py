"""Experiments by id or name."""

from __future__ import annotations

from contextlib import closing

import pytest

from morphml.errors import ExperimentError
from morphml.master.experiment import find_experiment
from morphml.storage import open_store


@pytest.mark.parametrize("name", [None, "fashion"])
def test_store_without_experiments_is_said_to_have_none(name: str | None) -> None:
    none = pytest.raises(ExperimentError, match="no experiment in this store yet")
    with closing(open_store(":memory:")) as store, none:
        find_experiment(store, name)
