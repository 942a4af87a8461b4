"""The application: all resources behind one door, and the document that describes them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from morphml.search.experiment_file import ExperimentFile
from morphml.server.rest import (
    bundles,
    events,
    executions,
    experiments,
    health,
    jobs,
    leasing,
    optimizers,
    queue,
    spaces,
    transfers,
    trials,
    workers,
)
from morphml.server.rest.admission import Admission
from morphml.server.rest.problems import Problem, add_handlers
from morphml.server.rest.routing import SCHEMAS
from morphml.server.rest.site import Site
from morphml.version import __version__
from morphml.workflow.document import WorkflowDocument

_RESOURCES = (
    workers,
    leasing,
    transfers,
    queue,
    executions,
    bundles,
    events,
    jobs,
    health,
    experiments,
    trials,
    optimizers,
    spaces,
)
_ABOUT = "Searches and workflows of one store. Errors are problem documents (RFC 9457)."
_TOKEN = {"type": "http", "scheme": "bearer", "description": "A secret of the token file."}


def create_app(site: Site) -> FastAPI:
    """The application that serves ``site``; it opens and closes nothing."""
    app = FastAPI(
        title="MorphML",
        version=__version__,
        description=_ABOUT,
        # Pages that show the document load programs from other machines.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: f"{route.tags[0]}-{route.name}",
    )
    app.state.site = site
    app.add_middleware(Admission, door=site.door)
    add_handlers(app)
    for each in _RESOURCES:
        app.include_router(each.router)
    app.state.routes = [route for each in _RESOURCES for route in each.router.routes]
    document = _document(app)
    app.openapi = lambda: document  # type: ignore[method-assign]  # FastAPI's own way to replace it
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the documents that people write among its schemas."""
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    _, written = models_json_schema(
        [
            (WorkflowDocument, "validation"),
            (ExperimentFile, "validation"),
            (Problem, "serialization"),
        ],
        by_alias=True,
        ref_template=SCHEMAS + "{model}",
    )
    parts = made.setdefault("components", {})
    parts.setdefault("schemas", {}).update(written["$defs"])
    parts["securitySchemes"] = {"token": _TOKEN}
    return made
