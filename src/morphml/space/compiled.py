"""A space, compiled once: decision table, lowering plan, hyperparameters, constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from morphml.errors import SpaceError
from morphml.graph.operation import CUSTOM_PREFIX, Catalogue
from morphml.graph.operations import OPERATIONS
from morphml.space.compiler import Compiler
from morphml.space.constraints import Constraint, compile_constraints
from morphml.space.decisions import Vector
from morphml.space.definition import Definition
from morphml.space.domains import Domain
from morphml.space.memory import Memory
from morphml.space.network import Network
from morphml.space.places import Place, Scope
from morphml.space.table import Table
from morphml.space.values import Value, named_domains


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyper:
    """One hyperparameter, or one decision of the escape hatch."""

    name: str
    value: Value
    #: Index of the decision that it is; None for plain values and expressions.
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What the questions a space answers are answered from."""

    table: Table
    #: None where there are no layers.
    network: Network | None
    hyper: tuple[Hyper, ...]
    constraints: tuple[Constraint, ...]
    catalogue: Catalogue
    #: The user's modules (objects or import paths) by name, for a framework.
    custom: Mapping[str, object]
    #: Index of a decision by path.
    by_path: Mapping[str, int]

    def hyper_values(self, vector: Vector) -> dict[str, object]:
        """Active hyperparameters by name."""
        return {
            hyper.name: hyper.value.of(vector, None)
            for hyper in self.hyper
            if hyper.index is None or vector[hyper.index] is not None
        }


def compile_definition(definition: Definition) -> Compiled:
    """Everything that follows from a definition.

    Raises:
        SpaceError: whatever a block, a domain or a condition breaks, with its path.
        ConstraintError: a constraint that cannot be read.
    """
    used = named_domains(definition.values)
    compiler = Compiler(frozenset(domain.name for domain in used if domain.name is not None))
    network = Network(definition, compiler) if definition.inputs else None
    hyper = [_hyper(name, value, f"hyper/{name}", compiler) for name, value in definition.hyper]
    hyper += [_hyper(name, value, name, compiler) for name, value in definition.decisions]
    table = compiler.table()
    constraints = compile_constraints(definition.constraints, compiler, network is not None)
    return Compiled(
        table=table,
        network=network,
        hyper=tuple(hyper),
        constraints=constraints,
        catalogue=OPERATIONS.extended(compiler.operations.values()),
        custom=MappingProxyType(
            {name.removeprefix(CUSTOM_PREFIX): m for name, (m, *_) in compiler.modules.items()}
        ),
        by_path=MappingProxyType(compiler.by_path),
    )


def _hyper(name: str, value: object, path: str, compiler: Compiler) -> Hyper:
    compiled = compiler.value(value, path, Place(scope=Scope(), memory=Memory()))
    if isinstance(value, Domain):
        return Hyper(name=name, value=compiled, index=compiler.by_path[value.name or path])
    try:
        compiled.of((None,) * len(compiler.entries), None)
    except SpaceError as error:
        raise SpaceError(str(error), path=path) from None
    return Hyper(name=name, value=compiled, index=None)
