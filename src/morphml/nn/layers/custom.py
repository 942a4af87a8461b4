"""Operations of the user."""

from __future__ import annotations

from morphml.nn.expression import Construct, Module
from morphml.nn.site import Site


def custom(site: Site) -> Module:
    """The user's module, called with the attributes as keyword arguments.

    The operation's name (``custom:<name>``) stays the callee; whoever builds or prints it knows
    what the name stands for, or reads it as an import path.
    """
    return Module(Construct(site.op, (), tuple(site.attrs.items())))
