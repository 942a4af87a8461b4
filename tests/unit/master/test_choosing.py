"""Engines by name."""

from __future__ import annotations

import pytest

from morphml.errors import CallerError, ExperimentError
from morphml.master.choosing import EngineChoice, EngineKind, make_engine


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("local", EngineKind.LOCAL, ""),
        ("remote", EngineKind.REMOTE, ""),
        ("ray", EngineKind.RAY, ""),
        ("ray:auto", EngineKind.RAY, "auto"),
        ("ray:10.0.0.5:6379", EngineKind.RAY, "10.0.0.5:6379"),
        ("ray://head:10001", EngineKind.RAY, "ray://head:10001"),
    ],
)
def test_an_engine_is_chosen_by_its_name(text: str, kind: EngineKind, address: str) -> None:
    assert EngineChoice.parse(text) == EngineChoice(kind=kind, address=address)


@pytest.mark.parametrize("text", ["", "Ray", "dask", "local:8", "remote:host"])
def test_an_engine_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="local, remote, ray, or ray:ADDRESS"):
        EngineChoice.parse(text)


def test_no_search_is_run_here_that_is_for_masters() -> None:
    with pytest.raises(ExperimentError, match="submit"):
        make_engine(EngineChoice.parse("remote"), 1, {})


def test_a_ray_client_is_refused_before_anything_is_started() -> None:
    choice = EngineChoice.parse("ray://head:10001")
    assert choice.outside
    with pytest.raises(CallerError, match="could not dial back"):
        make_engine(choice, 1, {})
