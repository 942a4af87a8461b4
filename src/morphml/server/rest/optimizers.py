"""Optimizers to choose from."""

from __future__ import annotations

from pydantic import JsonValue

from morphml.engines.remote.access import Scope
from morphml.search.catalogue import catalogue
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.views import View, json_of

router = resource("optimizers")


class OptimizersView(View):
    """The optimizers, then those with a rule of fidelity."""

    optimizers: list[dict[str, JsonValue]]


@router.get("/api/v1/optimizers", openapi_extra=needs(Scope.SUBMIT))
def list_optimizers() -> OptimizersView:
    """When to use each optimizer, what a proposal costs, and its settings."""
    return OptimizersView(optimizers=[json_of(each) for each in catalogue()])
