"""What a layer is made of, as a value: it is run to build a module and printed to export one.

One value for both is the reason why an exported file computes what the built module computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: A name such as ``nn.Conv2d`` or ``torch.cat`` turned into what it stands for.
Resolver = Callable[[str], Callable[..., object]]


@dataclass(frozen=True, slots=True)
class Port:
    """The tensor that arrives at input ``index`` of an operation."""

    #: 0-based position among the operation's inputs.
    index: int = 0


@dataclass(frozen=True, slots=True)
class Ports:
    """All tensors that arrive at an operation, as one list."""


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, in printed code only."""

    name: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """``times`` arguments, each made by the same call; in printed code only."""

    call: Construct
    times: int


@dataclass(frozen=True, slots=True)
class Construct:
    """A call: ``callee(*args, **kwargs)``."""

    #: Dotted name: ``nn.X``, ``torch.X``, ``F.X``, a layer class of ours, or ``package.module:X``.
    callee: str
    args: tuple[object, ...] = ()
    #: Pairs in the order in which they are printed.
    kwargs: tuple[tuple[str, object], ...] = ()

    def make(self, resolve: Resolver, ports: tuple[object, ...] = ()) -> object:
        """What the call returns, with names looked up by ``resolve`` and tensors from ``ports``."""
        args = [_value(argument, resolve, ports) for argument in self.args]
        kwargs = {name: _value(argument, resolve, ports) for name, argument in self.kwargs}
        return resolve(self.callee)(*args, **kwargs)

    def text(self, ports: tuple[str, ...] = ()) -> str:
        """The call as Python source, with ``ports`` as the names of the tensors."""
        return f"{self.short_name}({', '.join(self.arguments(ports))})"

    @property
    def short_name(self) -> str:
        """The callee as printed: what an import brings in, without the package."""
        return self.callee.rpartition(":")[2]

    def arguments(self, ports: tuple[str, ...] = ()) -> list[str]:
        """Each argument as Python source."""
        parts = [source(argument, ports) for argument in self.args]
        return parts + [f"{name}={source(argument, ports)}" for name, argument in self.kwargs]

    def callees(self) -> Iterator[str]:
        """The names called here and in the arguments."""
        yield self.callee
        for argument in (*self.args, *(value for _, value in self.kwargs)):
            if isinstance(argument, Repeated):
                yield from argument.call.callees()
            elif isinstance(argument, Construct):
                yield from argument.callees()


def construct(callee: str, *args: object, **kwargs: object) -> Construct:
    """The call ``callee(*args, **kwargs)``, not performed."""
    return Construct(callee, args, tuple(kwargs.items()))


@dataclass(frozen=True, slots=True)
class Module:
    """An operation with state, or with a class of its own: a module made once and then called."""

    make: Construct


@dataclass(frozen=True, slots=True)
class Function:
    """An operation without state: a call on the arriving tensors."""

    call: Construct


@dataclass(frozen=True, slots=True)
class Infix:
    """The arriving tensors joined by ``+`` or ``*``, from left to right."""

    #: ``+`` or ``*``.
    symbol: str


#: What one operation of the catalogue becomes.
Lowered = Module | Function | Infix


def _value(argument: object, resolve: Resolver, ports: tuple[object, ...]) -> object:
    match argument:
        case Port():
            return ports[argument.index]
        case Ports():
            return list(ports)
        case Construct():
            return argument.make(resolve, ports)
        case _:
            return argument


def source(argument: object, ports: tuple[str, ...] = ()) -> str:
    """An argument as Python source."""
    match argument:
        case Name(name):
            return name
        case Repeated(call, times):
            return f"*({call.text(ports)} for _ in range({times}))"
        case Port():
            return ports[argument.index]
        case Ports():
            return f"[{', '.join(ports)}]"
        case Construct():
            return argument.text(ports)
        case float() if not math.isfinite(argument):
            return f'float("{argument}")'
        case _:
            return repr(argument)
