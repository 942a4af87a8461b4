"""What a person wrote: the arguments of a search space, brought to one form, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from morphml.errors import ConstraintError, SpaceError
from morphml.space.blocks import Input, Written, flat
from morphml.space.compose import checked_blocks
from morphml.space.domains import Domain, is_block
from morphml.space.expressions import Expression
from morphml.space.form import call, check_name, check_segment, is_literal, plain

#: Names that constraints read as figures of the model graph.
FIGURES = ("params", "flops", "activation_bytes")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Definition:
    """The arguments of a space, checked one by one; equal when written alike."""

    inputs: tuple[tuple[str, Input], ...] = ()
    layers: tuple[object, ...] = ()
    outputs: tuple[tuple[str, tuple[object, ...]], ...] = ()
    hyper: tuple[tuple[str, object], ...] = ()
    #: The escape hatch: decisions by name, and what builds from their values.
    decisions: tuple[tuple[str, object], ...] = ()
    build: object = None
    #: Texts, conditions, or functions of an architecture.
    constraints: tuple[object, ...] = ()
    name: str | None = None

    @property
    def values(self) -> tuple[object, ...]:
        """All blocks and values, in the order in which decisions are made."""
        return (self.layers, self.outputs, self.hyper, self.decisions)

    def __repr__(self) -> str:
        single = len(self.inputs) == 1 and self.inputs[0][0] == "input"
        keywords: dict[str, object] = {}
        if single and self.inputs[0][1].dtype == "float32":
            keywords["input"] = self.inputs[0][1].shape
        elif single:
            keywords["input"] = self.inputs[0][1]
        elif self.inputs:
            keywords["inputs"] = dict(self.inputs)
        keywords["layers"] = list(self.layers) or None
        heads = {n: blocks[0] if len(blocks) == 1 else list(blocks) for n, blocks in self.outputs}
        keywords["outputs"] = heads or None
        keywords["hyper"] = dict(self.hyper) or None
        keywords["decisions"] = dict(self.decisions) or None
        keywords["build"] = None if self.build is None else Written(self.build)
        keywords["constraints"] = [Written(c) for c in self.constraints] or None
        return call("SearchSpace", (), keywords | {"name": self.name})


def define(  # noqa: PLR0913  (the arguments of a space, one by one)
    *,
    input: object,
    inputs: Mapping[str, object] | None,
    layers: Iterable[object],
    outputs: Mapping[str, object] | None,
    hyper: Mapping[str, object] | None,
    decisions: Mapping[str, object] | None,
    build: object,
    constraints: object,
    name: str | None,
) -> Definition:
    """The definition that these arguments of `SearchSpace` make.

    Raises:
        SpaceError: an argument of the wrong form, or arguments that exclude each other.
    """
    check_segment(name, of="a space")
    blocks = tuple(flat(layers))
    made = Definition(
        inputs=_inputs(input, inputs),
        layers=checked_blocks(blocks, of="SearchSpace") if blocks else (),
        outputs=_outputs(outputs),
        hyper=_values(hyper, "hyper"),
        decisions=_values(decisions, "decisions"),
        build=build,
        constraints=_constraints(constraints),
        name=name,
    )
    _check_together(made)
    return made


def _inputs(single: object, several: Mapping[str, object] | None) -> tuple[tuple[str, Input], ...]:
    if single is not None and several is not None:
        raise SpaceError("give either input= or inputs=, not both")
    if single is not None:
        return (("input", _one_input(single)),)
    made = []
    for name, given in (several or {}).items():
        check_segment(name, of="an input")
        made.append((name, _one_input(given)))
    return tuple(made)


def _one_input(given: object) -> Input:
    return given if isinstance(given, Input) else Input(plain(given))  # type: ignore[arg-type]  # Input checks it


def _outputs(outputs: Mapping[str, object] | None) -> tuple[tuple[str, tuple[object, ...]], ...]:
    made = []
    for name, blocks in (outputs or {}).items():
        check_segment(name, of="an output")
        made.append((name, checked_blocks(flat(blocks), of=f"outputs[{name!r}]")))
    return tuple(made)


def _values(values: Mapping[str, object] | None, what: str) -> tuple[tuple[str, object], ...]:
    made = []
    for name, raw in (values or {}).items():
        check_name(name, of=what)
        value = plain(raw)
        good = isinstance(value, Expression) or is_literal(value)
        if not good or (isinstance(value, Domain) and is_block(value)):
            raise SpaceError(f"{what}[{name!r}] takes a value or a choice of values, got {raw!r}")
        made.append((name, value))
    return tuple(made)


def _constraints(given: object) -> tuple[object, ...]:
    single = isinstance(given, str | Expression) or callable(given)
    made = (given,) if single else tuple(given)  # type: ignore[arg-type]  # iterable or refused below
    for constraint in made:
        good = isinstance(constraint, str | Expression) or callable(constraint)
        if not good or isinstance(constraint, Domain):
            raise ConstraintError(
                f"a constraint is a text such as 'params <= 500_000', a condition, or a function "
                f"of an architecture, got {constraint!r}",
                constraint=repr(constraint),
            )
    return made


def _check_together(made: Definition) -> None:
    if made.decisions:
        if made.layers or made.inputs or made.outputs or made.hyper:
            raise SpaceError("decisions= stands for itself: without input, layers, outputs, hyper")
    elif made.build is not None:
        raise SpaceError("build= builds from decisions=, which is missing")
    elif (made.layers or made.outputs) and not made.inputs:
        raise SpaceError("a space with layers needs input=(channels, height, width) or inputs={..}")
    elif made.inputs and not (made.layers or made.outputs):
        raise SpaceError("a space with an input needs layers= or outputs=")
    elif not (made.layers or made.outputs or made.hyper):
        raise SpaceError("a space needs layers, hyper or decisions; this one has nothing in it")
    if made.build is not None and not (callable(made.build) or isinstance(made.build, str)):
        raise SpaceError(f"build= takes a function or 'package.module:name', got {made.build!r}")
