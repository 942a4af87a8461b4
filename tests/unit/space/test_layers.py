"""Every built-in operation has a constructor that says the same as the catalogue."""

from __future__ import annotations

import inspect

import pytest

from morphml import layers as L
from morphml.graph import OPERATIONS
from morphml.space import choice, layers

#: Operations that blocks stand for, or that the lowering puts in.
NO_LAYER = {"input", "add", "multiply", "concat"}
#: Constructors that are no operation of their own.
NO_OPERATION = {"output", "custom", "shared"}


def test_every_operation_has_a_constructor_and_the_reverse() -> None:
    assert set(OPERATIONS) - NO_LAYER == set(L.__all__) - NO_OPERATION
    assert all(getattr(L, name) is getattr(layers, name) for name in L.__all__)


@pytest.mark.parametrize("name", sorted(set(L.__all__) - NO_OPERATION))
def test_constructor_takes_the_attributes_with_their_defaults(name: str) -> None:
    parameters = dict(inspect.signature(getattr(L, name)).parameters)
    assert parameters.pop("name").kind is inspect.Parameter.KEYWORD_ONLY
    declared = {attribute.name: attribute for attribute in OPERATIONS[name].attributes}
    assert set(parameters) == set(declared)
    for key, parameter in parameters.items():
        required = parameter.default is inspect.Parameter.empty
        assert required == declared[key].required
        assert required or parameter.default == declared[key].default
    assert getattr(L, name).__doc__


def test_arguments_that_are_defaults_are_not_written() -> None:
    assert repr(L.conv2d(8, 3, padding="same", groups=1)) == "conv2d(filters=8)"
    assert repr(L.conv2d(filters=choice(8, 16), kernel_size=[3, 5], name="stem")) == (
        "conv2d(filters=choice(8, 16), kernel_size=(3, 5), name='stem')"
    )
    assert repr(L.dropout(0)) == "dropout(rate=0)"
