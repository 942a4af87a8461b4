"""What every operation says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from morphml.engines.remote.access import Scope
from morphml.server.rest.app import create_app
from morphml.server.rest.routing import SCOPE, scope_needed
from morphml.server.rest.settings import RestSettings
from morphml.server.rest.site import Site
from morphml.storage import open_store


@pytest.fixture(scope="module")
def operations() -> dict[tuple[str, str], dict]:
    store = open_store(None)
    document = create_app(Site.of(RestSettings(storage="a.db", host="127.0.0.1"), store)).openapi()
    store.close()
    assert document["openapi"].startswith("3.1")
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_operation_that_says_no_scope_needs_an_operator() -> None:
    assert scope_needed(None) is Scope.ADMIN
    assert scope_needed({SCOPE: "worker"}) is Scope.WORKER
    assert scope_needed({SCOPE: "none"}) is None


def test_only_health_is_free_and_workers_may_do_what_is_theirs(
    operations: dict[tuple[str, str], dict],
) -> None:
    scopes = {key: operation[SCOPE] for key, operation in operations.items()}
    free = {path for (_, path), scope in scopes.items() if scope == "none"}
    assert all(path.startswith("/api/distributed/health") for path in free)
    workers = {key for key, scope in scopes.items() if scope == "worker"}
    assert all("/workers/" in path for _, path in workers)
    assert scopes[("post", "/api/distributed/queue/pause")] == "admin"
    assert scopes[("post", "/api/distributed/execute")] == "submit"


def test_documents_paths_are_served(operations: dict[tuple[str, str], dict]) -> None:
    api = "/api/distributed"
    assert set(operations) >= {
        ("post", f"{api}/workers/register"),
        ("get", f"{api}/workers"),
        ("post", f"{api}/workers/{{workerId}}/heartbeat"),
        ("delete", f"{api}/workers/{{workerId}}"),
        ("get", f"{api}/queue/stats"),
        ("post", f"{api}/queue/pause"),
        ("post", f"{api}/queue/resume"),
        ("post", f"{api}/execute"),
        ("get", f"{api}/execute/{{executionId}}"),
        ("get", f"{api}/health"),
    }


def test_names_in_bodies_and_answers_are_camel_case() -> None:
    store = open_store(None)
    site = Site.of(RestSettings(storage="a.db", host="127.0.0.1"), store)
    schemas = create_app(site).openapi()["components"]["schemas"]
    store.close()
    written_by_people = {name for name in schemas if name.startswith(("ExperimentFile", "Named"))}
    names = {
        key
        for schema, content in schemas.items()
        if schema not in written_by_people
        for key in content.get("properties", {})
    }
    assert [name for name in sorted(names) if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name)] == []


def test_settings_travel_whole() -> None:
    given = RestSettings(
        storage="postgresql://u:p@h/d", host="::1", names=("a", "b"), token_file="t", rate=5.0
    )
    assert RestSettings.from_json(given.to_json()) == given
    assert b"\n" not in given.to_json()
    assert RestSettings(storage="a", host="b", artifacts="c").artifacts_folder() == Path("c")
