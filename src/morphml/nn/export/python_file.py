"""A network as a standalone Python file that needs PyTorch only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from morphml.nn.export.classes import (
    argument_names,
    block_source,
    layer_sources,
    model_source,
)
from morphml.nn.export.entries import entries
from morphml.nn.export.example import vocabulary
from morphml.nn.export.imports import importable
from morphml.nn.export.program import Scope, scope_of
from morphml.nn.export.repeats import Blocks, take_out_blocks
from morphml.nn.expression import Function, Infix, Module
from morphml.nn.names import Registered, resolver
from morphml.nn.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonFile:
    """An exported network: its source, and where its weights go."""

    source: str
    #: Module name in the built network to dotted name in the exported one.
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the file says about the network beside its code."""

    #: First line of its docstring.
    title: str
    #: Decisions by path, and hyperparameters by name; values that JSON knows.
    decisions: Mapping[str, object]
    hyper: Mapping[str, object]
    #: Whether weights lie beside the file.
    trained: bool


def python_file(plan: Plan, facts: Facts, registered: Registered) -> PythonFile:
    """The source of a standalone module with the class ``Model``, and ``load``.

    Raises:
        CallerError: for a user's layer that no import can reach.
    """
    scope, imports = importable(scope_of(plan), registered)
    blocks = take_out_blocks(scope, resolver({}))
    body = "\n\n\n".join(_parts(plan, blocks))
    head = _head(plan, facts, imports, body)
    source = "\n".join(head) + "\n\n\n" + body + "\n"
    return PythonFile(source=source, names=_names(blocks))


def _parts(plan: Plan, blocks: Blocks) -> Iterator[str]:
    scopes = [blocks.scope, *(block.scope for block in blocks.classes.values())]
    yield from layer_sources({name for scope in scopes for name in _callees(scope)})
    for block in blocks.classes.values():
        yield "\n".join(block_source(block, blocks.classes))
    yield "\n".join(model_source(blocks.scope, plan.inputs, plan.outputs, blocks.classes))
    yield _LOAD.strip()
    yield "\n".join(_demo(plan))


_TRAINED = (
    "Exported by MorphML; needs PyTorch only. `load()` gives the trained network: its weights",
    'lie beside this file, under its name with the ending ".pt". Run the file to try it.',
)
_UNTRAINED = (
    "Exported by MorphML; needs PyTorch only. No weights were kept: `Model()` begins with fresh",
    "ones, and `load(path)` takes those that you have saved. Run the file to try it.",
)


def _head(plan: Plan, facts: Facts, imports: list[str], body: str) -> Iterator[str]:
    yield f'"""{_safe(facts.title)}'
    yield ""
    yield from _TRAINED if facts.trained else _UNTRAINED
    yield '"""'
    yield ""
    yield "from __future__ import annotations"
    yield ""
    yield "from pathlib import Path"
    yield ""
    yield "import torch"
    if re.search(r"\bF\.", body):
        yield "import torch.nn.functional as F"
    yield "from torch import nn"
    yield from imports
    yield ""
    yield "#: Where `load` finds the weights."
    yield 'WEIGHTS = Path(__file__).with_suffix(".pt")'
    yield from constant("DECISIONS", "What the search decided, by place.", facts.decisions)
    yield from constant("HYPER", "What it was trained with.", facts.hyper)


def constant(name: str, comment: str, values: Mapping[str, object]) -> Iterator[str]:
    """A module constant, one item a line; nothing where there are no values."""
    if values:
        yield f"#: {comment}"
        yield f"{name} = {{"
        yield from (f"    {json.dumps(key)}: {_written(value)}," for key, value in values.items())
        yield "}"


_LOAD = '''
def load(weights: str | Path = WEIGHTS, device: str = "cpu") -> Model:
    """The network with its weights, ready for inference."""
    model = Model()
    model.load_state_dict(torch.load(weights, map_location=device, weights_only=True))
    return model.to(device).eval()
'''


def _demo(plan: Plan) -> Iterator[str]:
    yield 'if __name__ == "__main__":'
    yield "    model = load() if WEIGHTS.exists() else Model().eval()"
    arguments = argument_names(plan.inputs)
    for name, slot in zip(arguments, plan.inputs, strict=True):
        shape = ", ".join(map(str, (1, *slot.shape)))
        if slot.dtype.startswith("float"):
            yield f"    {name} = torch.randn({shape})"
        else:
            top = vocabulary(plan, slot.node)
            yield f"    {name} = torch.randint({top}, ({shape},))"
    yield "    with torch.no_grad():"
    yield f"        output = model({', '.join(arguments)})"
    yield '    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")'
    if len(plan.outputs) > 1:
        yield "    for name, tensor in output.items():"
        yield '        print(f"{name}: {tuple(tensor.shape)}")'
    else:
        yield '    print(f"output: {tuple(output.shape)}")'


def _names(blocks: Blocks) -> Mapping[str, str]:
    return {
        module: f"{entry.dotted(line)}.{below}".rstrip(".")
        for entry in entries(blocks.scope, blocks.classes)
        for line in entry.lines
        for module, below in line.modules
    }


def _callees(scope: Scope) -> Iterator[str]:
    for line in scope.lines:
        match line.lowered:
            case Module(make):
                yield from make.callees()
            case Function(call):
                yield from call.callees()
            case Infix():
                pass


def _safe(text: str) -> str:
    return text.replace("\\", "/").replace('"""', "'''")


def _written(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)
