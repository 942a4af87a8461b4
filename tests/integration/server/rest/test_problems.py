"""Problems of a kind of their own: what a program can tell apart without reading the words."""

from __future__ import annotations

import httpx
from tests.integration.server.rest.conftest import Served

API = "/api/distributed"
ONE = {"workflowId": "w", "jobs": [{"id": "a", "type": "preprocessing"}]}


def kind(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:morphml:problem:")


def test_drained_queue_is_a_conflict_until_it_is_resumed(served: Served) -> None:
    served.done(f"{API}/queue/drain")
    assert kind(served.post(f"{API}/execute", ONE)) == (409, "drained")
    served.done(f"{API}/queue/resume")
    assert served.post(f"{API}/execute", ONE).status_code == 202


def test_key_of_another_request_is_refused_alike_for_workflows_and_searches(served: Served) -> None:
    keyed = {"headers": {"Idempotency-Key": "k"}}
    search = {
        "space": 'SearchSpace(decisions={"x": real(0.0, 1.0)})',
        "evaluator": "morphml.testing.engine_evaluators:tell",
    }
    search = {**search, "objectives": {"loss": "min"}, "trials": 1}
    for path, first, other in (
        (f"{API}/execute", ONE, {**ONE, "workflowId": "v"}),
        ("/api/v1/experiments", search, {**search, "trials": 2}),
    ):
        begun = served.done(path, first, **keyed)
        again = served.done(path, first, **keyed)
        assert again["createdAt"] == begun["createdAt"]
        assert kind(served.post(path, other, **keyed)) == (422, "key-reused")


def test_body_that_is_too_large_is_one_kind_whether_or_not_its_length_is_told(
    served: Served,
) -> None:
    large = b" " * (4 << 20) + b" "
    json = {"content-type": "application/json"}
    for content in (large, iter([large])):
        answer = served.ask.post(f"{API}/execute", content=content, headers=json)
        assert kind(answer) == (413, "too-large")


def test_method_that_a_path_has_not_is_told_with_all_that_it_has(served: Served) -> None:
    for path, allowed in (
        (f"{API}/execute", "GET, POST"),
        (f"{API}/workers/w/tasks/x1-0-0/checkpoint", "GET, PUT"),
        ("/api/v1/experiments/x", "DELETE, GET"),
    ):
        answer = served.ask.request("PATCH", path)
        assert kind(answer) == (405, "method-not-allowed")
        assert answer.headers["allow"] == allowed
