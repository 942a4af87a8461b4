"""Architectures as files: Python, ONNX, torch.export, TorchScript."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from morphml.errors import CallerError, MissingExtraError
from morphml.nn.export.decisions_file import decisions_file
from morphml.nn.export.example import example_inputs
from morphml.nn.export.python_file import Facts, python_file
from morphml.nn.export.weights import Weights, renamed, save_weights, state_of
from morphml.nn.network import Network
from morphml.nn.plan import Plan, plan

if TYPE_CHECKING:
    from morphml.space import Architecture

#: Where torch logs which libraries it has no operators for; none of ours is of such a library.
EXPORTER_LOG = "torch.onnx._internal.exporter._registration"


def write_python(architecture: Architecture, path: Path, weights: Weights | None) -> Path:
    """Write a standalone Python file, and the weights beside it where there are any.

    A space with ``build=`` has code of its own that cannot be written out: its file holds the
    decisions and reads the weights, and says so.

    Args:
        architecture: what is written.
        path: the Python file; weights go to the same name with the ending ``.pt``.
        weights: a module that `build` gave, trained, or its state; None writes none.

    Raises:
        CallerError: when weights belong to another architecture, or a layer cannot be imported.
    """
    facts = facts_of(architecture, trained=weights is not None)
    if architecture.space.has_graph:
        layout = plan_of(architecture)
        file = python_file(layout, facts, architecture.space.custom)
        source, names = file.source, file.names
    else:
        source, names = decisions_file(facts), None
    path.write_text(source, encoding="utf-8")
    if weights is not None:
        state = state_of(weights)
        save_weights(state if names is None else renamed(state, names), path.with_suffix(".pt"))
    return path


def write_onnx(architecture: Architecture, path: Path, weights: Weights | None) -> Path:
    """Write an ONNX file with a free batch size; inputs and outputs keep their names.

    Raises:
        MissingExtraError: when onnxscript is not installed.
        CallerError: for a space without a graph, or weights of another architecture.
    """
    try:
        import onnxscript  # noqa: F401, PLC0415 - torch needs it, and it is heavy and optional
    except ImportError:
        raise MissingExtraError("the export to ONNX", extra="onnx") from None
    model = _model(architecture, weights)
    inputs = example_inputs(model.plan)
    with _quiet():
        program = torch.onnx.export(
            model,
            inputs,
            dynamo=True,
            verbose=False,
            input_names=[slot.name for slot in model.plan.inputs],
            output_names=[name for name, _ in model.plan.outputs],
            dynamic_shapes=_free_batch(inputs),
        )
    assert program is not None
    program.save(path)
    return path


def write_program(architecture: Architecture, path: Path, weights: Weights | None) -> Path:
    """Write a program of ``torch.export`` with a free batch size; ``torch.export.load`` reads it.

    Raises:
        CallerError: for a space without a graph, or weights of another architecture.
    """
    model = _model(architecture, weights)
    inputs = example_inputs(model.plan)
    with _quiet():
        program = torch.export.export(model, inputs, dynamic_shapes=_free_batch(inputs))
        torch.export.save(program, path)
    return path


def write_torchscript(architecture: Architecture, path: Path, weights: Weights | None) -> Path:
    """Write a TorchScript file, traced; ``torch.jit.load`` reads it.

    Raises:
        CallerError: for a space without a graph, or weights of another architecture.
    """
    model = _model(architecture, weights)
    with _quiet(), torch.no_grad():
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]  # torch's own
            model, example_inputs(model.plan), strict=False
        )
        torch.jit.save(traced, path)
    return path


def plan_of(architecture: Architecture) -> Plan:
    """The forward pass of an architecture."""
    return plan(architecture.canonical, architecture.space.catalogue)


def facts_of(architecture: Architecture, *, trained: bool) -> Facts:
    """What a file says of the architecture beside its code."""
    if architecture.space.has_graph:
        title = f"Network {architecture.graph_id}: {architecture.params:,} parameters."
    else:
        title = f"Architecture {architecture.point_id}."
    return Facts(
        title=title,
        decisions={
            path: value
            for path, value in _plain(architecture.decisions).items()
            if not path.startswith("hyper/")
        },
        hyper=_plain(architecture.hyper),
        trained=trained,
    )


def _plain(values: object) -> dict[str, object]:
    return json.loads(json.dumps(values, default=str))  # type: ignore[no-any-return]  # JSON


def _model(architecture: Architecture, weights: Weights | None) -> Network:
    if not architecture.space.has_graph:
        raise CallerError(
            "a space with build= has no model graph to export; call its own function and export "
            "what that returns"
        )
    model = Network(plan_of(architecture), architecture.space.custom)
    if weights is not None:
        try:
            model.load_state_dict(state_of(weights))
        except RuntimeError as error:
            raise CallerError(f"the weights belong to another architecture: {error}") from error
    return model.eval()


def _free_batch(inputs: tuple[torch.Tensor, ...]) -> tuple[object, ...]:
    # One more level: the module's forward takes any number of positional inputs.
    return (tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs),)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' warnings about their own workings, such as absent torchvision."""
    log = logging.getLogger(EXPORTER_LOG)
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
