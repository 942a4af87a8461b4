"""Where an operation stands: what a layer family needs to know to build it."""

from __future__ import annotations

from dataclasses import dataclass

from morphml.errors import SpaceError
from morphml.graph import Shape
from morphml.graph.attribute import Attrs


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One operation of a model graph with the shapes that meet there (without the batch axis)."""

    #: Name in the catalogue.
    op: str
    attrs: Attrs
    inputs: tuple[Shape, ...]
    output: Shape
    #: Where in the space the operation came from; for messages.
    path: str = ""

    @property
    def shape(self) -> Shape:
        """The shape of the first input."""
        return self.inputs[0]

    @property
    def channels(self) -> int:
        """The size of the first input's channel axis, which comes first."""
        return self.inputs[0][0]

    @property
    def features(self) -> int:
        """The size of the first input's last axis."""
        return self.inputs[0][-1]

    def integer(self, name: str) -> int:
        """The attribute ``name``, an integer."""
        value = self.attrs[name]
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "an integer")
        return value

    def number(self, name: str) -> float:
        """The attribute ``name``, a number."""
        value = self.attrs[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number")
        return float(value)

    def flag(self, name: str) -> bool:
        """The attribute ``name``, true or false."""
        value = self.attrs[name]
        if not isinstance(value, bool):
            raise self._wrong(name, "True or False")
        return value

    def text(self, name: str) -> str:
        """The attribute ``name``, a text."""
        value = self.attrs[name]
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def sizes(self, name: str, dimensions: int) -> tuple[int, ...]:
        """The attribute ``name``, one integer per spatial axis; a single one counts for all."""
        value = self.attrs[name]
        if isinstance(value, int) and not isinstance(value, bool):
            return (value,) * dimensions
        if isinstance(value, tuple) and len(value) == dimensions:
            return value
        raise self._wrong(name, f"an integer or {dimensions} integers")

    def _wrong(self, name: str, wanted: str) -> SpaceError:
        got = repr(self.attrs[name])
        return SpaceError(f"{self.op}: {name} must be {wanted}, not {got}", path=self.path)


def short(sizes: tuple[int, ...]) -> int | tuple[int, ...]:
    """One integer where all ``sizes`` are equal, so that a printed layer reads well."""
    return sizes[0] if len(set(sizes)) == 1 else sizes
